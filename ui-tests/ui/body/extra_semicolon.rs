use enter_span::enter_span;

#[enter_span]
fn sync() -> u32 {
    3;
}

#[enter_span]
async fn asynchronous() -> Result<u32, String> {
    Ok(3);
}

fn main() {
    sync();
}
