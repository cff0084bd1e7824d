//! Exporters that misbehave, and what the application and the other exporters see of it.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use enter_span_pipeline::{Error, Limits, Pipeline, Sampler};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    SamplingDecision, SamplingResult, ShouldSample, SpanData, SpanExporter,
};

use crate::pipeline::{
    AGES, Exporter, assert_all_accounted, build, collecting, finished, gated, in_memory,
    of_any_size, tracer,
};

/// Exporters have this long: those that hang need not be waited for.
fn impatient() -> Limits {
    Limits::default().with_export_timeout(Duration::from_millis(1))
}

/// An exporter that hangs.
#[derive(Debug)]
struct Hangs;

impl SpanExporter for Hangs {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        pending().await
    }
}

fn records(pipeline: &Pipeline, spans: usize) {
    let tracer = tracer(pipeline);
    (0..spans).for_each(|_| tracer.enter_span("work", |_| {}));
}

/// One that hangs costs its own batches; the other one has all of them.
#[test]
fn an_exporter_that_hangs_does_not_starve_another() {
    let works = in_memory();
    let builder = Pipeline::builder().with_limits(impatient());
    let pipeline = build(builder.with_exporter(Hangs).with_exporter(works.clone()));
    for _ in 0..3 {
        records(&pipeline, 1);
        pipeline.flush(AGES).expect("flushed in time");
    }
    assert_eq!(finished(&works).len(), 3);
    let [hangs, works] = pipeline.exporter_counts()[..] else {
        panic!("two exporters");
    };
    assert_eq!((hangs.exported, hangs.timed_out), (0, 3));
    assert_eq!((works.exported, works.timed_out), (3, 0));
    // Not every exporter took them.
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.export_timed_out), (0, 3));
    assert_all_accounted(counts);
}

/// A thread that is blocked is replaced once; then spans are dropped at once; when it comes back, it
/// goes on. The other exporter has all spans all the time.
#[test]
fn an_exporter_that_blocks_its_threads_is_given_up_until_they_come_back() {
    let works = in_memory();
    let (blocks, has_started, open) = gated();
    let builder = Pipeline::builder().with_limits(impatient());
    let pipeline = build(builder.with_exporter(blocks).with_exporter(works.clone()));
    for _ in 0..3 {
        records(&pipeline, 1);
        pipeline.flush(AGES).expect("flushed in time");
    }
    has_started.recv().expect("an export");
    let blocked = pipeline.exporter_counts()[0];
    assert_eq!((blocked.timed_out, blocked.blocked), (2, 1));
    assert_eq!(finished(&works).len(), 3);
    assert_eq!(pipeline.counts().dropped.exporter_blocked, 1);
    assert_all_accounted(pipeline.counts());
    drop(open);
    let end = Instant::now() + AGES;
    while pipeline.exporter_counts()[0].exported == 0 {
        assert!(Instant::now() < end, "{:?}", pipeline.exporter_counts());
        records(&pipeline, 1);
        pipeline.flush(AGES).expect("flushed in time");
    }
    assert_all_accounted(pipeline.counts());
}

/// One that is slow holds no more than its share: what is over is dropped for it alone.
#[test]
fn an_exporter_that_is_slow_is_dropped_for_alone() {
    let (slow, _has_started, open) = gated();
    let (took, taken) = mpsc::channel();
    let fast = Exporter(move |batch: Vec<SpanData>| {
        took.send(batch.len()).ok();
        Ok(())
    });
    let limits = Limits::default().with_queue_spans(400).with_batch_spans(10);
    let builder = Pipeline::builder().with_limits(limits);
    let pipeline = build(builder.with_exporter(slow).with_exporter(fast));
    for _ in 0..100 {
        records(&pipeline, 10);
        let mut waiting = 10;
        while waiting > 0 {
            waiting -= taken.recv_timeout(AGES).expect("the fast exporter's turn");
        }
    }
    let [behind, ahead] = pipeline.exporter_counts()[..] else {
        panic!("two exporters");
    };
    assert!(behind.queued <= 200 && behind.behind >= 800, "{behind:?}");
    assert_eq!(ahead.behind, 0);
    assert_eq!(pipeline.counts().dropped.queue_full, 0);
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    let [behind, ahead] = pipeline.exporter_counts()[..] else {
        panic!("two exporters");
    };
    assert_eq!(ahead.exported, 1_000);
    assert_eq!(behind.exported + behind.behind, 1_000);
    assert_eq!(pipeline.counts().dropped.exporter_behind, behind.behind);
    assert_all_accounted(pipeline.counts());
}

