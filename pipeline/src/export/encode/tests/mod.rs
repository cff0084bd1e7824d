//! Judged by `opentelemetry-proto`: for the same records, the bytes must be those that it makes of the SDK's
//! spans.

mod arbitrary;

use bytes::Bytes;
use enter_span::native::{EndedSpan, Library, Site, SpanSource};
use enter_span::private::Module;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use prost::Message as _;

use super::{EncodedRequest, Encoder, MOST_BYTES};
use crate::host::clock::{Clock, Reading};
use crate::queue::span_list::{SpanList, Stretch};

fn resource() -> Resource {
    let attributes = [
        KeyValue::new("service.name", "größe"),
        KeyValue::new("empty", ""),
        KeyValue::new("process.pid", 42),
    ];
    let builder = Resource::builder_empty();
    builder
        .with_schema_url(attributes, "https://example.com/resource")
        .build()
}

/// What others make of the same records.
fn expected(
    lists: &[SpanList],
    resource: &Resource,
    reading: &Reading,
    text: Option<usize>,
) -> ExportTraceServiceRequest {
    let mut spans = Vec::new();
    for list in lists {
        list.clone().convert(reading, text, &mut spans);
    }
    let resource = ResourceAttributesWithSchema::from(resource);
    ExportTraceServiceRequest {
        resource_spans: group_spans_by_resource_and_scope(spans, &resource),
    }
}

fn encoder(resource: &Resource, limit: usize) -> Encoder {
    let mut encoder = Encoder::new();
    encoder.set_resource(resource);
    encoder.limit = limit;
    encoder
}

/// All spans of these lists.
fn stretches<'a>(
    lists: &'a [SpanList],
    reading: &'a Reading,
) -> impl Iterator<Item = Stretch<'a>> + Clone {
    lists.iter().map(move |list| Stretch {
        list,
        spans: 0..list.len(),
        reading,
    })
}

fn decode(request: &EncodedRequest) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(&*request.bytes).unwrap_or_default()
}

/// All spans in their order, each with its scope and its scope's schema.
fn flat(request: &ExportTraceServiceRequest) -> Vec<(Option<InstrumentationScope>, String, Span)> {
    let all = request.resource_spans.iter();
    let scopes = all.flat_map(|resource| &resource.scope_spans);
    let spans = scopes.flat_map(|scope| {
        let beside = (scope.scope.clone(), scope.schema_url.clone());
        let spans = scope.spans.iter().cloned();
        spans.map(move |span| (beside.0.clone(), beside.1.clone(), span))
    });
    spans.collect()
}

/// So many cases, of which none is written to a file beside the tests if it fails.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    })
}

fn texts() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![Just(None), (0..20_usize).prop_map(Some)]
}

/// The bytes are equal, not only what they decode to: the fields stand in their order, no default is written,
/// and each number takes as few bytes as it can.
#[test]
fn random_records_are_encoded_as_opentelemetry_proto_encodes_them() {
    let (resource, reading) = (resource(), Clock::new().read());
    // One encoder for all, as an exporter has it: nothing of a batch is seen in the next.
    let encoder = std::cell::RefCell::new(encoder(&resource, MOST_BYTES));
    let checked = runner(10_000).run(&(arbitrary::lists(), texts()), |(lists, text)| {
        let lists = lists.0;
        let expected = expected(&lists, &resource, &reading, text);
        let mut encoder = encoder.borrow_mut();
        let requests = encoder.encode(stretches(&lists, &reading), text);
        let spans = lists.iter().map(SpanList::len).sum::<usize>();
        prop_assert_eq!(requests.len(), usize::from(spans > 0));
        for request in &requests {
            prop_assert_eq!(request.spans, spans);
            // What is shown if it fails.
            if request.bytes != expected.encode_to_vec() {
                prop_assert_eq!(&decode(request), &expected);
                prop_assert!(false, "the same content in other bytes");
            }
        }
        Ok(())
    });
    assert_eq!(checked.map_err(|failed| failed.to_string()), Ok(()));
}

/// Cut into requests, all spans are there once and in their order. No request is larger than it may be,
/// unless it has one span alone.
#[test]
fn random_records_are_cut_between_spans() {
    let (resource, reading) = (resource(), Clock::new().read());
    let limits = 150..2000_usize;
    let checked = runner(2_000).run(&(arbitrary::lists(), limits), |(lists, limit)| {
        let lists = lists.0;
        let expected = expected(&lists, &resource, &reading, None);
        let requests = encoder(&resource, limit).encode(stretches(&lists, &reading), None);
        let mut spans = Vec::new();
        for request in &requests {
            let decoded = decode(request);
            prop_assert_eq!(&request.bytes, &decoded.encode_to_vec());
            let own = flat(&decoded);
            prop_assert!(!own.is_empty());
            prop_assert_eq!(own.len(), request.spans);
            prop_assert!(own.len() == 1 || request.bytes.len() <= limit);
            prop_assert_eq!(decoded.resource_spans.len(), 1);
            prop_assert_eq!(
                &decoded.resource_spans[0].resource,
                &expected.resource_spans[0].resource
            );
            prop_assert_eq!(
                &decoded.resource_spans[0].schema_url,
                &expected.resource_spans[0].schema_url
            );
            spans.extend(own);
        }
        prop_assert_eq!(format!("{spans:?}"), format!("{:?}", flat(&expected)));
        let whole = expected.encoded_len();
        // Lengths are counted as if they took all the bytes that they can.
        if !spans.is_empty() && whole + super::request::FRAMES <= limit {
            prop_assert_eq!(requests.len(), 1);
        }
        Ok(())
    });
    assert_eq!(checked.map_err(|failed| failed.to_string()), Ok(()));
}

