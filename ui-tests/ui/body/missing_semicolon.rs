use enter_span::enter_span;

#[enter_span]
fn sync() {
    drop(3)
    drop(4)
}

#[enter_span]
async fn asynchronous() {
    let three = 3
    drop(three);
}

fn main() {
    sync();
    drop(asynchronous());
}
