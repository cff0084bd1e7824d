use enter_span::invocation::Invocation;
use enter_span::{enter_span, in_span};

#[enter_span(invocation = invocation, root)]
fn with_root(invocation: &Invocation) {
    let _ = invocation;
}

#[enter_span(parent = enter_span::Span::current(), invocation = invocation)]
fn with_parent(invocation: &Invocation) {
    let _ = invocation;
}

fn main() {
    let invocation = Invocation::of_batch([]);
    in_span!("x", invocation = invocation, leaf, || ());
}