/// Batches are cut before a receiver refuses them; a span that is too large costs itself alone.
#[test]
fn a_span_that_is_refused_as_too_large_costs_itself() {
    let size = |span: &SpanData| {
        let values = span.attributes.iter();
        values.map(|pair| pair.value.as_str().len()).sum::<usize>()
    };
    let refuses = Exporter(move |batch: Vec<SpanData>| {
        if batch.iter().map(size).sum::<usize>() > 4 << 20 {
            Err(OTelSdkError::InternalFailure("too large".to_owned()))
        } else {
            Ok(())
        }
    });
    let builder = Pipeline::builder().with_span_limits(of_any_size());
    let pipeline = build(builder.with_exporter(refuses));
    let tracer = tracer(&pipeline);
    for kib in [512, 512, 512, 512, 512, 5 << 10, 512, 512, 512, 512, 512] {
        tracer.enter_span("work", |span| {
            span.set_attribute("payload", "x".repeat(kib << 10));
        });
    }
    pipeline.flush(AGES).expect("flushed in time");
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.export_failed), (10, 1));
    assert_all_accounted(counts);
}

/// Drops are told once, from another thread; what came later is told at the shutdown.
#[test]
fn drops_are_warned_of_and_not_too_often() {
    let (told, warnings) = mpsc::channel();
    let limits = Limits::default().with_queue_bytes(64 * 1024);
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_span_limits(of_any_size());
    let builder = builder.with_exporter(in_memory());
    let pipeline = build(builder.with_warnings(move |warning| {
        told.send((thread::current().id(), warning.to_owned())).ok();
    }));
    let tracer = tracer(&pipeline);
    for _ in 0..3 {
        tracer.enter_span("large", |span| {
            span.set_attribute("payload", "x".repeat(128 * 1024));
        });
        pipeline.flush(AGES).expect("flushed in time");
    }
    pipeline.shutdown(AGES).expect("down in time");
    let (first, rest): (Vec<_>, Vec<_>) = warnings.iter().unzip();
    assert!(!first.contains(&thread::current().id()));
    let expected = |spans| format!("spans were dropped: {spans} because the queue was full");
    assert_eq!(rest, [expected(1), expected(2)]);
}

/// The application's function for warnings may block: it holds up neither exports nor a flush, and it does
/// not keep the pipeline from ending.
#[test]
fn a_warning_that_blocks_holds_up_no_spans() {
    let fails = Exporter(|_: Vec<SpanData>| Err(OTelSdkError::Timeout(Duration::ZERO)));
    let takes = Exporter(|_: Vec<SpanData>| Ok(()));
    let (entered, has_entered) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let limits = Limits::default().with_interval(Duration::from_millis(1));
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_warnings(move |_| {
        entered.send(()).ok();
        gate.recv().ok();
    });
    let pipeline = build(builder.with_exporter(fails).with_exporter(takes));
    records(&pipeline, 1);
    has_entered.recv().expect("a warning");
    records(&pipeline, 100);
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.exporter_counts()[1].exported, 101);
    records(&pipeline, 10);
    pipeline.shutdown(AGES).expect("down in time");
    assert_eq!(pipeline.exporter_counts()[1].exported, 111);
    drop(open);
}

/// The application's function for warnings may panic.
#[test]
fn a_warning_that_panics_harms_nobody() {
    let fails = Exporter(|_: Vec<SpanData>| Err(OTelSdkError::Timeout(Duration::ZERO)));
    let builder = Pipeline::builder().with_warnings(|_| resume_unwind(Box::new("a warning")));
    let pipeline = build(builder.with_exporter(fails));
    for _ in 0..2 {
        records(&pipeline, 1);
        pipeline.flush(AGES).expect("flushed in time");
    }
    assert_eq!(pipeline.counts().dropped.export_failed, 2);
}

