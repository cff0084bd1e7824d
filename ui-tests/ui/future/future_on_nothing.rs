use enter_span::enter_span;

#[enter_span(future)]
fn future() {}

#[enter_span(stream)]
fn stream() {}

#[enter_span(stream)]
fn a_stream_is_no_future() -> impl Future<Output = u32> {
    async { 3 }
}

fn main() {
    future();
}
