use enter_span::enter_span;

#[enter_span(attributes(rows = count().await))]
async fn in_an_attribute() {}

#[enter_span(when = count().await > 3)]
async fn in_a_condition() {}

#[enter_span(links(linked().await))]
async fn in_a_link() {}

#[enter_span(attributes(rows = format!("{}", count().await)))]
async fn in_a_macro() {}

async fn count() -> u32 {
    3
}

async fn linked() -> enter_span::SpanContext {
    enter_span::Span::current().span_context()
}

fn main() {}
