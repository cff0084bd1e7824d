use enter_span::enter_span;

#[enter_span(err = |error| true)]
fn f() -> u32 {
    3
}

fn main() {
    f();
}
