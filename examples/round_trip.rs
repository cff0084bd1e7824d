//! Exports one trace with all that a span of OTLP can have, to the receiver that
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names: `cargo run --example round_trip`.
//!
//! The trace is that of `TRACEPARENT` and `TRACESTATE`. `scripts/phoenix.sh` compares what receivers of
//! other makers read with `scripts/round_trip.py`, which lists the same spans.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use enter_span::otel::opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use enter_span::otel::opentelemetry::{Context, KeyValue};
use enter_span::propagation::{Variables, extract};
use enter_span::{Span, Status, enter_span};
use enter_span_pipeline::Pipeline;

#[derive(Debug)]
struct Declined;

impl fmt::Display for Declined {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the card was declined: 余额不足")
    }
}

impl Error for Declined {}

/// A type for each value, and values that a careless reader takes for one another.
#[enter_span(kind = server, parent = extract(&Variables::of_process()), attributes(
    value.text = "Käse & Söhne",
    value.text_of_a_number = "1",
    value.empty = "",
    value.yes = true,
    value.no = false,
    value.whole = 1,
    value.least = i64::MIN,
    value.most = i64::MAX,
    value.fraction = 0.1,
    value.whole_fraction = 1.0,
    value.texts = ["EUR", ""],
    value.truths = [true, false],
    value.wholes = [1, 0, -1],
    value.fractions = [1.0, -2.5],
))]
fn values() {
    Span::current().set_status(Status::Ok);
    events();
    links();
    for index in 0..2 {
        same(index);
    }
    let _ = fails();
}

#[enter_span(|span|, kind = producer)]
fn events() {
    span.add_event("empty", ());
    span.add_event(
        "full",
        (
            ("text", "größer"),
            ("yes", true),
            ("whole", 1),
            ("whole_fraction", 1.0),
            ("wholes", [1, 2]),
        ),
    );
    span.add_event("full", [("text", "the second one of this name")]);
}

/// With attributes and `tracestate`, and with neither.
#[enter_span(|span|, kind = consumer)]
fn links() {
    let attributes = vec![
        KeyValue::new("text", "other"),
        KeyValue::new("yes", true),
        KeyValue::new("whole", 1),
        KeyValue::new("whole_fraction", 1.0),
    ];
    // The API of `enter_span` links without attributes.
    let context = Context::current();
    context
        .span()
        .add_link(linked(2, "vendor=a:b,other=1"), attributes);
    span.add_link(linked(3, ""));
}

/// A span of another trace: each half of its ids repeats this byte.
fn linked(byte: u8, state: &str) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes([byte; 16]),
        SpanId::from_bytes([byte; 8]),
        TraceFlags::SAMPLED,
        true,
        state.parse::<TraceState>().unwrap_or_default(),
    )
}

/// Twice, and without a status.
#[enter_span(attributes(index))]
fn same(index: u32) {}

#[enter_span(kind = client)]
fn fails() -> Result<(), Declined> {
    Err(Declined)
}

fn main() -> Result<(), Box<dyn Error>> {
    let pipeline = Pipeline::builder().with_otlp().install()?;
    values();
    pipeline.shutdown(Duration::from_secs(30))?;
    if let Some(error) = pipeline.last_export_error() {
        return Err(format!("{error}: {:?}", pipeline.counts()).into());
    }
    Ok(())
}
