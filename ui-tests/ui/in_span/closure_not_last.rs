use enter_span::in_span;

fn main() {
    in_span!("x", |span| drop(span), kind = client);
}
