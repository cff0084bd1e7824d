use enter_span::enter_span;

#[enter_span]
fn sync(text: &str) {
    text.parse::<u32>()?;
}

#[enter_span]
async fn asynchronous(text: &str) {
    text.parse::<u32>()?;
}

fn main() {
    sync("3");
}
