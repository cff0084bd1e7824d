use enter_span::enter_span;

#[enter_span]
fn sync(user: String) -> String {
    drop(user);
    user
}

#[enter_span]
async fn asynchronous(user: String) -> String {
    drop(user);
    user
}

fn main() {
    sync(String::new());
}
