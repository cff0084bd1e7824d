#![deny(deprecated)]

use enter_span::enter_span;
use enter_span_semconv as semconv;

#[enter_span(attributes(semconv::EXCEPTION_ESCAPED = true))]
fn work() {}

fn main() {}
