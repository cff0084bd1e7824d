use enter_span::enter_span;

#[enter_span(||)]
fn none() {}

#[enter_span(|a, b|)]
fn two() {}

#[enter_span(|span| span)]
fn with_a_body() {}

#[enter_span(|span: Span|)]
fn typed() {}

fn main() {}
