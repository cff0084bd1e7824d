use enter_span::enter_span;

#[enter_span(current)]
fn work() {}

#[enter_span(current = true)]
fn with_value() {}

fn main() {
    work();
    with_value();
}
