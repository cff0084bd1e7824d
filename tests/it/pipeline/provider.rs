//! Where spans go: providers installed, replaced, shut down; the OpenTelemetry SDK behind it all.

use std::time::Duration;

use enter_span::otel::opentelemetry::trace::SpanKind;
use enter_span::{Status, enter_span, is_enabled, is_traced};
use opentelemetry::trace::{Status as OtelStatus, TraceContextExt as _};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracerProvider, Span as SdkSpan, SpanData, SpanProcessor,
};

use crate::support::child::{is_child, is_child_with};

fn sdk() -> (SdkTracerProvider, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    (provider, exporter)
}

fn exported(exporter: &InMemorySpanExporter) -> Vec<SpanData> {
    exporter.get_finished_spans().expect("the exported spans")
}

fn names(exporter: &InMemorySpanExporter) -> Vec<String> {
    let spans = exported(exporter);
    spans.iter().map(|span| span.name.to_string()).collect()
}

#[enter_span(|span|, kind = client, attributes(id))]
fn work(id: u64) -> Result<u64, String> {
    span.set_attribute("id", id + 1);
    span.set_status(Status::error("first"));
    span.set_status(Status::error("a later one that sorts lower"));
    Err("failed".to_owned())
}

/// The SDK gets everything once: the last value of a key, the last status, the place in source.
#[test]
fn the_sdk_gets_each_thing_once() {
    if !is_child("pipeline::provider::the_sdk_gets_each_thing_once") {
        return;
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider);
    assert!(work(1).is_err());
    let spans = exported(&exporter);
    let [span] = spans.as_slice() else {
        panic!("one span, and not {}", spans.len());
    };
    let of = |key: &str| {
        let found = span.attributes.iter().filter(|a| a.key.as_str() == key);
        found.map(|a| a.value.clone()).collect::<Vec<Value>>()
    };
    assert_eq!(of("id"), [Value::I64(2)]);
    assert_eq!(
        of("code.function.name"),
        [Value::from("it::pipeline::provider::work")]
    );
    assert_eq!(of("error.type"), [Value::from("alloc::string::String")]);
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(
        span.status,
        OtelStatus::error("a later one that sorts lower")
    );
    assert_eq!(span.events.len(), 1);
    assert_eq!(span.instrumentation_scope.name(), "enter-span-tests");
    assert_eq!(span.instrumentation_scope.version(), Some("0.1.0"));
    assert!(span.end_time >= span.start_time);
}

/// Off before, on after, in the new one after a replacement; open spans end in their own.
#[test]
fn a_provider_is_seen_from_its_installation_on() {
    if !is_child("pipeline::provider::a_provider_is_seen_from_its_installation_on") {
        return;
    }
    let (first, to_first) = sdk();
    let (second, to_second) = sdk();
    assert!(!is_enabled());
    enter_span("before", |span| assert!(!span.is_traced()));
    enter_span::set_tracer_provider(first.clone());
    assert!(is_enabled());
    enter_span("open", |span| {
        enter_span::set_tracer_provider(second);
        assert!(span.is_traced());
        enter_span("after", |_| ());
    });
    assert_eq!(names(&to_first), ["open"]);
    assert_eq!(names(&to_second), ["after"]);
}

/// A provider that was shut down records nothing, and nothing panics.
#[test]
fn a_provider_that_was_shut_down_does_no_harm() {
    if !is_child("pipeline::provider::a_provider_that_was_shut_down_does_no_harm") {
        return;
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider.clone());
    enter_span("open", |span| {
        span.set_attribute("before", 1);
        provider.shutdown().expect("the first shutdown");
        enter_span("late", |span| assert!(!span.is_traced()));
        span.set_attribute("after", 1);
    });
    assert!(!is_traced());
    assert!(work(1).is_err());
    assert!(names(&exporter).is_empty());
}

/// `use_global_tracer_provider` follows whatever provider OpenTelemetry has.
#[test]
fn the_global_provider_is_followed() {
    if !is_child("pipeline::provider::the_global_provider_is_followed") {
        return;
    }
    let (first, to_first) = sdk();
    let (second, to_second) = sdk();
    enter_span::use_global_tracer_provider();
    enter_span("none", |span| assert!(!span.is_traced()));
    opentelemetry::global::set_tracer_provider(first.clone());
    enter_span("first", |_| ());
    opentelemetry::global::set_tracer_provider(second);
    enter_span("second", |_| ());
    assert_eq!(names(&to_first), ["first"]);
    assert_eq!(names(&to_second), ["second"]);
}

