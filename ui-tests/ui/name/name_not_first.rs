use enter_span::enter_span;

#[enter_span("one", "two")]
fn two() {}

#[enter_span(kind = client, "late")]
fn after_a_named_argument() {}

#[enter_span(|span|, "late")]
fn after_the_handle() {}

fn main() {}
