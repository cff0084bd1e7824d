//! What stands beside the layer: tracing-opentelemetry's, and what `install` says.

use std::sync::{Arc, Mutex};

use enter_span_pipeline::Pipeline;
use tracing::subscriber::with_default;
use tracing::{Event, Subscriber, info_span};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

use super::layer;
use crate::pipeline::in_memory;
use crate::support::child::errors_of_child;

const TWICE: &str = "records the spans of `tracing` beside enter-span-tracing's layer";

fn spans() {
    for _ in 0..100 {
        info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| ()));
    }
}

fn installed() -> Pipeline {
    let builder = Pipeline::builder().with_exporter(in_memory());
    builder.install().expect("no other one")
}

fn theirs<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let tracer = opentelemetry::global::tracer("theirs");
    OpenTelemetryLayer::new(tracer)
}

#[track_caller]
fn assert_said_once(errors: &str) {
    assert_eq!(errors.matches(TWICE).count(), 1, "{errors}");
}

/// Added before ours, it is seen by its type.
#[test]
fn tracing_opentelemetry_below_is_seen() {
    const TEST: &str = "tracing::beside::tracing_opentelemetry_below_is_seen";
    if let Some(errors) = errors_of_child::<&str>(TEST, &[]) {
        return assert_said_once(&errors);
    }
    let _pipeline = installed();
    let tracer = opentelemetry::global::tracer("theirs");
    let below = registry().with(OpenTelemetryLayer::new(tracer));
    with_default(below.with(layer()), spans);
}

/// Added after ours, it is seen by what it does.
#[test]
fn tracing_opentelemetry_above_is_seen() {
    const TEST: &str = "tracing::beside::tracing_opentelemetry_above_is_seen";
    if let Some(errors) = errors_of_child::<&str>(TEST, &[]) {
        return assert_said_once(&errors);
    }
    let _pipeline = installed();
    with_default(registry().with(layer()).with(theirs()), spans);
}

/// A second layer of ours is seen by what it does, also where its type is hidden.
#[test]
fn a_second_layer_of_ours_is_seen() {
    const TEST: &str = "tracing::beside::a_second_layer_of_ours_is_seen";
    if let Some(errors) = errors_of_child::<&str>(TEST, &[]) {
        assert_said_once(&errors);
        assert!(
            errors.contains("a second layer of enter-span-tracing"),
            "{errors}"
        );
        return;
    }
    let _pipeline = installed();
    with_default(registry().with(layer()).with(layer().boxed()), spans);
}

/// Two layers of ours with filters of their own share the spans, and record each once.
#[test]
fn nothing_is_said_of_two_layers_that_share_the_spans() {
    const TEST: &str = "tracing::beside::nothing_is_said_of_two_layers_that_share_the_spans";
    if let Some(errors) = errors_of_child::<&str>(TEST, &[]) {
        assert!(!errors.contains(TWICE), "{errors}");
        return;
    }
    let _pipeline = installed();
    let outer = layer().with_filter(filter_fn(|span| span.name() == "outer"));
    let others = layer().with_filter(filter_fn(|span| span.name() != "outer"));
    with_default(registry().with(outer).with(others), spans);
}

/// Other layers are not meant, nor is code that leaves spans in another order.
#[test]
fn nothing_is_said_of_other_layers() {
    const TEST: &str = "tracing::beside::nothing_is_said_of_other_layers";
    if let Some(errors) = errors_of_child::<&str>(TEST, &[]) {
        assert!(!errors.contains(TWICE), "{errors}");
        return;
    }
    let _pipeline = installed();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    with_default(registry().with(lines).with(layer()), || {
        let first = info_span!("first").entered();
        let second = info_span!("second").entered();
        drop(first);
        drop(second);
        spans();
    });
}

/// Keeps the targets of events.
struct Targets(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Targets {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target().to_owned();
        self.0.lock().expect("the list").push(target);
    }
}

/// What OpenTelemetry says of its global provider is no news to whoever installs a pipeline.
#[test]
fn installing_writes_nothing_into_the_log() {
    const TEST: &str = "tracing::beside::installing_writes_nothing_into_the_log";
    if errors_of_child::<&str>(TEST, &[]).is_some() {
        return;
    }
    let targets = Arc::<Mutex<Vec<String>>>::default();
    let subscriber = registry().with(Targets(Arc::clone(&targets)));
    with_default(subscriber, || {
        // What would be written is written here.
        opentelemetry::global::set_tracer_provider(
            opentelemetry::trace::noop::NoopTracerProvider::new(),
        );
        assert_eq!(targets.lock().expect("the list").drain(..).count(), 1);
        drop(installed());
    });
    let targets = targets.lock().expect("the list");
    assert_eq!(*targets, Vec::<String>::new());
}
