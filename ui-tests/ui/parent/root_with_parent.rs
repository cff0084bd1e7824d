use enter_span::{Span, enter_span, in_span};

#[enter_span(root, parent = parent)]
fn root_first(parent: Span) {
    let _ = parent;
}

#[enter_span(parent = parent, root)]
fn parent_first(parent: Span) {
    let _ = parent;
}

fn main() {
    in_span!("x", root, parent = Span::current(), || ());
}
