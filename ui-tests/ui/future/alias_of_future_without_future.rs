#![deny(deprecated)]

use enter_span::enter_span;

type Later<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

#[enter_span]
fn f() -> Later<u32> {
    Box::pin(async { 3 })
}

fn main() {
    drop(f());
}
