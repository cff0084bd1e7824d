use enter_span::enter_span;

#[enter_span(name = 5)]
fn by_word() {}

#[enter_span(5)]
fn by_place() {}

#[enter_span('5')]
fn a_char() {}

fn main() {}
