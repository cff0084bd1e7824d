use enter_span::{enter_span, in_span};

#[enter_span("")]
fn by_place() {}

#[enter_span(name = "")]
fn by_word() {}

fn main() {
    in_span!("", |span| drop(span));
}
