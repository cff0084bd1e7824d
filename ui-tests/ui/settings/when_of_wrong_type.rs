use enter_span::{enter_span, in_span};

#[enter_span(when = id)]
fn number(id: u32) {}

#[enter_span(when = list.len())]
async fn expression(list: &[u32]) {}

fn main() {
    in_span!("x", when = "yes", || ());
}
