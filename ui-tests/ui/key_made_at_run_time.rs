use enter_span::{enter_span, semconv};

#[enter_span(attributes(semconv::http_request_header("accept") = accept))]
fn handle(accept: &[String]) {
    let _ = accept;
}

fn main() {}
