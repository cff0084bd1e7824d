use enter_span::enter_span;

#[enter_span(attributes("" = 1))]
fn empty() {}

#[enter_span(attributes(5 = 1))]
fn number() {}

#[enter_span(attributes(order. = 1))]
fn half_a_name() {}

#[enter_span(attributes(order-id = 1))]
fn dashed(order: u32) {
    let _ = order;
}

#[enter_span(attributes(..facts))]
fn spread(facts: &[u32]) {
    let _ = facts;
}

#[enter_span(attributes(&user))]
fn borrowed(user: &str) {
    let _ = user;
}

fn main() {}
