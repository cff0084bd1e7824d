//! The pipeline's own state, as OpenTelemetry's metrics.

use std::collections::BTreeMap;

use enter_span_pipeline::{Limits, Pipeline};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use crate::pipeline::{AGES, build, in_memory, of_any_size, tracer};
use crate::support::child::is_child;

/// What was reported last, with the attributes in the order of their keys.
fn reported(meters: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> BTreeMap<String, i64> {
    exporter.reset();
    meters.force_flush().expect("collected");
    let mut all = BTreeMap::new();
    let collected = exporter.get_finished_metrics().expect("the metrics");
    for metric in collected
        .iter()
        .flat_map(|resource| resource.scope_metrics())
        .flat_map(|scope| scope.metrics())
    {
        let mut see = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>, value| {
            let mut texts: Vec<String> = attributes.map(|pair| pair.value.to_string()).collect();
            texts.sort();
            all.insert(format!("{} {}", metric.name(), texts.join(" ")), value);
        };
        match metric.data() {
            AggregatedMetrics::I64(MetricData::Sum(sum)) => sum
                .data_points()
                .for_each(|point| see(&mut point.attributes(), point.value())),
            AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                .data_points()
                .for_each(|point| see(&mut point.attributes(), point.value() as i64)),
            other => panic!("another kind of metric: {other:?}"),
        }
    }
    all
}

/// The queue, what was processed, and each exporter; and nothing of a pipeline that is gone.
#[test]
fn the_pipeline_reports_its_own_state() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let limits = Limits::default().with_queue_bytes(64 * 1024);
    let builder = Pipeline::builder()
        .with_warnings(|_| {})
        .with_limits(limits)
        .with_span_limits(of_any_size());
    let pipeline = build(builder.with_exporter(in_memory()));
    pipeline.report_to(&meters);
    let tracer = tracer(&pipeline);
    (0..3).for_each(|_| tracer.enter_span("work", |_| {}));
    tracer.enter_span("large", |span| {
        span.set_attribute("payload", "x".repeat(128 * 1024));
    });
    pipeline.flush(AGES).expect("flushed in time");
    let expected = [
        ("otel.sdk.exporter.span.exported enter_span_exporter/0", 3),
        ("otel.sdk.exporter.span.inflight enter_span_exporter/0", 0),
        (
            "otel.sdk.processor.span.processed batching_span_processor",
            3,
        ),
        (
            "otel.sdk.processor.span.processed batching_span_processor queue_full",
            1,
        ),
        (
            "otel.sdk.processor.span.queue.capacity batching_span_processor",
            16_384,
        ),
        (
            "otel.sdk.processor.span.queue.size batching_span_processor",
            0,
        ),
    ];
    let expected: BTreeMap<_, _> = expected
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    assert_eq!(reported(&meters, &exporter), expected);
    drop((tracer, pipeline));
    assert_eq!(reported(&meters, &exporter), BTreeMap::new());
}

/// Also where it was installed, which others remember.
#[test]
fn an_installed_pipeline_that_is_gone_reports_nothing() {
    if !is_child("pipeline::metrics::an_installed_pipeline_that_is_gone_reports_nothing") {
        return;
    }
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let builder = Pipeline::builder().with_exporter(in_memory());
    let pipeline = builder.install().expect("no other one");
    pipeline.report_to(&meters);
    assert_ne!(reported(&meters, &exporter), BTreeMap::new());
    drop(pipeline);
    assert_eq!(reported(&meters, &exporter), BTreeMap::new());
}