/// On a runtime of one thread, which they block: the exporters' threads are not Tokio's.
#[test]
fn deadlines_are_kept_on_a_current_thread_runtime() {
    let (blocks, has_started, open) = gated();
    let pipeline = build(Pipeline::builder().with_exporter(blocks));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        records(&pipeline, 1);
        let short = Duration::from_millis(1);
        assert!(matches!(pipeline.flush(short), Err(Error::TimedOut(_))));
        has_started.recv().expect("an export");
        assert!(matches!(pipeline.shutdown(short), Err(Error::TimedOut(_))));
        drop(open);
        pipeline.shutdown(AGES).expect("down in time");
    });
    assert_eq!(pipeline.counts().dropped.shutdown_timed_out, 1);
    assert_all_accounted(pipeline.counts());
}

/// Many threads with a span each, and an interval that is never over: the worker comes before the
/// queue is full.
#[test]
fn the_worker_comes_when_all_threads_together_have_filled_half() {
    let (took, taken) = mpsc::channel();
    let tells = Exporter(move |_: Vec<SpanData>| {
        took.send(()).ok();
        Ok(())
    });
    let limits = Limits::default()
        .with_queue_spans(1_024)
        .with_interval(Duration::MAX)
        .with_export_timeout(Duration::MAX);
    let builder = Pipeline::builder().with_limits(limits);
    let pipeline = build(builder.with_exporter(tells));
    let alive = Barrier::new(41);
    thread::scope(|threads| {
        for _ in 0..40 {
            threads.spawn(|| {
                records(&pipeline, 1);
                alive.wait();
            });
        }
        let seen = taken.recv_timeout(AGES);
        alive.wait();
        seen.expect("an export before the queue was full");
    });
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().exported, 40);
}

/// Flushes by many threads are answered together.
#[test]
fn many_threads_may_flush_at_once() {
    let (pipeline, exported) = collecting();
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..50 {
                    records(&pipeline, 1);
                    pipeline.flush(AGES).expect("flushed in time");
                }
            });
        }
    });
    assert_eq!(exported.lock().expect("the list").len(), 400);
    assert_all_accounted(pipeline.counts());
}

/// Flushes that nobody waits for any more do not pile up before an exporter that blocks.
#[test]
fn flushes_do_not_pile_up() {
    let flushes = Arc::new(Mutex::new(0));
    let count = Arc::clone(&flushes);
    #[derive(Debug)]
    struct Counting<E>(E, Arc<Mutex<u32>>);
    impl<E: SpanExporter> SpanExporter for Counting<E> {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.export(batch).await
        }
        fn force_flush(&self) -> OTelSdkResult {
            *self.1.lock().expect("the count") += 1;
            Ok(())
        }
    }
    let (blocks, has_started, open) = gated();
    let pipeline = build(Pipeline::builder().with_exporter(Counting(blocks, count)));
    records(&pipeline, 1);
    for _ in 0..100 {
        let flushed = pipeline.flush(Duration::ZERO);
        assert!(matches!(flushed, Err(Error::TimedOut(_))));
    }
    has_started.recv().expect("an export");
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    assert!(*flushes.lock().expect("the count") <= 3);
}

/// What a sampler wants to be recorded and not exported is counted beside the rest.
#[test]
fn spans_that_are_recorded_only_are_counted() {
    #[derive(Clone, Debug)]
    struct RecordOnly;
    impl ShouldSample for RecordOnly {
        fn should_sample(
            &self,
            _: Option<&opentelemetry::Context>,
            _: opentelemetry::trace::TraceId,
            _: &str,
            _: &opentelemetry::trace::SpanKind,
            _: &[opentelemetry::KeyValue],
            _: &[opentelemetry::trace::Link],
        ) -> SamplingResult {
            SamplingResult {
                decision: SamplingDecision::RecordOnly,
                attributes: Vec::new(),
                trace_state: Default::default(),
            }
        }
    }
    let builder = Pipeline::builder().with_sampler(Sampler::Custom(Box::new(RecordOnly)));
    let pipeline = build(builder.with_exporter(in_memory()));
    records(&pipeline, 3);
    pipeline.flush(AGES).expect("flushed in time");
    let counts = pipeline.counts();
    assert_eq!((counts.record_only, counts.recorded), (3, 0));
}

