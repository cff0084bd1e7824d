use enter_span::enter_span;

#[enter_span(kind = client, kind = server)]
fn two_kinds() {}

#[enter_span("one", name = "two")]
fn two_names() {}

#[enter_span(name = "one", name = "two")]
fn two_named_names() {}

#[enter_span(attributes(a = 1), attributes(b = 2))]
fn two_lists() {}

#[enter_span(|span|, |other|)]
fn two_handles() {
    span.update_name("late");
}

fn main() {}
