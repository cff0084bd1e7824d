use enter_span::in_span;

fn main() {
    in_span!("x", future, || ());
    in_span!("x", stream, || ());
    in_span!("x", skip, || ());
}
