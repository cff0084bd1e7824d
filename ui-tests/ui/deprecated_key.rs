#![deny(deprecated)]

use enter_span::{enter_span, semconv};

#[enter_span(attributes(semconv::EXCEPTION_ESCAPED = true))]
fn work() {}

fn main() {}
