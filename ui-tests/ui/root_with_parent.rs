use enter_span::{Span, enter_span, in_span};

#[enter_span(root, parent = parent)]
fn root_first(parent: Span) {}

#[enter_span(parent = parent, root)]
fn parent_first(parent: Span) {}

fn main() {
    in_span!("x", root, parent = Span::current(), || ());
}
