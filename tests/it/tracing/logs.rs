//! Events as log records of OpenTelemetry.

use enter_span::testing::Trace;
use enter_span::{SpanId, TraceId, in_span};
use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use tracing::{debug, error, info, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use super::{layer, record_by};
use crate::support::child::is_child;

/// What is sent while the layer makes log records up to `INFO`, and no span events.
fn sent(
    work: impl FnOnce(),
) -> (
    Vec<opentelemetry_sdk::logs::in_memory_exporter::LogDataWithResource>,
    Trace,
) {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = layer()
        .with_span_events(LevelFilter::OFF)
        .with_log_records(&provider, LevelFilter::INFO);
    let trace = record_by(registry().with(layer), work);
    (exporter.get_emitted_logs().expect("the records"), trace)
}

/// A record has the ids of the innermost span, and what the event says.
#[test]
fn an_event_becomes_a_log_record() {
    let (records, trace) = sent(|| {
        in_span!("request", |_| {
            info_span!("theirs").in_scope(|| {
                error!(target: "shop::db", rows = 3, wide = u64::MAX, error = "declined", "cannot {}", "pay");
            });
            debug!("not for many");
            info!(name: "order.shipped", "on its way");
        });
        info!("outside");
    });
    assert!(trace.spans().iter().all(|span| span.events().is_empty()));
    let bodies = records.iter().map(|log| log.record.body().cloned());
    let text = |text: &'static str| Some(AnyValue::from(text));
    assert_eq!(
        bodies.collect::<Vec<_>>(),
        [text("cannot pay"), text("on its way"), text("outside")]
    );
    let record = &records[0].record;
    assert_eq!(record.severity_number(), Some(Severity::Error));
    assert_eq!(record.target().map(|target| &**target), Some("shop::db"));
    let pairs = record.attributes_iter();
    let pairs = pairs.map(|(key, value)| (key.as_str(), value.clone()));
    assert_eq!(
        pairs.collect::<Vec<_>>(),
        [
            ("rows", AnyValue::Int(3)),
            ("wide", u64::MAX.to_string().into()),
            ("error", "declined".into()),
        ]
    );
    let ids = |index: usize| {
        let ids = records[index].record.trace_context()?;
        Some((TraceId::from(ids.trace_id), SpanId::from(ids.span_id)))
    };
    let ids_of = |name| {
        let identity = trace.find(name).span_context();
        Some((identity.trace_id(), identity.span_id()))
    };
    assert_eq!(ids(0), ids_of("theirs"));
    assert_eq!(ids(1), ids_of("request"));
    assert_eq!(ids(2), None);
    assert_eq!(records[1].record.event_name(), Some("order.shipped"));
}

/// They are sent with no pipeline too, and OpenTelemetry's own are not.
#[test]
fn log_records_need_no_pipeline() {
    if !is_child("tracing::logs::log_records_need_no_pipeline") {
        return;
    }
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = layer().with_log_records(&provider, LevelFilter::TRACE);
    tracing::subscriber::with_default(registry().with(layer), || {
        info!("sent");
        info!(target: "opentelemetry_sdk", "internal");
    });
    let records = exporter.get_emitted_logs().expect("the records");
    assert_eq!(records.len(), 1);
}
