//! The pipeline: nothing is lost without being counted, and nobody waits for an exporter.

mod awaited;
mod diagnose;
mod endpoint;
mod environment;
mod exit;
mod faults;
mod forked;
mod idle;
mod metrics;
mod muting;
mod native;
pub(crate) mod otlp;
mod provider;
mod reliability;
mod side_by_side;
mod slow;
#[cfg(unix)]
mod terminated;

use std::cell::RefCell;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use enter_span::{Tracer, enter_span, start_span};
use enter_span_pipeline::{Counts, Error, Limits, Pipeline, PipelineBuilder, Sampler, SpanLimits};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanId, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, InMemorySpanExporterBuilder, SpanData, SpanExporter,
};

use crate::support::child::{is_child, is_child_with};

/// Long enough for every machine; nothing waits for it but what hangs.
pub(crate) const AGES: Duration = Duration::from_secs(60);

pub(crate) fn in_memory() -> InMemorySpanExporter {
    InMemorySpanExporterBuilder::new().build()
}

pub(crate) fn tracer(pipeline: &Pipeline) -> Tracer {
    pipeline.tracer("it")
}

pub(crate) fn finished(exporter: &InMemorySpanExporter) -> Vec<SpanData> {
    exporter.get_finished_spans().expect("the exported spans")
}

/// What must hold at every quiet moment.
#[track_caller]
pub(crate) fn assert_all_accounted(counts: Counts) {
    assert_eq!(
        counts.recorded,
        counts.exported + counts.dropped.total() + counts.not_kept + counts.undecided,
        "{counts:?}"
    );
    assert_eq!(counts.queued, 0);
}

/// An exporter that does with each batch what a function says.
pub(crate) struct Exporter<F>(pub(crate) F);

impl<F> std::fmt::Debug for Exporter<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Exporter")
    }
}

impl<F: Fn(Vec<SpanData>) -> OTelSdkResult + Send + Sync> SpanExporter for Exporter<F> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0(batch)
    }
}

/// An exporter that says when it has begun, and then blocks its thread until the gate is dropped.
pub(crate) fn gated() -> (impl SpanExporter, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (started, has_started) = mpsc::channel();
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let blocks = Exporter(move |_: Vec<SpanData>| {
        started.send(()).ok();
        gate.lock().expect("the gate").recv().ok();
        Ok(())
    });
    (blocks, has_started, open)
}

pub(crate) fn build(builder: PipelineBuilder) -> Pipeline {
    builder.build().expect("a thread for the worker")
}

/// A pipeline, and the names of what it exports: the in-memory exporter forgets at its shutdown.
pub(crate) fn collecting() -> (Pipeline, Arc<Mutex<Vec<String>>>) {
    let names = Arc::<Mutex<Vec<String>>>::default();
    let list = Arc::clone(&names);
    let collects = Exporter(move |batch: Vec<SpanData>| {
        let names = batch.iter().map(|span| span.name.to_string());
        list.lock().expect("the list").extend(names);
        Ok(())
    });
    (build(Pipeline::builder().with_exporter(collects)), names)
}

/// Each span arrives once, with its parent, its attributes and its times.
#[test]
fn what_is_recorded_is_exported() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    tracer(&pipeline).enter_span("outer", |_| {
        enter_span("inner", |span| {
            span.set_attribute("id", 7);
            span.add_event("happened", [("at", 1)]);
        });
    });
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    let [inner, outer] = &spans[..] else {
        panic!("two spans, and not {spans:?}");
    };
    assert_eq!((&*inner.name, &*outer.name), ("inner", "outer"));
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());
    assert_eq!(inner.span_context.trace_id(), outer.span_context.trace_id());
    assert_eq!(outer.parent_span_id, SpanId::INVALID);
    assert_eq!(inner.attributes, [KeyValue::new("id", 7)]);
    assert_eq!(inner.events.len(), 1);
    assert!(outer.start_time <= inner.start_time && inner.end_time <= outer.end_time);
    // Bit 0: sampled. Bit 1: the trace id is random.
    assert_eq!(outer.span_context.trace_flags().to_u8(), 3);
    assert_eq!(inner.span_context.trace_flags().to_u8(), 3);
    let counts = pipeline.counts();
    assert_eq!((counts.recorded, counts.exported), (2, 2));
    assert_all_accounted(counts);
}

