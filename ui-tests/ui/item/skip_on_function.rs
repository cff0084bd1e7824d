use enter_span::enter_span;

#[enter_span(skip)]
fn f() {}

fn main() {
    f();
}
