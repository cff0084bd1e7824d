//! A trace as text for snapshots.

use enter_span::testing::{Recorder, Trace};
use enter_span::{Span, Status, enter_span, in_span};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

fn stranger(span: u64) -> SpanContext {
    SpanContext::new(
        TraceId::from(u128::MAX),
        SpanId::from(span),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    )
}

fn run() -> Trace {
    #[enter_span(kind = client)]
    fn call() -> Result<(), std::num::ParseIntError> {
        let span = Span::current();
        let identity = span.span_context();
        let (trace, id) = (identity.trace_id(), identity.span_id());
        span.set_attribute("sent", format!("00-{trace}-{id}-01"));
        span.set_attribute("self", id.to_string());
        span.set_attribute("order", "0000000000000000000000");
        span.add_event("sent", [("to", id.to_string())]);
        "x".parse::<u8>().map(drop)
    }
    Recorder::new().run(|| {
        let first = in_span!("first", |span| {
            let _ = call();
            span.span_context()
        });
        in_span!("second", root, links(first, stranger(8)), |span| {
            span.set_status(Status::Ok);
        });
        in_span!("third", parent = stranger(9), |_| ());
    })
}

/// Ids are numbers from the top to the bottom, those of other places behind them; an id is one
/// wherever it stands, and digits that are none stay.
#[test]
fn ids_are_numbers() {
    let trace = run();
    let kind = trace.find("call").error_type().expect("a type");
    let expected = format!(
        "\
<trace 1> <span 1> first
  <span 2> call [client] sent=00-<trace 1>-<span 2>-01 self=<span 2> order=0000000000000000000000 !ParseIntError
    ! invalid digit found in string
    • sent to=<span 2>
    • exception exception.type={kind} exception.message=\"invalid digit found in string\"
<trace 2> <span 3> second ^<span 1> ^<span 5>
  ok
<trace 3> <span 4> third below <span 6>"
    );
    assert_eq!(trace.redacted(), expected);
}

/// A second run has other ids and other times, and gives the same text.
#[test]
fn each_run_gives_the_same_text() {
    let (one, other) = (run(), run());
    assert_ne!(one.find("call").span_id(), other.find("call").span_id());
    assert_eq!(one.redacted(), other.redacted());
}

/// What is not as it should be stands there too.
#[test]
fn open_and_lost_spans_are_shown() {
    let recorder = Recorder::new();
    let text = recorder.enter(|| enter_span("open", |_| recorder.trace().redacted()));
    assert_eq!(text, "<trace 1> <span 1> open (open)");
    let recorder = Recorder::new();
    enter_span("lost", |_| ());
    assert_eq!(recorder.trace().redacted(), "orphan lost");
}

/// The text of a trace is its tree.
#[test]
fn a_trace_is_displayed_as_its_tree() {
    let trace = run();
    assert_eq!(trace.to_string(), trace.tree());
}
