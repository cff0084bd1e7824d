//! Threads of the pipeline that panic, or stop with spans at hand. Nothing from outside makes them, so these tests
//! have switches for it.

#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::mpsc;
use std::time::Duration;

use enter_span::native::{DiagnosticSource as _, Report};
use opentelemetry_sdk::trace::InMemorySpanExporter;

use crate::error::Error;
use crate::export::control::Control;
use crate::export::interference::Interference;
use crate::pipeline::Pipeline;
use crate::stats::counts::Counts;

const AGES: Duration = Duration::from_secs(60);

fn pipeline() -> (Pipeline, InMemorySpanExporter, mpsc::Receiver<String>) {
    let exporter = InMemorySpanExporter::default();
    let (told, warnings) = mpsc::channel();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let builder = builder.with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    });
    (builder.build().expect("a thread"), exporter, warnings)
}

fn record(pipeline: &Pipeline, spans: usize) {
    let tracer = pipeline.tracer("tests");
    (0..spans).for_each(|_| tracer.enter_span("work", |_| {}));
}

fn diagnosis(pipeline: &Pipeline) -> String {
    let mut report = Report::default();
    pipeline.diagnosis.add_findings(&mut report);
    report.to_string()
}

const WORKER: &str = "the pipeline's worker has panicked, which is a fault of `enter-span-pipeline`: no spans are exported any more; drop the pipeline and install another one";

/// All that it had is counted, and all who wait, the application and the diagnosis know.
#[test]
fn a_worker_that_dies_is_seen() {
    let (pipeline, exporter, warnings) = pipeline();
    record(&pipeline, 1);
    pipeline.flush(AGES).expect("flushed in time");
    pipeline.threads.control.of_worker.panic(1);
    record(&pipeline, 3);
    assert!(matches!(pipeline.flush(AGES), Err(Error::Died)));
    let awaited = block_on(pipeline.flush_async(AGES));
    assert!(matches!(awaited, Err(Error::Died)));
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.thread_died), (1, 3));
    assert_eq!((counts.recorded, counts.queued), (4, 0));
    assert_eq!(exporter.get_finished_spans().expect("the spans").len(), 1);
    let drops = "spans were dropped: 3 because a thread of the pipeline has panicked; the last error of an exporter: the pipeline\\'s worker has panicked, which is a fault of `enter-span-pipeline`";
    assert_eq!(warnings.recv().expect("a warning"), WORKER);
    assert_eq!(warnings.recv().expect("a warning"), drops);
    assert!(diagnosis(&pipeline).contains(WORKER));
    record(&pipeline, 1);
    assert!(matches!(pipeline.shutdown(AGES), Err(Error::Died)));
}

/// Without a timer.
fn block_on<F: Future>(future: F) -> F::Output {
    let builder = tokio::runtime::Builder::new_current_thread().build();
    builder.expect("a runtime").block_on(future)
}

const EXPORTER: &str =
    "the exporter's thread has panicked, which is a fault of `enter-span-pipeline`";

/// Its batch is lost, and another thread takes its place.
#[test]
fn an_export_thread_that_dies_is_replaced_and_seen() {
    let (pipeline, exporter, warnings) = pipeline();
    pipeline.threads.control.of_export.panic(1);
    record(&pipeline, 3);
    pipeline.flush(AGES).expect("flushed in time");
    record(&pipeline, 2);
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(exporter.get_finished_spans().expect("the spans").len(), 2);
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.thread_died), (2, 3));
    assert_eq!((counts.recorded, counts.queued), (5, 0));
    let [exporter] = pipeline.exporter_counts()[..] else {
        unreachable!("one exporter");
    };
    assert_eq!((exporter.exported, exporter.thread_died), (2, 3));
    assert_eq!(warnings.recv().expect("a warning"), EXPORTER);
    let deaths = "panics of its thread, which are faults of `enter-span-pipeline`: 1";
    assert!(diagnosis(&pipeline).contains(deaths));
    pipeline.shutdown(AGES).expect("down in time");
}

/// One that dies again and again is not replaced for ever: its spans are dropped, and nobody waits.
#[test]
fn an_exporter_whose_threads_die_is_given_up() {
    let (pipeline, _exporter, warnings) = pipeline();
    pipeline.threads.control.of_export.panic(usize::MAX);
    let (mut recorded, mut told) = (0, Vec::new());
    let last = format!("{EXPORTER}: no spans are exported by this exporter any more");
    while told.last() != Some(&last) {
        record(&pipeline, 1);
        recorded += 1;
        pipeline.flush(AGES).expect("flushed in time");
        told.extend(
            warnings
                .try_iter()
                .filter(|warning| warning.starts_with("the exporter")),
        );
    }
    record(&pipeline, 1);
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().dropped.thread_died, recorded + 1);
    assert_eq!(pipeline.counts().queued, 0);
    assert_eq!(told, [EXPORTER, EXPORTER, &last]);
    pipeline.shutdown(AGES).expect("down in time");
}

/// What a pipeline counts right after a shutdown that is late, while this thread of it had three spans at hand.
fn counts_after_late_shutdown(thread: fn(&Control) -> &Interference) -> Counts {
    let (pipeline, ..) = pipeline();
    let thread = thread(&pipeline.threads.control);
    let is_late = |result| matches!(result, Err(Error::TimedOut(_)));
    thread.stop();
    record(&pipeline, 3);
    assert!(is_late(pipeline.flush(Duration::ZERO)));
    thread.wait_until_it_stands();
    assert!(is_late(pipeline.shutdown(Duration::ZERO)));
    let counts = pipeline.counts();
    thread.release();
    counts
}

/// The spans that the worker is moving when the time of a shutdown is over are counted when it returns.
#[test]
fn a_late_shutdown_waits_for_the_hands_of_the_worker() {
    let counts = counts_after_late_shutdown(|control| &control.of_worker);
    assert_eq!((counts.recorded, counts.queued), (3, 0));
    assert_eq!(counts.dropped.shutdown_timed_out, 3);
}

/// So are those that an exporter has answered for, and that its thread has not counted yet.
#[test]
fn a_late_shutdown_waits_for_the_hands_of_an_exporters_thread() {
    let counts = counts_after_late_shutdown(|control| &control.of_export);
    assert_eq!((counts.recorded, counts.queued), (3, 0));
    assert_eq!(counts.exported, 3);
}
