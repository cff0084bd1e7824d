use enter_span::start_span;

fn main() {
    start_span!("x", kind = client, |span| span.is_traced());
}
