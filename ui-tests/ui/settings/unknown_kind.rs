use enter_span::enter_span;

#[enter_span(kind = "server")]
fn text() {}

#[enter_span(kind = Server)]
fn capital() {}

#[enter_span(kind = sever)]
fn misspelled() {}

#[enter_span(kind = 3)]
fn number() {}

#[enter_span(kind = SpanKind::Server)]
fn path() {}

fn main() {}
