use enter_span_semconv::HTTP_REQUEST_METHOD;
use enter_span::{Span, enter_span};

#[enter_span(attributes(HTTP_REQUEST_METHOD = method))]
fn handle(method: &str) {}

fn main() {
    Span::current().set_attribute(HTTP_REQUEST_METHOD, "GET");
}