/// A span with a text of so many bytes.
fn large(bytes: usize) -> (EndedSpan, Vec<KeyValue>) {
    let mut span = EndedSpan::default();
    span.parentage.trace_id = TraceId::from(7);
    span.parentage.span_id = SpanId::from(bytes as u64);
    (span, vec![KeyValue::new("text", "x".repeat(bytes))])
}

fn list(all: impl IntoIterator<Item = (EndedSpan, Vec<KeyValue>)>) -> SpanList {
    let mut list = SpanList::default();
    for (mut span, mut attributes) in all {
        list.push(&mut span, &mut attributes);
    }
    list
}

#[test]
fn a_batch_of_many_mebibytes_becomes_requests_that_a_receiver_takes() {
    const MIB: usize = 1 << 20;
    let sizes = [MIB, MIB, 5 * MIB, MIB, MIB, MIB, 2 * MIB, 0];
    let lists = [list(sizes.map(large))];
    let (resource, reading) = (resource(), Clock::new().read());
    let mut encoder = encoder(&resource, MOST_BYTES);
    let requests = encoder.encode(stretches(&lists, &reading), None);
    let spans: Vec<usize> = requests.iter().map(|request| request.spans).collect();
    // From the back: 2 and 1 MiB, with the span of none; twice 1; what is too large, alone; and the rest.
    assert_eq!(spans, [2, 1, 2, 3]);
    let fits: Vec<bool> = requests
        .iter()
        .map(|request| request.bytes.len() <= 4 * MIB)
        .collect();
    assert_eq!(fits, [true, false, true, true]);
    let decoded: Vec<_> = requests
        .iter()
        .map(decode)
        .flat_map(|one| flat(&one))
        .collect();
    let expected = expected(&lists, &resource, &reading, None);
    assert!(decoded == flat(&expected), "other spans");
}

/// The buffer is written again only when nobody sees it any more.
#[test]
fn a_buffer_is_used_again_when_its_requests_are_gone() {
    let lists = [list([large(100), large(200)])];
    let reading = Clock::new().read();
    let mut encoder = Encoder::new();
    let mut encode = || -> Bytes {
        let mut requests = encoder.encode(stretches(&lists, &reading), None);
        requests.remove(0).bytes
    };
    let first = encode();
    let content = first.to_vec();
    let address = first.as_ptr();
    let second = encode();
    assert_ne!(second.as_ptr(), address);
    assert_eq!(first, content);
    drop(second);
    let third = encode();
    drop((first, third.clone()));
    let address = third.as_ptr();
    drop(third);
    assert_eq!(encode().as_ptr(), address);
}

/// One large batch does not hold its memory for ever.
#[test]
fn a_buffer_that_is_far_too_large_is_not_kept() {
    let reading = Clock::new().read();
    let mut encoder = Encoder::new();
    let (large, small) = ([list([large(8 << 20)])], [list([large(100)])]);
    drop(encoder.encode(stretches(&large, &reading), None));
    assert!(encoder.buffer.len() > 8 << 20);
    drop(encoder.encode(stretches(&small, &reading), None));
    assert!(encoder.buffer.is_empty());
}

/// More sites than are remembered, twice over: who shares a place is encoded anew.
#[test]
fn sites_beyond_what_is_remembered_are_encoded_too() {
    let library = Library::of(Some("lib"), None, "");
    let module: &'static Module = Box::leak(Box::new(Module::new(library, "src/lib.rs", None)));
    let sites = (0..3000_usize).map(|index| -> &'static Site {
        let path: &'static str = Box::leak(format!("lib::function_{index}").into_boxed_str());
        Box::leak(Box::new(Site::new(path, 3, module)))
    });
    let sites: Vec<_> = sites.collect();
    let spans = sites.iter().chain(&sites).map(|site| {
        let span = EndedSpan {
            code: 3,
            source: SpanSource::Site(site),
            ..EndedSpan::default()
        };
        (span, Vec::new())
    });
    let lists = [list(spans)];
    let (resource, reading) = (resource(), Clock::new().read());
    let expected = expected(&lists, &resource, &reading, None);
    let requests = encoder(&resource, MOST_BYTES).encode(stretches(&lists, &reading), None);
    assert_eq!(requests.len(), 1);
    assert!(requests[0].bytes == expected.encode_to_vec(), "other bytes");
}
