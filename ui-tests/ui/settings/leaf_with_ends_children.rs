use enter_span::{enter_span, in_span};

#[enter_span(leaf, ends_children)]
fn f() {}

fn main() {
    f();
    in_span!("x", ends_children, leaf, |_| ());
}
