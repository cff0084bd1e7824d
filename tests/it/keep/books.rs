//! The books: counts, metrics and `diagnose` agree with what was exported.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use enter_span::{diagnose, enter_span, in_span, start_span};
use enter_span_pipeline::{Keep, Pipeline};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use super::rig;
use crate::pipeline::{AGES, in_memory};
use crate::support::child::is_child;

/// At every moment that is looked at, while threads record and the worker decides.
#[test]
fn the_sum_is_right_at_every_moment() {
    let rig = rig(Keep::fraction(0.5));
    let is_over = Arc::new(AtomicBool::new(false));
    thread::scope(|threads| {
        for _ in 0..2 {
            let (tracer, is_over) = (rig.tracer.clone(), Arc::clone(&is_over));
            threads.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    tracer.enter_span("root", |_| enter_span("child", |_| {}));
                }
            });
        }
        for _ in 0..200 {
            let counts = rig.pipeline.counts();
            let gone = counts.exported + counts.dropped.total() + counts.not_kept;
            assert_eq!(
                counts.recorded,
                gone + counts.undecided + counts.queued,
                "{counts:?}"
            );
            rig.pipeline.flush(AGES).expect("flushed in time");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    rig.flush();
    let counts = rig.pipeline.counts();
    assert_eq!(counts.undecided, 0);
    assert_eq!(
        2 * (counts.keep.kept + counts.keep.not_kept),
        counts.recorded - counts.dropped.total()
    );
}

/// Room is free again, whatever was decided: a small queue takes any number, one after another.
#[test]
fn room_comes_back() {
    let limits = enter_span_pipeline::Limits::default()
        .with_queue_spans(64)
        .with_queue_bytes(128 << 10);
    let rig = super::rig_with(Keep::fraction(0.5), limits);
    for _ in 0..200 {
        rig.tracer.enter_span("root", |span| {
            span.set_attribute("text", "x".repeat(1_000));
            (0..8).for_each(|_| enter_span("child", |_| {}));
        });
        rig.flush();
    }
    let counts = rig.pipeline.counts();
    assert_eq!((counts.recorded, counts.dropped.total()), (1_800, 0));
}

/// The policy, and what it did, in words.
#[test]
fn diagnose_says_what_was_not_kept() {
    if !is_child("keep::books::diagnose_says_what_was_not_kept") {
        return;
    }
    let keep = Keep::with("debug")
        .or_fraction(0.0)
        .or_by(|_| std::panic::resume_unwind(Box::new("a bug")));
    let keep = keep.for_root("work", Keep::none().or_with("debug"));
    let builder = Pipeline::builder()
        .with_exporter(in_memory())
        .with_keep(keep);
    let pipeline = builder.install().expect("the only one");
    (0..1_234).for_each(|_| in_span!("work", |_| {}));
    in_span!("other", |_| {});
    let open = start_span!("open", root);
    open.enter(|| enter_span("child", |_| {}));
    pipeline.flush(AGES).expect("flushed in time");
    let said = diagnose().to_string();
    for part in [
        "`with=debug,by; for root work: with=debug`, by the code",
        "1,234 of 1,235 traces were not kept",
        "their spans: 1,234; undecided spans: 1",
        "traces kept because a rule has panicked: 1",
    ] {
        assert!(said.contains(part), "{part:?} is not said:\n{said}");
    }
    drop(open);
}

/// Without a policy, no topic names it.
#[test]
fn diagnose_says_nothing_without_a_policy() {
    if !is_child("keep::books::diagnose_says_nothing_without_a_policy") {
        return;
    }
    let builder = Pipeline::builder().with_exporter(in_memory());
    let pipeline = builder.install().expect("the only one");
    in_span!("work", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    let said = diagnose().to_string();
    assert!(!said.contains("kept"), "{said}");
}

/// Beside OpenTelemetry's own metrics, which have the undecided spans in their queue.
#[test]
fn metrics_have_what_was_not_kept() {
    let rig = rig(Keep::with("debug"));
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    rig.pipeline.report_to(&meters);
    let open = start_span!("open", tracer = rig.tracer, root);
    open.enter(|| enter_span("child", |_| {}));
    (0..3).for_each(|_| rig.tracer.enter_span("root", |_| {}));
    rig.flush();
    meters.force_flush().expect("collected");
    let value = |name: &str| -> i64 {
        let all = exporter.get_finished_metrics().expect("the metrics");
        let metrics = all
            .iter()
            .flat_map(|one| one.scope_metrics())
            .flat_map(|one| one.metrics());
        let found = metrics.filter(|metric| metric.name() == name).last();
        match found.expect("a metric of this name").data() {
            AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                sum.data_points().map(|one| one.value()).sum()
            }
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                sum.data_points().map(|one| one.value() as i64).sum()
            }
            other => panic!("another kind of metric: {other:?}"),
        }
    };
    assert_eq!(value("enter_span.keep.span.not_kept"), 3);
    assert_eq!(value("enter_span.keep.span.undecided"), 1);
    assert_eq!(value("otel.sdk.processor.span.queue.size"), 1);
    drop(open);
}
