use enter_span::enter_span;

#[enter_span(crate = ::facade::enter_span)]
fn f() {}

fn main() {
    f();
}
