use enter_span::{Span, enter_span};

#[enter_span(links(header))]
fn text(header: &str) {}

#[enter_span(links(Span::current(), 5))]
fn one_of_two() {}

fn main() {}
