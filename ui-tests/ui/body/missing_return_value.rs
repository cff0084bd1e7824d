use enter_span::enter_span;

#[enter_span]
fn sync(id: u32) -> u32 {
    if id > 3 {
        return;
    }
    id
}

#[enter_span]
async fn asynchronous(id: u32) -> u32 {
    if id > 3 {
        return;
    }
    id
}

fn main() {
    sync(3);
    drop(asynchronous(3));
}
