use enter_span::enter_span;

const TENANT: u32 = 7;

#[enter_span(attributes(TENANT = 1))]
fn typed() {}

#[enter_span(start(TENANT = "x"))]
fn text() {}

#[enter_span(attributes(TENANTS = 1))]
fn unknown() {}

fn main() {}