/// Several exporters get all spans, and the resource.
#[test]
fn each_exporter_gets_all_spans() {
    let (first, second) = (in_memory(), in_memory());
    let both = Pipeline::builder().with_exporter(first.clone());
    let pipeline = build(both.with_exporter(second.clone()));
    tracer(&pipeline).enter_span("work", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!((finished(&first).len(), finished(&second).len()), (1, 1));
    assert_eq!(pipeline.counts().exported, 1);
}

/// The specification's upsert, its limits, and the counts of what is cut.
#[test]
fn limits_are_kept_and_counted() {
    let exporter = in_memory();
    let limits = SpanLimits::default()
        .with_attributes(2)
        .with_text(3)
        .with_events(1);
    let builder = Pipeline::builder().with_span_limits(limits);
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let mut span = pipeline.provider().tracer("it").start("limited");
    span.set_attribute(KeyValue::new("a", 1));
    // Three characters, of which one has two bytes.
    span.set_attribute(KeyValue::new("b", "déjà vu"));
    span.set_attribute(KeyValue::new("c", 3));
    span.set_attribute(KeyValue::new("a", 4));
    span.add_event("first", Vec::new());
    span.add_event("second", Vec::new());
    span.end();
    span.set_attribute(KeyValue::new("late", 1));
    assert!(!span.is_recording());
    pipeline.flush(AGES).expect("flushed in time");
    let span = &finished(&exporter)[0];
    assert_eq!(
        span.attributes,
        [KeyValue::new("a", 4), KeyValue::new("b", "déj")]
    );
    assert_eq!(span.dropped_attributes_count, 2 - 1);
    assert_eq!((span.events.len(), span.events.dropped_count), (1, 1));
}

/// Roots are sampled by the sampler, and what is below by its parent.
#[test]
fn a_sampler_decides_at_the_root() {
    let exported = |sampler, roots: u64| {
        let builder = Pipeline::builder().with_sampler(sampler);
        let pipeline = build(builder.with_exporter(in_memory()));
        let tracer = tracer(&pipeline);
        for _ in 0..roots {
            tracer.enter_span("root", |root| {
                enter_span("child", |child| {
                    assert_eq!(child.is_traced(), root.is_traced())
                });
            });
        }
        pipeline.flush(AGES).expect("flushed in time");
        assert_all_accounted(pipeline.counts());
        pipeline.counts().exported
    };
    assert_eq!(exported(Sampler::ParentBasedAlwaysOn, 10), 20);
    assert_eq!(exported(Sampler::ParentBasedAlwaysOff, 10), 0);
    assert_eq!(exported(Sampler::ParentBasedRatio(1.0), 10), 20);
    assert_eq!(exported(Sampler::ParentBasedRatio(0.0), 10), 0);
    assert_eq!(exported(Sampler::AlwaysOff, 10), 0);
    let sdk = opentelemetry_sdk::trace::Sampler::ParentBased(Box::new(
        opentelemetry_sdk::trace::Sampler::AlwaysOn,
    ));
    assert_eq!(exported(Sampler::Custom(Box::new(sdk)), 10), 20);
    // Of 2,000 roots, half: six standard deviations are 134.
    let half = exported(Sampler::ParentBasedRatio(0.5), 2_000) / 2;
    assert!((866..=1_134).contains(&half), "{half}");
}

/// What a pipeline has warned of.
#[derive(Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    pub(crate) fn of(&self, builder: PipelineBuilder) -> PipelineBuilder {
        let Warnings(list) = self.clone();
        builder.with_warnings(move |warning| {
            list.lock().expect("the list").push(warning.to_owned());
        })
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("the list"))
    }
}

/// What a pipeline warns of when it is built with these variables.
fn warnings(variables: &'static [(&str, &str)]) -> Vec<String> {
    let warnings = Warnings::default();
    let builder = Pipeline::builder().with_environment(variables_of(variables));
    drop(build(warnings.of(builder)));
    warnings.take()
}

