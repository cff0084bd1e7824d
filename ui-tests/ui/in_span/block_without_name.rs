use enter_span::in_span;

fn main() {
    in_span!(|span| drop(span));
    in_span!(kind = client, |span| drop(span));
}