/// A trace that is sampled out has a valid identity, and children and headers say so.
#[test]
fn a_trace_that_is_sampled_out_is_attached_once() {
    if !is_child("pipeline::provider::a_trace_that_is_sampled_out_is_attached_once") {
        return;
    }
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .build();
    enter_span::set_tracer_provider(provider);
    enter_span("root", |span| {
        assert!(!span.is_traced());
        let root = Context::current().span().span_context().clone();
        assert!(root.is_valid() && !root.is_sampled());
        enter_span("child", |_| {
            let child = Context::current().span().span_context().clone();
            assert_eq!(child, root);
        });
    });
    assert!(!Context::current().has_active_span());
}

/// Where telemetry is suppressed, as in an exporter's own calls, there are no spans.
#[test]
fn suppressed_telemetry_makes_no_spans() {
    if !is_child("pipeline::provider::suppressed_telemetry_makes_no_spans") {
        return;
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider);
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    assert!(!is_enabled());
    assert!(work(1).is_err());
    assert!(names(&exporter).is_empty());
}

/// The semantic conventions' variable takes exceptions off the span.
#[test]
fn the_environment_can_leave_exceptions_to_logs() {
    let test = "pipeline::provider::the_environment_can_leave_exceptions_to_logs";
    let variable = ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs");
    if !is_child_with(test, &[variable]) {
        return;
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider);
    assert!(work(1).is_err());
    assert!(exported(&exporter)[0].events.is_empty());
}

/// The detail of errors can be set for the process, also after the provider.
#[test]
fn the_detail_of_errors_is_the_processs() {
    if !is_child("pipeline::provider::the_detail_of_errors_is_the_processs") {
        return;
    }
    #[enter_span]
    fn fails() -> Result<(), String> {
        Err("secret".to_owned())
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider);
    enter_span::set_error_detail(enter_span::ErrorDetail::Type);
    assert!(fails().is_err());
    assert_eq!(exported(&exporter)[0].status, OtelStatus::error(""));
}

/// A recorder hides the process's provider from what it runs.
#[test]
fn a_recorder_takes_precedence_over_the_process() {
    if !is_child("pipeline::provider::a_recorder_takes_precedence_over_the_process") {
        return;
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider);
    let recorder = enter_span::testing::Recorder::new();
    recorder
        .run(|| work(1))
        .assert_tree("work [client] id=2 !String");
    assert!(names(&exporter).is_empty());
    enter_span("lost", |_| ());
    assert_eq!(names(&exporter), ["lost"]);
    assert_eq!(recorder.trace().tree().lines().last(), Some("orphan lost"));
}

/// A processor or exporter that panics, when a span starts or when it ends.
#[derive(Debug)]
struct Rude {
    at_start: bool,
}

impl SpanProcessor for Rude {
    fn on_start(&self, _: &mut SdkSpan, _: &Context) {
        assert!(!self.at_start, "a processor that panics at the start");
    }

    fn on_end(&self, _: SpanData) {
        assert!(self.at_start, "a processor that panics at the end");
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// An exporter that panics costs its span, and neither the body nor the process.
#[test]
fn an_exporter_that_panics_does_no_harm() {
    if !is_child("pipeline::provider::an_exporter_that_panics_does_no_harm") {
        return;
    }
    for at_start in [true, false] {
        let provider = SdkTracerProvider::builder();
        let provider = provider.with_span_processor(Rude { at_start }).build();
        enter_span::set_tracer_provider(provider);
        assert_eq!(enter_span("block", |_| 7), 7);
        assert!(work(1).is_err());
    }
}

/// Of 200 attributes the SDK keeps 128 and counts the others; how the span ended is kept.
#[test]
fn many_attributes_do_not_push_out_how_the_span_ended() {
    #[enter_span(|span|)]
    fn many() -> Result<(), String> {
        for index in 0..200 {
            span.set_attribute(format!("key.{index}"), index);
        }
        Err("failed".to_owned())
    }
    if !is_child("pipeline::provider::many_attributes_do_not_push_out_how_the_span_ended") {
        return;
    }
    let (provider, exporter) = sdk();
    enter_span::set_tracer_provider(provider);
    assert!(many().is_err());
    let span = &exported(&exporter)[0];
    assert_eq!(span.attributes.len(), 128);
    // 3 of the place in source, 200, and the type of the error.
    assert_eq!(span.dropped_attributes_count, 204 - 128);
    assert!(
        span.attributes
            .iter()
            .any(|a| a.key.as_str() == "error.type")
    );
}

/// The header of a trace that is not sampled says so.
#[test]
fn the_header_of_a_trace_that_is_not_sampled_says_so() {
    use opentelemetry::propagation::TextMapPropagator as _;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use std::collections::HashMap;

    let recorder = enter_span::testing::Recorder::new().with_sampler(|_| false);
    recorder.enter(|| {
        enter_span("unsampled", |_| {
            let mut headers = HashMap::new();
            TraceContextPropagator::new().inject(&mut headers);
            let header = headers.get("traceparent").expect("a header");
            assert!(
                header.starts_with("00-") && header.ends_with("-00"),
                "{header}"
            );
        });
    });
}