fn variables_of(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let mut variables = variables.iter();
        let found = variables.find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

/// A wrong value is told once, with the variable, the value, and what is accepted; right ones and
/// empty ones are not.
#[test]
fn wrong_variables_are_told_and_the_default_holds() {
    let right: &[(&str, &str)] = &[
        ("OTEL_SDK_DISABLED", "False"),
        ("OTEL_TRACES_SAMPLER", "ParentBased_TraceIdRatio"),
        ("OTEL_TRACES_SAMPLER_ARG", " 0.25 "),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "2048"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2048"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", ""),
    ];
    assert_eq!(warnings(right), [""; 0]);
    let ratio = &[
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
    ];
    assert_eq!(
        warnings(ratio),
        [
            "OTEL_TRACES_SAMPLER_ARG: \"1.5\" is not a valid value, so the default applies; write a number from 0 to 1, as `0.25`"
        ]
    );
    let told = |variable, value| {
        let pair: &'static [(&str, &str)] = Box::leak(Box::new([(variable, value)]));
        let warnings = warnings(pair);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with(variable), "{warnings:?}");
    };
    told("OTEL_SDK_DISABLED", "yes");
    told("OTEL_TRACES_SAMPLER", "sometimes");
    told("OTEL_BSP_MAX_QUEUE_SIZE", "0");
    told("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000");
    told("OTEL_BSP_SCHEDULE_DELAY", "5s");
    told("OTEL_BSP_EXPORT_TIMEOUT", "-1");
    told("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many");
    told("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "\u{1b}[31m");
}

/// Variables stand behind what the code says, and before the defaults.
#[test]
fn the_code_prevails_over_the_environment() {
    let exported = |builder: PipelineBuilder| {
        let exporter = in_memory();
        let pipeline = build(builder.with_exporter(exporter.clone()));
        tracer(&pipeline).enter_span("work", |span| {
            span.set_attribute("text", "long").set_attribute("more", 1);
        });
        pipeline.flush(AGES).expect("flushed in time");
        finished(&exporter)
    };
    let off = || {
        Pipeline::builder().with_environment(variables_of(&[("OTEL_TRACES_SAMPLER", "always_off")]))
    };
    assert!(exported(off()).is_empty());
    assert_eq!(exported(off().with_sampler(Sampler::AlwaysOn)).len(), 1);
    let limited = Pipeline::builder().with_environment(variables_of(&[
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "2"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2"),
    ]));
    let spans = exported(limited);
    assert_eq!(spans[0].attributes, [KeyValue::new("text", "lo")]);
    assert_eq!(spans[0].dropped_attributes_count, 1);
    let disabled =
        Pipeline::builder().with_environment(variables_of(&[("OTEL_SDK_DISABLED", "TRUE")]));
    assert!(exported(disabled).is_empty());
}

/// The variables of the process, and what is wrong with them on stderr.
#[test]
fn the_processs_environment_is_read() {
    let variables = [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
    ];
    if !is_child_with("pipeline::the_processs_environment_is_read", &variables) {
        return;
    }
    let pipeline = Pipeline::builder().install().expect("the first");
    assert!(pipeline.is_disabled());
    let service = pipeline.resource().get(&"service.name".into());
    assert_eq!(service, Some("shop".into()));
    enter_span("off", |span| assert!(!span.is_traced()));
    assert!(!enter_span::is_enabled());
    assert_eq!(pipeline.counts(), Counts::default());
}

/// A queue that is full by number: what does not fit is counted, and nobody waits.
#[test]
fn a_full_queue_drops_and_counts() {
    let (blocks, has_started, open) = gated();
    let limits = Limits::default().with_queue_spans(100).with_batch_spans(10);
    let pipeline = build(
        Pipeline::builder()
            .with_limits(limits)
            .with_exporter(blocks),
    );
    let tracer = tracer(&pipeline);
    (0..50).for_each(|_| tracer.enter_span("first", |_| {}));
    has_started.recv().expect("an export");
    (0..1_000).for_each(|_| tracer.enter_span("more", |_| {}));
    let counts = pipeline.counts();
    assert_eq!(counts.recorded, 1_050);
    assert!(counts.queued <= 100, "{counts:?}");
    assert!(counts.dropped.queue_full >= 950, "{counts:?}");
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    assert_all_accounted(pipeline.counts());
    // There is room again.
    tracer.enter_span("again", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().dropped, counts.dropped);
}

pub(crate) fn of_any_size() -> SpanLimits {
    SpanLimits::default().with_bytes(usize::MAX)
}

/// A span holds 64 KiB: a text is cut to half of what is left, a list is dropped and counted, and
/// smaller ones still fit.
#[test]
fn a_span_is_limited_in_bytes() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let megabyte = "x".repeat(1 << 20);
    let numbers = vec![7_i64; 1 << 17];
    tracer(&pipeline).enter_span("large", |span| {
        span.set_attribute("payload", &*megabyte);
        span.set_attribute("numbers", &*numbers);
        span.add_event("event", [("payload", &*megabyte)]);
        span.set_attribute("small", 1);
        span.set_status(enter_span::Status::error(megabyte.clone()));
    });
    tracer(&pipeline).enter_span(megabyte.clone(), |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    let lengths = |list: &[KeyValue]| -> Vec<(String, usize)> {
        let length = |a: &KeyValue| (a.key.to_string(), a.value.as_str().len());
        list.iter().map(length).collect()
    };
    let [payload, small] = &lengths(&spans[0].attributes)[..] else {
        panic!("two attributes: {:?}", lengths(&spans[0].attributes));
    };
    assert!(payload.0 == "payload" && (30 << 10..=32 << 10).contains(&payload.1));
    assert_eq!(small, &("small".to_owned(), 1));
    assert_eq!(spans[0].dropped_attributes_count, 1);
    let event = &spans[0].events.events[0];
    assert!((14 << 10..=16 << 10).contains(&lengths(&event.attributes)[0].1));
    let opentelemetry::trace::Status::Error { description } = &spans[0].status else {
        panic!("an error: {:?}", spans[0].status);
    };
    assert_eq!(description.len(), 32 << 10);
    assert_eq!(spans[1].name.len(), 32 << 10);
}

/// A queue that is full by bytes: a large span does not fit, and small ones still do.
#[test]
fn bytes_are_limited_too() {
    let exporter = in_memory();
    let limits = Limits::default().with_queue_bytes(256 * 1024);
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_span_limits(of_any_size());
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    tracer.enter_span("large", |span| {
        span.set_attribute("payload", "x".repeat(1 << 20));
    });
    tracer.enter_span("small", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert!(
        finished(&exporter)
            .iter()
            .map(|span| &*span.name)
            .eq(["small"])
    );
    assert_eq!(pipeline.counts().dropped.queue_full, 1);
    assert_all_accounted(pipeline.counts());
}

/// An exporter that errors, panics, or does not answer in time costs its own batch and no more.
#[test]
fn an_exporter_that_fails_costs_its_own_batch() {
    #[derive(Debug)]
    struct Moody(AtomicUsize);
    impl SpanExporter for Moody {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Err(OTelSdkError::InternalFailure("refused".to_owned())),
                1 => resume_unwind(Box::new("a bug of the exporter")),
                2 => pending().await,
                _ => Ok(()),
            }
        }
    }
    let limits = Limits::default().with_export_timeout(Duration::from_millis(1));
    let builder = Pipeline::builder().with_limits(limits);
    let pipeline = build(builder.with_exporter(Moody(AtomicUsize::new(0))));
    let tracer = tracer(&pipeline);
    let mut errors = Vec::new();
    for _ in 0..4 {
        tracer.enter_span("work", |_| {});
        pipeline.flush(AGES).expect("flushed in time");
        errors.push(pipeline.last_export_error().unwrap_or_default());
    }
    let counts = pipeline.counts();
    assert_eq!(counts.exported, 1);
    assert_eq!(counts.dropped.export_failed, 2);
    assert_eq!(counts.dropped.export_timed_out, 1);
    assert_all_accounted(counts);
    assert_eq!(errors[0], "Operation failed: refused");
    assert_eq!(errors[1], "the exporter panicked");
}

