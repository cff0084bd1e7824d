use enter_span::enter_span;

#[enter_span(crate = "enter_span")]
fn text() {}

#[enter_span(crate = 5)]
fn number() {}

#[enter_span(crate = my::<T>)]
fn generic() {}

fn main() {}
