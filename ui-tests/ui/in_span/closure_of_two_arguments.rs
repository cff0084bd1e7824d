use enter_span::in_span;

fn main() {
    in_span!("x", |span, other| drop(span));
}
