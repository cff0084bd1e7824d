//! A receiver that is away for a while, on a real socket: what waits meanwhile, and what arrives.

use std::io::Write as _;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use enter_span::Tracer;
use enter_span_pipeline::{Error, Limits, Pipeline};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::size::spans_of;
use super::{Outcome, assert_outcome, to};
use crate::pipeline::otlp::{build, record};
use crate::pipeline::{AGES, of_any_size};
use crate::support::scripted::{Request, Scripted, Then, answer, taken};

fn limits() -> Limits {
    Limits::default()
        .with_batch_spans(10)
        .with_interval(Duration::ZERO)
}

fn busy(pause: &str) -> Vec<u8> {
    let header = format!("retry-after: {pause}\r\n");
    answer("503 Service Unavailable", &header, b"")
}

/// Waits until the exporter has this in its queue, or has dropped it.
#[track_caller]
fn wait_until_offered(pipeline: &Pipeline, spans: u64) {
    let end = Instant::now() + AGES;
    let offered = || {
        let counts = pipeline.exporter_counts()[0];
        counts.exported + counts.queued + counts.evicted
    };
    while offered() < spans {
        assert!(Instant::now() < end, "{:?}", pipeline.exporter_counts());
        thread::yield_now();
    }
}

/// Waits until a request has failed, and is to be sent again.
fn wait_for_retry(pipeline: &Pipeline) {
    let end = Instant::now() + AGES;
    while pipeline.counts().retried == 0 {
        assert!(Instant::now() < end, "{:?}", pipeline.counts());
        thread::yield_now();
    }
}

/// The numbers by which the spans are named, in the order of the requests.
pub(super) fn numbers(requests: &[Request]) -> Vec<u64> {
    let mut numbers = Vec::new();
    for Request { body, .. } in requests {
        let request = ExportTraceServiceRequest::decode(&**body).expect("a request");
        let resources = request.resource_spans.iter();
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        let spans = scopes.flat_map(|scope| &scope.spans);
        numbers.extend(spans.map(|span| span.name.parse::<u64>().expect("a number")));
    }
    numbers
}

/// What failed is sent again, and then all that waits, in full batches: an outage costs nothing.
#[test]
fn an_outage_loses_nothing() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let receiver = Scripted::start(move |number, stream| {
        if number == 0 {
            gate.lock().expect("the gate").recv().ok();
        }
        let answer = if number < 3 { busy("0") } else { taken() };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let pipeline = build(to(receiver.url(), &[]).with_limits(limits()));
    record(&pipeline, 1);
    let mut requests = Vec::new();
    let end = Instant::now() + AGES;
    while requests.is_empty() {
        assert!(Instant::now() < end);
        requests = receiver.requests();
    }
    record(&pipeline, 500);
    wait_until_offered(&pipeline, 501);
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    let outcome = Outcome {
        exported: 501,
        retried: 3,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    requests.extend(receiver.requests());
    let lengths = requests.iter().map(|request| spans_of(&request.body));
    let expected = [1; 4].into_iter().chain([10; 50]);
    assert_eq!(lengths.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// A receiver that names a pause gets nothing before it is over, and nobody waits for that longer than he
/// wants. If the room is needed, the oldest spans go. At the shutdown the others are tried once more.
#[test]
fn the_oldest_go_first_while_a_receiver_is_away() {
    let receiver = Scripted::answering(vec![busy("3600"), taken()]);
    let limits = limits().with_queue_spans(80);
    let pipeline = build(to(receiver.url(), &[]).with_limits(limits));
    let tracer = Tracer::new(pipeline.provider(), "it");
    tracer.enter_span("0", |_| {});
    wait_for_retry(&pipeline);
    for number in 1..200 {
        tracer.enter_span(number.to_string(), |_| {});
        wait_until_offered(&pipeline, number + 1);
    }
    let flushed = pipeline.flush(Duration::from_millis(1));
    assert!(matches!(flushed, Err(Error::TimedOut(_))));
    assert_eq!(receiver.requests().len(), 1);
    // Three quarters of the queue.
    assert_eq!(pipeline.counts().queued, 60);
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.evicted), (60, 140));
    assert_eq!(counts.recorded, counts.exported + counts.dropped.total());
    assert_eq!(pipeline.exporter_counts()[0].evicted, 140);
    let expected: Vec<u64> = (140..200).collect();
    assert_eq!(numbers(&receiver.requests()), expected);
}

/// If one of several requests of a batch fails, those before it are not sent again.
#[test]
fn what_was_taken_is_not_sent_again() {
    let receiver = Scripted::answering(vec![taken(), busy("0"), taken()]);
    let limits = Limits::default().with_batch_bytes(32 << 20);
    let builder = to(receiver.url(), &[]).with_limits(limits);
    let pipeline = build(builder.with_span_limits(of_any_size()));
    let tracer = Tracer::new(pipeline.provider(), "it");
    for _ in 0..3 {
        tracer.enter_span("large", |span| {
            span.set_attribute("payload", "x".repeat(3 << 20));
        });
    }
    pipeline.flush(AGES).expect("flushed in time");
    let outcome = Outcome {
        exported: 3,
        retried: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[1].body == requests[2].body && requests[0].body != requests[1].body);
}

/// A batch is given up when its time is over, and the next one has a time of its own.
#[test]
fn a_receiver_that_stays_away_costs_what_is_too_old() {
    let receiver = Scripted::answering(vec![busy("0")]);
    let limits = limits().with_retry_time(Duration::from_millis(20));
    let pipeline = build(to(receiver.url(), &[]).with_limits(limits));
    record(&pipeline, 25);
    pipeline.flush(AGES).expect("flushed in time");
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.export_failed), (0, 25));
    assert_eq!(counts.recorded, counts.exported + counts.dropped.total());
    assert!(counts.given_up >= 3, "{counts:?}");
}

/// Where nothing was exported yet, the application learns why, once, and while the spans wait.
#[test]
fn a_receiver_that_was_never_there_is_told_once() {
    let (told, warnings) = mpsc::channel();
    let receiver = Scripted::answering(vec![busy("0"), busy("0"), taken()]);
    let builder = to(receiver.url(), &[]).with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    });
    let pipeline = build(builder.with_limits(limits()));
    record(&pipeline, 1);
    let warning = warnings.recv().expect("a warning");
    let place = format!("{}/v1/traces: ", receiver.url());
    assert!(
        warning.starts_with("nothing is exported yet to otlp http/protobuf "),
        "{warning}"
    );
    assert!(
        warning.contains(&place) && warning.contains("503"),
        "{warning}"
    );
    assert!(
        warning.ends_with("; spans wait and are sent again"),
        "{warning}"
    );
    pipeline.flush(AGES).expect("flushed in time");
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.retried), (1, 2));
    drop(pipeline);
    assert_eq!(warnings.iter().collect::<Vec<_>>(), [""; 0]);
}
