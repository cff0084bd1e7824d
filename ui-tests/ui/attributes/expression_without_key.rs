use enter_span::enter_span;

const TENANT: &str = "tenant";

#[enter_span(attributes(?user.len(), other))]
fn a_call(user: &str) {}

#[enter_span(attributes(%"text"))]
fn text() {}

#[enter_span(attributes(?TENANT))]
fn a_constant() {}

#[enter_span(attributes(%std::process::id))]
fn a_path() {}

#[enter_span(attributes(?&user))]
fn a_borrow(user: &str) {}

#[enter_span(attributes(?, %))]
fn nothing() {}

fn main() {}
