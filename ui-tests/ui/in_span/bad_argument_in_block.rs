use enter_span::in_span;

fn main() {
    in_span!("x", kidn = client, |span| drop(span));
    in_span!("x", kind = clint, |span| drop(span));
    in_span!("x", attributes(id), |span| drop(span));
}
