use enter_span::{enter_span, in_span};

#[enter_span(tracer = "shop")]
fn f() {}

fn main() {
    f();
    in_span!("x", tracer = 5, |_| ());
}
