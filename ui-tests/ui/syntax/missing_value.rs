use enter_span::enter_span;

#[enter_span(kind)]
fn no_equals() {}

#[enter_span(kind =)]
fn nothing_behind() {}

#[enter_span(parent =, root)]
fn a_comma_behind() {}

#[enter_span(when == true)]
fn compared() {}

#[enter_span(name("x"))]
fn called() {}

fn main() {}