/// An exporter that blocks its thread for ever: flush and shutdown keep their deadlines.
#[test]
fn deadlines_are_kept_while_an_exporter_hangs() {
    let (hangs, has_started, open) = gated();
    let pipeline = build(Pipeline::builder().with_exporter(hangs));
    tracer(&pipeline).enter_span("work", |_| {});
    let short = Duration::from_millis(1);
    assert!(matches!(pipeline.flush(short), Err(Error::TimedOut(time)) if time == short));
    has_started.recv().expect("an export");
    assert_eq!(pipeline.counts().queued, 1);
    assert!(matches!(pipeline.shutdown(short), Err(Error::TimedOut(_))));
    assert_eq!(pipeline.counts().dropped.shutdown_timed_out, 1);
    assert_all_accounted(pipeline.counts());
    drop(open);
    pipeline.shutdown(AGES).expect("down in time");
    assert_all_accounted(pipeline.counts());
}

/// Shutdown exports what has ended, also twice; what ends later is counted, and says it is not
/// traced.
#[test]
fn what_ends_after_the_shutdown_is_counted() {
    let (pipeline, exported) = collecting();
    let tracer = tracer(&pipeline);
    let open = tracer.start_span("open");
    tracer.enter_span("ended", |_| {});
    pipeline.shutdown(AGES).expect("down in time");
    pipeline.shutdown(AGES).expect("down in time");
    drop(open);
    tracer.enter_span("late", |span| assert!(!span.is_traced()));
    assert_eq!(*exported.lock().expect("the list"), ["ended"]);
    let counts = pipeline.counts();
    assert_eq!((counts.recorded, counts.dropped.after_shutdown), (2, 1));
    assert_all_accounted(counts);
}

