use enter_span::enter_span;

#[enter_span(attributes(order.id))]
fn dotted(order: &Order) {
    let _ = order;
}

#[enter_span(attributes("order.id"))]
fn text() {}

#[enter_span(attributes(TENANT))]
fn constant() {}

#[enter_span(attributes(id = ))]
fn nothing_behind(id: u32) {
    let _ = id;
}

#[enter_span(attributes(id = , name))]
fn a_comma_behind(id: u32, name: &str) {
    let _ = id;
    let _ = name;
}

const TENANT: &str = "tenant";

struct Order {
    id: u32,
}

fn main() {}
