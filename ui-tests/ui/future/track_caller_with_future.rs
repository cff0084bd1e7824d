use std::future::Future;

use enter_span::enter_span;

#[enter_span]
#[track_caller]
fn fetch() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {
    drop(fetch());
}
