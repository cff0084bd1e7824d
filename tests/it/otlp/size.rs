//! No request is larger than what receivers take by default.

use enter_span::Tracer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::{Outcome, assert_outcome, to};
use crate::pipeline::otlp::build;
use crate::pipeline::{AGES, of_any_size};
use crate::support::scripted::{Scripted, taken};

pub(super) fn spans_of(body: &[u8]) -> usize {
    let request = ExportTraceServiceRequest::decode(body).expect("a request");
    let resources = request.resource_spans.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

/// What is too large for one request arrives in several, and each span once.
#[test]
fn a_large_batch_arrives_split() {
    let receiver = Scripted::answering(vec![taken()]);
    let builder = to(receiver.url(), &[]).with_span_limits(of_any_size());
    let pipeline = build(builder);
    let tracer = Tracer::new(pipeline.provider(), "it");
    for _ in 0..12 {
        tracer.enter_span("large", |span| {
            span.set_attribute("payload", "x".repeat(1 << 20));
        });
    }
    pipeline.flush(AGES).expect("flushed in time");
    let requests = receiver.requests();
    assert!(requests.len() > 2, "{}", requests.len());
    assert!(requests.iter().all(|request| request.body.len() <= 4 << 20));
    let spans: usize = requests.iter().map(|request| spans_of(&request.body)).sum();
    assert_eq!(spans, 12);
    let outcome = Outcome {
        exported: 12,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
}
