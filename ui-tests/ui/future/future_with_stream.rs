use enter_span::enter_span;

type Later<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

#[enter_span(future, stream)]
fn both() -> Later<u32> {
    Box::pin(async { 3 })
}

fn main() {}