/// Dropped, the pipeline shuts down.
#[test]
fn a_pipeline_that_is_dropped_exports_what_it_has() {
    let (pipeline, exported) = collecting();
    tracer(&pipeline).enter_span("work", |_| {});
    drop(pipeline);
    assert_eq!(*exported.lock().expect("the list"), ["work"]);
}

/// A thread that ends with spans in its buffer, and a thousand of them.
#[test]
fn threads_may_come_and_go() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    for _ in 0..1_000 {
        let work = || tracer.enter_span("work", |_| {});
        thread::scope(|threads| threads.spawn(work).join().expect("a thread"));
    }
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(finished(&exporter).len(), 1_000);
    assert_all_accounted(pipeline.counts());
}

/// A span that ends in the destructor of a thread-local.
#[test]
fn a_span_of_a_dying_thread_is_exported() {
    thread_local!(static KEPT: RefCell<Vec<enter_span::OwnedSpan>> = const { RefCell::new(Vec::new()) });
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    let work = || {
        KEPT.with_borrow_mut(Vec::clear);
        let span = tracer.start_span("kept");
        KEPT.with_borrow_mut(|kept| kept.push(span));
    };
    thread::scope(|threads| threads.spawn(work).join().expect("a thread"));
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(finished(&exporter).len(), 1);
}

/// The exporter's own calls make no spans.
#[test]
fn an_exporters_own_spans_are_suppressed() {
    let was_traced = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&was_traced);
    let late = Arc::new(Mutex::new(None::<Tracer>));
    let own = Arc::clone(&late);
    let calls = Exporter(move |_: Vec<SpanData>| {
        let tracer = own.lock().expect("the tracer").clone();
        let traced = tracer.is_some_and(|tracer| tracer.enter_span("own", |span| span.is_traced()));
        seen.fetch_or(traced, Ordering::Relaxed);
        Ok(())
    });
    let pipeline = build(Pipeline::builder().with_exporter(calls));
    let tracer = tracer(&pipeline);
    *late.lock().expect("the tracer") = Some(tracer.clone());
    tracer.enter_span("work", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert!(!was_traced.load(Ordering::Relaxed));
    assert_eq!(pipeline.counts().recorded, 1);
    // The exporter holds what holds the provider: it is let go by hand.
    late.lock().expect("the tracer").take();
}

/// Installed, it records ours and everybody's; a second one is refused while the first lives.
#[test]
fn a_pipeline_is_installed_once() {
    if !is_child("pipeline::a_pipeline_is_installed_once") {
        return;
    }
    let exporter = in_memory();
    let first = Pipeline::builder()
        .with_exporter(exporter.clone())
        .install();
    let first = first.expect("the first");
    let second = Pipeline::builder().install();
    assert!(matches!(second, Err(Error::AlreadyInstalled)));
    opentelemetry::global::tracer("theirs").in_span("theirs", |_| drop(start_span("ours")));
    first.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
    first.shutdown(AGES).expect("down in time");
    let third = Pipeline::builder()
        .with_exporter(exporter.clone())
        .install();
    let third = third.expect("room for another one");
    enter_span("again", |span| assert!(span.is_traced()));
    third.shutdown(AGES).expect("down in time");
    enter_span("off", |span| assert!(!span.is_traced()));
}

/// Many threads that live, each with a few spans, while the exporter is slow: what fits is kept.
#[test]
fn a_queue_with_room_drops_nothing() {
    let (waits, _has_started, open) = gated();
    let pipeline = build(Pipeline::builder().with_exporter(waits));
    let tracer = tracer(&pipeline);
    let alive = Barrier::new(800);
    thread::scope(|threads| {
        for _ in 0..800 {
            let work = || {
                tracer.enter_span("first", |_| {});
                alive.wait();
                tracer.enter_span("second", |_| {});
                alive.wait();
            };
            let thread = thread::Builder::new().stack_size(64 * 1024);
            thread.spawn_scoped(threads, work).expect("a thread");
        }
    });
    assert_eq!(pipeline.counts().queued, 1_600);
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().exported, 1_600);
    assert_all_accounted(pipeline.counts());
}

