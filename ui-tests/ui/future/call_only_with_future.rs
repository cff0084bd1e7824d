use enter_span::{enter_span, in_span};

type Later<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

#[enter_span(future, call_only)]
fn future() -> Later<u32> {
    Box::pin(async { 3 })
}

#[enter_span(call_only, stream)]
fn stream() -> Later<u32> {
    Box::pin(async { 3 })
}

#[enter_span(call_only)]
fn nothing() {}

#[enter_span(current, call_only, attributes(id))]
fn current(id: u32) -> u32 {
    id
}

fn main() {
    in_span!("x", future, call_only, || ());
}
