//! Exporters of both kinds beside each other: OTLP is encoded from the records, and says the same.

use enter_span::{Tracer, enter_span};
use enter_span_pipeline::{Limits, Pipeline};
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use rstest::rstest;

use crate::pipeline::otlp::{build, exporting};
use crate::pipeline::{AGES, finished, in_memory, tracer};
use crate::support::receiver::{Answer, Receiver, Transport};

#[enter_span(attributes(size))]
fn work(size: i64) -> Result<i64, std::fmt::Error> {
    if size > 1 {
        Err(std::fmt::Error)
    } else {
        Ok(size)
    }
}

/// Spans with a place in source, with a name that is made at run time, and of other instrumentation.
fn record_spans_of_all_kinds(pipeline: &Pipeline) {
    tracer(pipeline).enter_span("größe", |_| {
        // What they return is not what is tested.
        let _ = (work(1), work(2));
    });
    let made_at_run_time = format!("library {}", 1);
    Tracer::new(pipeline.provider(), made_at_run_time).enter_span("", |_| {});
    let scope = InstrumentationScope::builder("other")
        .with_schema_url("https://example.com/scope")
        .with_attributes([KeyValue::new("of", "the scope")])
        .build();
    let other = pipeline.provider().tracer_with_scope(scope);
    let state: TraceState = "vendor=x".parse().expect("a trace state");
    let (trace_id, flags) = (TraceId::from(7), TraceFlags::new(3));
    let linked = SpanContext::new(trace_id, SpanId::from(8), flags, true, state);
    let mut span = other
        .span_builder("sent")
        .with_kind(SpanKind::Producer)
        .with_attributes([KeyValue::new(
            "list",
            Value::Array(Array::String(vec!["".into(), "é".into()])),
        )])
        .with_links(vec![Link::new(linked, vec![KeyValue::new("a", 0)], 0)])
        .start(&other);
    span.add_event("event", vec![KeyValue::new("b", 0.5)]);
    span.set_status(Status::error("größe"));
    span.end();
    tracer(pipeline).enter_span("last", |_| {});
}

/// Whatever kind an exporter is of, and wherever it stands, it gets the same spans with the same times.
#[rstest]
fn every_exporter_gets_the_same(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let receiver = Receiver::start(transport, Answer::Taken);
    let (first, second) = (in_memory(), in_memory());
    let builder = exporting(&receiver, &[])
        .with_exporter(first.clone())
        .with_otlp()
        .with_exporter(second.clone())
        .with_limits(Limits::default().with_interval(AGES));
    let pipeline = build(builder);
    record_spans_of_all_kinds(&pipeline);
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&first);
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["work", "work", "größe", "", "sent", "last"]);
    assert_eq!(spans, finished(&second));
    let resource = ResourceAttributesWithSchema::from(pipeline.resource());
    let expected = group_spans_by_resource_and_scope(spans, &resource);
    assert_eq!(
        receiver.next().request.resource_spans[0].scope_spans,
        expected[0].scope_spans
    );
    assert_eq!(pipeline.counts().exported, 6);
}
