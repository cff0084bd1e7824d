//! Invocations: what a run of messages looks like, linked and continuous.

mod baggage;
mod batch;
mod display;
mod format;
mod mode;
mod next;
mod run;
mod sampling;
mod steps;
mod topology;

use enter_span::invocation::{Carrier, Invocation, Message, TraceMode};
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{enter_span, in_span};

use crate::propagation::{PARENT, TRACE};

pub(crate) const ORIGIN_SPAN: &str = "b7ad6b7169203331";

/// As a platform hands over what the run began with: a map of headers.
fn origin() -> Carrier {
    Carrier::from_iter([("traceparent", PARENT)])
}

/// A message whose delivery is whatever is current.
fn delivered(origin: Carrier) -> Message {
    Message::new(Carrier::default(), origin)
}

/// An invocation inside of a span that delivers it, with a span of its own work.
fn invoked(invocation: &Invocation) -> Trace {
    Recorder::new().run(|| enter_span("queue delivery", |_| execute(invocation)))
}

#[enter_span("workflow.execute", invocation = invocation)]
fn execute(invocation: &Invocation) {
    in_span!("step", || {});
}

fn linked(message: &Message) -> Invocation {
    Invocation::of(message).with_mode(TraceMode::Linked)
}

fn continuous(message: &Message) -> Invocation {
    Invocation::of(message).with_mode(TraceMode::Continuous)
}

/// What a span is linked to, as `trace-span`.
fn links(span: &RecordedSpan) -> Vec<String> {
    let id = |link: &enter_span::SpanContext| format!("{}-{}", link.trace_id(), link.span_id());
    span.links().iter().map(id).collect()
}

fn id_of(span: &RecordedSpan) -> String {
    let span = span.span_context();
    format!("{}-{}", span.trace_id(), span.span_id())
}

fn id_of_origin() -> String {
    format!("{TRACE}-{ORIGIN_SPAN}")
}

/// What an invocation says of itself: its mode, and whether an origin came.
#[track_caller]
fn assert_says(span: &RecordedSpan, mode: &str, is_propagated: bool) {
    assert_eq!(span.kind(), "consumer");
    assert_eq!(span.attribute("enter_span.trace.mode"), Some(mode.into()));
    let propagated = span.attribute("enter_span.trace.propagated");
    assert_eq!(propagated, Some(is_propagated.into()));
}
