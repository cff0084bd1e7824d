use enter_span::{enter_span, in_span};

#[enter_span("x" kind = client)]
fn between_arguments() {}

#[enter_span(attributes(id name))]
fn between_attributes(id: u32, name: &str) {
    let _ = id;
    let _ = name;
}

#[enter_span(attributes(a = 1 b = 2))]
fn between_pairs() {}

fn main() {
    in_span!("x" |span| drop(span));
}