/// One that takes all spans, and does elsewhere what these say.
struct Elsewhere<R, F, D>(R, F, D);

impl<R, F, D> std::fmt::Debug for Elsewhere<R, F, D> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Elsewhere")
    }
}

impl<R, F, D> SpanExporter for Elsewhere<R, F, D>
where
    R: Fn() + Send + Sync,
    F: Fn() -> OTelSdkResult + Send + Sync,
    D: Fn() -> OTelSdkResult + Send + Sync,
{
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
    fn set_resource(&mut self, _: &Resource) {
        self.0();
    }
    fn force_flush(&self) -> OTelSdkResult {
        self.1()
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.2()
    }
}

fn fails(what: &str) -> OTelSdkResult {
    Err(OTelSdkError::InternalFailure(what.to_owned()))
}

fn panics() -> OTelSdkResult {
    resume_unwind(Box::new("an exporter"))
}

/// What fails, or panics, at a flush or at the shutdown is told as what fails at an export.
#[test]
fn an_exporter_that_fails_at_a_flush_or_at_the_shutdown_is_told() {
    let flushed = |flush: fn() -> OTelSdkResult| {
        let exporter = Elsewhere(|| (), flush, || Ok(()));
        let pipeline = build(Pipeline::builder().with_exporter(exporter));
        records(&pipeline, 1);
        assert_eq!(pipeline.last_export_error(), None);
        pipeline.flush(AGES).expect("flushed in time");
        assert_eq!(pipeline.counts().exported, 1);
        pipeline.last_export_error().expect("an error")
    };
    assert!(flushed(|| fails("no flush")).contains("no flush"));
    assert_eq!(flushed(panics), "the exporter panicked");
    let down = |shut_down: fn() -> OTelSdkResult| {
        let exporter = Elsewhere(|| (), || fails("no flush"), shut_down);
        let pipeline = build(Pipeline::builder().with_exporter(exporter));
        pipeline.shutdown(AGES).expect("down in time");
        pipeline.last_export_error().expect("an error")
    };
    assert!(down(|| Ok(())).contains("no flush"));
    assert!(down(|| fails("no shutdown")).contains("no shutdown"));
    assert_eq!(down(panics), "the exporter panicked");
}

/// Code of the application's that runs on its own thread, where the pipeline is made.
#[test]
fn what_panics_while_a_pipeline_is_made_harms_nobody() {
    let exporter = Elsewhere(|| drop(panics()), || Ok(()), || Ok(()));
    let wrong = |name: &str| (name == "OTEL_TRACES_SAMPLER").then(|| "sometimes".to_owned());
    let builder = Pipeline::builder().with_environment(wrong);
    let builder = builder.with_warnings(|_| resume_unwind(Box::new("a warning")));
    let pipeline = build(builder.with_exporter(exporter));
    let error = pipeline.last_export_error().expect("an error");
    assert_eq!(error, "the exporter panicked at the resource");
    records(&pipeline, 1);
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().exported, 1);
}

/// Nobody has taken them; and it was asked for, so nobody is warned.
#[test]
fn without_an_exporter_spans_count_as_dropped() {
    let (told, warnings) = mpsc::channel();
    let none = |name: &str| (name == "OTEL_TRACES_EXPORTER").then(|| "none".to_owned());
    let builder = Pipeline::builder().with_environment(none);
    let pipeline = build(builder.with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    }));
    records(&pipeline, 3);
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.no_exporter), (0, 3));
    assert_all_accounted(counts);
    drop(pipeline);
    assert_eq!(warnings.iter().count(), 0);
}
