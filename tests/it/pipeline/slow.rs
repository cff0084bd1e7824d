//! Exporters of different speeds share what is recorded, and a shutdown does not wait for the slow one longer
//! than it may.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use enter_span_pipeline::{Error, Limits, Pipeline};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;

use crate::pipeline::{AGES, Exporter, assert_all_accounted, build, gated, tracer};

type Batches = Arc<Mutex<Vec<Vec<usize>>>>;

/// The numbers by which the spans of a test are named.
fn numbers(batch: &[SpanData]) -> Vec<usize> {
    let numbers = batch.iter().map(|span| span.name.parse());
    numbers.map(|number| number.expect("a number")).collect()
}

/// Remembers its batches, and refuses the one that has this span.
fn take(batches: &Batches, batch: &[SpanData], refused: usize) -> OTelSdkResult {
    let numbers = numbers(batch);
    let is_refused = numbers.contains(&refused);
    batches.lock().expect("the list").push(numbers);
    if is_refused {
        Err(OTelSdkError::InternalFailure("refused".to_owned()))
    } else {
        Ok(())
    }
}

/// Two exporters, of which the first does not begin before the gate is dropped. Records 70 spans, by seven,
/// each time when the second one has those before.
fn run(refused_by_slow: usize, refused_by_fast: usize) -> (Pipeline, [Batches; 2]) {
    let batches = [Batches::default(), Batches::default()];
    let (open, gate) = mpsc::channel::<()>();
    let (gate, own) = (Mutex::new(gate), Arc::clone(&batches[0]));
    let slow = Exporter(move |batch: Vec<SpanData>| {
        gate.lock().expect("the gate").recv().ok();
        take(&own, &batch, refused_by_slow)
    });
    let ((took, taken), own) = (mpsc::channel(), Arc::clone(&batches[1]));
    let fast = Exporter(move |batch: Vec<SpanData>| {
        took.send(batch.len()).ok();
        take(&own, &batch, refused_by_fast)
    });
    let limits = Limits::default()
        .with_batch_spans(10)
        .with_interval(Duration::ZERO);
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_exporter(slow).with_exporter(fast);
    let pipeline = build(builder.with_warnings(|_| {}));
    let tracer = tracer(&pipeline);
    for round in 0..10 {
        for number in 0..7 {
            tracer.enter_span((round * 7 + number).to_string(), |_| {});
        }
        let mut waiting = 7;
        while waiting > 0 {
            waiting -= taken.recv_timeout(AGES).expect("the fast exporter's turn");
        }
    }
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    (pipeline, batches)
}

/// Waits until so many spans have come to the exporter.
#[track_caller]
fn wait_until_queued(pipeline: &Pipeline, spans: u64) {
    let end = Instant::now() + AGES;
    while pipeline.exporter_counts()[0].queued < spans {
        assert!(Instant::now() < end, "{:?}", pipeline.exporter_counts());
        thread::yield_now();
    }
}

fn taken(batches: &Batches) -> Vec<Vec<usize>> {
    batches.lock().expect("the list").clone()
}

/// What waits while an exporter is busy is joined to full batches, in its order, each span once. The exporter
/// beside it gets the same spans as they come.
#[test]
fn a_slow_exporter_gets_full_batches() {
    let (pipeline, [slow, fast]) = run(usize::MAX, usize::MAX);
    let all: Vec<usize> = (0..70).collect();
    assert_eq!(taken(&slow).concat(), all);
    assert_eq!(taken(&fast).concat(), all);
    let [_, joined @ .., _] = &taken(&slow)[..] else {
        panic!("some batches: {:?}", taken(&slow));
    };
    assert!(joined.len() >= 5, "{joined:?}");
    assert!(joined.iter().all(|batch| batch.len() == 10), "{joined:?}");
    assert_eq!(pipeline.counts().exported, 70);
    assert_all_accounted(pipeline.counts());
}

/// Each exporter refuses a batch, and they cut them differently: a span is dropped if it was in one of both.
#[test]
fn spans_that_one_of_two_exporters_refused_are_counted_once() {
    let (pipeline, both) = run(33, 36);
    let mut refused = BTreeMap::new();
    for (batches, number) in both.iter().zip([33, 36]) {
        let batches = taken(batches).into_iter();
        let batch = batches.filter(|batch| batch.contains(&number)).flatten();
        refused.extend(batch.map(|number| (number, ())));
    }
    let counts = pipeline.counts();
    assert_eq!(counts.dropped.export_failed, refused.len() as u64);
    assert_eq!(counts.exported, 70 - refused.len() as u64);
    assert_all_accounted(counts);
}

/// What is not exported when the time of a shutdown is over is counted and told, also while the exporter still
/// blocks.
#[test]
fn a_shutdown_that_times_out_counts_and_warns() {
    let (told, warnings) = mpsc::channel();
    let (blocks, has_started, open) = gated();
    let limits = Limits::default().with_batch_spans(1);
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_exporter(blocks);
    let pipeline = build(builder.with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    }));
    (0..3).for_each(|_| tracer(&pipeline).enter_span("work", |_| {}));
    has_started.recv().expect("an export");
    wait_until_queued(&pipeline, 3);
    let short = Duration::from_millis(1);
    assert!(matches!(pipeline.shutdown(short), Err(Error::TimedOut(time)) if time == short));
    assert_eq!(pipeline.counts().dropped.shutdown_timed_out, 3);
    assert_eq!(pipeline.exporter_counts()[0].shutdown_timed_out, 3);
    assert_all_accounted(pipeline.counts());
    let warning = "spans were dropped: 3 because the time of the shutdown was over";
    assert_eq!(warnings.recv().as_deref(), Ok(warning));
    drop(open);
    drop(pipeline);
    assert_eq!(warnings.iter().count(), 0);
}

/// A shutdown waits for the export that is under way, and sends the rest in full batches.
#[test]
fn a_shutdown_needs_few_exports() {
    let batches = Batches::default();
    let (started, has_started) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let (gate, own) = (Mutex::new(gate), Arc::clone(&batches));
    let slow = Exporter(move |batch: Vec<SpanData>| {
        started.send(()).ok();
        gate.lock().expect("the gate").recv().ok();
        take(&own, &batch, usize::MAX)
    });
    let limits = Limits::default()
        .with_batch_spans(100)
        .with_interval(Duration::ZERO);
    let builder = Pipeline::builder().with_limits(limits);
    let pipeline = build(builder.with_exporter(slow));
    let tracer = tracer(&pipeline);
    tracer.enter_span("0", |_| {});
    has_started.recv().expect("an export");
    for number in 1..=100 {
        tracer.enter_span(number.to_string(), |_| {});
        // The worker takes each by itself.
        wait_until_queued(&pipeline, number + 1);
    }
    drop(open);
    pipeline.shutdown(AGES).expect("down in time");
    let lengths: Vec<usize> = taken(&batches).iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 100]);
}
