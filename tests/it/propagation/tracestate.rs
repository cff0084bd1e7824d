//! A `tracestate` that is long: spans carry a part of it, and the next process gets all.

use std::collections::HashMap;

use enter_span::propagation::{Remote, extract};
use enter_span::{enter_span, in_span, inject};
use enter_span_pipeline::{Pipeline, Sampler};
use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample, SpanData};
use rstest::rstest;

use super::PARENT;
use crate::pipeline::{AGES, build, finished, in_memory, tracer};
use crate::support::allocations;
use crate::support::child::is_child;

/// A member of so many bytes.
fn member(number: usize, bytes: usize) -> String {
    let key = format!("m{number:02}");
    let value = "v".repeat(bytes - key.len() - 1);
    format!("{key}={value}")
}

/// So many members of so many bytes each.
fn members(count: usize, bytes: usize) -> String {
    let all: Vec<String> = (0..count).map(|number| member(number, bytes)).collect();
    all.join(",")
}

/// The largest that is read: each member of a key and a value of 256 bytes.
fn largest() -> String {
    let member = |number| format!("{number:0>256}={}", "v".repeat(256));
    let all: Vec<String> = (0..32).map(member).collect();
    all.join(",")
}

fn caller(tracestate: &str) -> Remote {
    extract(&[("traceparent", PARENT), ("tracestate", tracestate)])
}

fn sent() -> Option<String> {
    let mut headers = HashMap::<String, String>::new();
    inject(&mut headers);
    headers.remove("tracestate")
}

/// What spans below it say, and what they send on.
fn below(caller: &Remote) -> (Vec<SpanData>, Option<String>) {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    let sent = in_span!("serve", tracer = tracer, parent = caller, || {
        enter_span("call", |_| sent())
    });
    pipeline.flush(AGES).expect("flushed in time");
    (finished(&exporter), sent)
}

/// W3C Trace Context, level 2, 3.3.1.5: at least 512 characters are kept, whole members; those of more
/// than 128 go first, and then those at the end. What goes on is all of it.
#[rstest]
#[case(&members(4, 127), &members(4, 127))]
#[case(&members(5, 127), &members(4, 127))]
// Exactly 512, and one more.
#[case(&format!("{},{}", members(3, 127), member(9, 128)), &format!("{},{}", members(3, 127), member(9, 128)))]
#[case(&format!("{},{}", members(3, 127), member(9, 129)), &members(3, 127))]
// The one that is large goes, though it stands first.
#[case(&format!("{},{}", member(9, 250), members(4, 100)), &members(4, 100))]
// Of two that are large, the last; then there is room.
#[case(&format!("{},{},a=1", member(8, 258), member(9, 258)), &format!("{},a=1", member(8, 258)))]
#[case(&largest(), "")]
fn spans_carry_a_part(#[case] came: &str, #[case] carried: &str) {
    let (spans, sent) = below(&caller(came));
    assert_eq!(spans.len(), 2);
    for span in &spans {
        assert_eq!(span.span_context.trace_state().header(), carried);
    }
    assert_eq!(sent.as_deref(), Some(came));
}

/// White space and keys of level 2, which OpenTelemetry's type does not keep, count for nothing.
#[test]
fn what_spans_cannot_carry_takes_no_room() {
    let came = format!("a@@b={} , {}", "v".repeat(200), members(4, 127));
    let (spans, sent) = below(&caller(&came));
    let carried = spans[0].span_context.trace_state().header();
    assert_eq!(carried, members(4, 127));
    assert_eq!(sent, Some(came));
}

/// What a stranger sends does not decide what our spans cost.
#[test]
fn a_child_costs_no_more_below_a_long_one() {
    if !is_child("propagation::tracestate::a_child_costs_no_more_below_a_long_one") {
        return;
    }
    let pipeline = build(Pipeline::builder().with_exporter(in_memory()));
    let tracer = tracer(&pipeline);
    let allocated = |came: &str| {
        in_span!("serve", tracer = tracer, parent = caller(came), || {
            let children = || (0..100).for_each(|_| enter_span("child", |_| {}));
            // Lists are made in the first round, and come back with the flush.
            children();
            pipeline.flush(AGES).expect("flushed in time");
            allocations::count(children)
        })
    };
    let short = allocated(&members(4, 127));
    let long = format!("{},{}", members(4, 127), &largest()[..27 * 514 - 1]);
    assert!(long.len() > 14_000);
    assert!(
        allocated(&long) <= short,
        "{} and {short}",
        allocated(&long)
    );
    assert!(allocated(&largest()) <= short);
}

/// A link has an identity too.
#[test]
fn links_carry_a_part() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    in_span!("work", tracer = tracer, links(caller(&largest())), |_| ());
    pipeline.flush(AGES).expect("flushed in time");
    let state = finished(&exporter)[0].links[0]
        .span_context
        .trace_state()
        .header();
    assert_eq!(state, "");
}

/// Puts a member into the state, and changes one that spans do not carry.
#[derive(Clone, Debug)]
struct Changes;

impl ShouldSample for Changes {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let state = parent.map(|parent| parent.span().span_context().trace_state().clone());
        let state = state.unwrap_or(TraceState::NONE);
        let state = match state.get("new") {
            None => state.insert("new", "1").expect("a valid member"),
            Some(_) => state.insert("m30", "changed").expect("a valid member"),
        };
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: state,
        }
    }
}

/// What a sampler says stands first, once, and the rest keeps its order, carried or not.
#[test]
fn what_is_changed_stands_before_all_of_the_rest() {
    let builder = Pipeline::builder().with_sampler(Sampler::Custom(Box::new(Changes)));
    let pipeline = build(builder.with_exporter(in_memory()));
    let tracer = tracer(&pipeline);
    let came = members(31, 100);
    in_span!("serve", tracer = tracer, parent = caller(&came), || {
        assert_eq!(sent(), Some(format!("new=1,{came}")));
        enter_span("call", |_| {
            let rest = members(30, 100);
            assert_eq!(sent(), Some(format!("m30=changed,new=1,{rest}")));
        });
    });
}
