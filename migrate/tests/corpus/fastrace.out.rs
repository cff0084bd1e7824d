use fastrace::prelude::SpanContext;
use enter_span::enter_span;

#[enter_span]
fn by_path() {}

#[enter_span("by name")]
fn by_name() {}

#[enter_span]
async fn short() {}

#[enter_span]
fn long() {}

#[enter_span("p", attributes("k" = "v", %id, ?body, "both" = format!("{id}/{body:?}"), "braces" = format!("{{}}")))]
fn properties(id: u8, body: Body) {}

#[enter_span(
    attributes(
        "k" = "v",
        // of the order
        "id" = format!("order {}"),
    )
)]
fn lines() {}

#[enter_span::enter_span("q")]
fn qualified() {}
