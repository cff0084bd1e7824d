use enter_span::enter_span;

#[enter_span(future)]
async fn future() {}

#[enter_span(stream)]
async fn stream() {}

fn main() {
    drop(future());
}