/// What is not an attribute counts as well: here the description of a status.
#[test]
fn every_text_counts_in_bytes() {
    let limits = Limits::default().with_queue_bytes(1 << 20);
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_span_limits(of_any_size());
    let pipeline = build(builder.with_exporter(in_memory()));
    tracer(&pipeline).enter_span("large", |span| {
        span.set_status(enter_span::Status::error("x".repeat(2 << 20)));
    });
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().dropped.queue_full, 1);
}

/// What few spans have stands in memory of its own, and counts where they have it: a told time takes room
/// from others.
#[test]
fn told_times_count_in_bytes() {
    let fitting = |told: Option<SystemTime>| {
        let (waits, _has_started, open) = gated();
        let limits = Limits::default().with_queue_bytes(1 << 16);
        let builder = Pipeline::builder().with_limits(limits);
        let pipeline = build(builder.with_exporter(waits));
        let theirs = pipeline.provider().tracer("theirs");
        for _ in 0..1_000 {
            let builder = theirs.span_builder("work");
            let builder = match told {
                Some(told) => builder.with_start_time(told),
                None => builder,
            };
            builder.start(&theirs).end();
        }
        let queued = pipeline.counts().queued;
        drop(open);
        queued
    };
    let (counted, told) = (fitting(None), fitting(Some(SystemTime::now())));
    // A record is 112 bytes; the box beside it is no smaller.
    assert!(told <= counted / 2 + 1, "{told} of {counted}");
}

/// Times that are too far for the clock, and none at all; batches of no size.
#[test]
fn limits_may_be_extreme() {
    for (time, spans) in [(Duration::MAX, usize::MAX), (Duration::ZERO, 1)] {
        let exporter = in_memory();
        let limits = Limits::default()
            .with_batch_spans(spans - 1)
            .with_batch_bytes(spans - 1)
            .with_interval(time)
            .with_export_timeout(Duration::MAX)
            .with_queue_spans(16);
        let builder = Pipeline::builder().with_limits(limits);
        let pipeline = build(builder.with_exporter(exporter.clone()));
        (0..3).for_each(|_| tracer(&pipeline).enter_span("work", |_| {}));
        pipeline.flush(AGES).expect("flushed in time");
        assert_eq!(finished(&exporter).len(), 3);
        pipeline.shutdown(AGES).expect("down in time");
    }
}

/// An exporter whose destructor panics, after one that cannot flush: the next is shut down all the
/// same, and each was asked to flush.
#[test]
fn every_exporter_is_flushed_and_shut_down() {
    #[derive(Debug)]
    struct Counts(Arc<AtomicUsize>);
    impl SpanExporter for Counts {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            Ok(())
        }
        fn force_flush(&self) -> OTelSdkResult {
            self.0.fetch_add(1, Ordering::Relaxed);
            resume_unwind(Box::new("a flush"))
        }
        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            self.0.fetch_add(100, Ordering::Relaxed);
            Ok(())
        }
    }
    impl Drop for Counts {
        fn drop(&mut self) {
            resume_unwind(Box::new("a destructor"));
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let one = Pipeline::builder().with_exporter(Counts(Arc::clone(&count)));
    let pipeline = build(one.with_exporter(Counts(Arc::clone(&count))));
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(count.load(Ordering::Relaxed), 2);
    pipeline.shutdown(AGES).expect("down in time");
    assert_eq!(count.load(Ordering::Relaxed), 204);
}

/// Asked from inside of its own exporter, a flush does not wait for itself.
#[test]
fn an_exporter_may_flush_its_own_pipeline() {
    let own = Arc::new(Mutex::new(None::<Arc<Pipeline>>));
    let inner = Arc::clone(&own);
    let flushes = Exporter(move |_: Vec<SpanData>| {
        let pipeline = inner.lock().expect("the pipeline").clone();
        let flushed = pipeline.map(|pipeline| pipeline.flush(AGES).is_ok());
        assert_eq!(flushed, Some(false));
        Ok(())
    });
    let pipeline = Arc::new(build(Pipeline::builder().with_exporter(flushes)));
    *own.lock().expect("the pipeline") = Some(Arc::clone(&pipeline));
    tracer(&pipeline).enter_span("work", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().exported, 1);
    own.lock().expect("the pipeline").take();
}
