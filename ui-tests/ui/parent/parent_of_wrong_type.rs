use enter_span::{enter_span, in_span};

#[enter_span(parent = header)]
fn text(header: &str) {}

#[enter_span(parent = 5)]
async fn number() {}

fn main() {
    in_span!("x", parent = "root", || ());
}
