use enter_span::enter_span;

#[enter_span(err)]
fn sync() -> u32 {
    3
}

#[enter_span(err = type)]
async fn asynchronous() -> u32 {
    3
}

#[enter_span(err)]
fn future() -> impl Future<Output = u32> {
    async { 3 }
}

fn main() {
    sync();
}
