use enter_span::enter_span;
use enter_span_semconv as semconv;

#[enter_span(attributes(semconv::http_request_header("accept") = accept))]
fn handle(accept: &[String]) {
    let _ = accept;
}

fn main() {}
