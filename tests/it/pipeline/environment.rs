//! What the pipeline takes from the environment: resource, propagators, and values of the wrong kind.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::Duration;

use enter_span_pipeline::{Pipeline, PipelineBuilder};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId};
use opentelemetry::{Context, KeyValue, Value, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::BaggagePropagator;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use rstest::rstest;

use crate::pipeline::{AGES, Warnings, build};
use crate::support::child::{is_child, is_child_with};

/// A builder with these variables, and what it warns of. It exports nothing.
fn builder(variables: &[(&str, &str)]) -> (PipelineBuilder, Warnings) {
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let mut variables: HashMap<String, String> = variables.iter().map(own).collect();
    variables.insert("OTEL_TRACES_EXPORTER".to_owned(), "none".to_owned());
    let warnings = Warnings::default();
    let builder = Pipeline::builder()
        .with_environment(move |name| variables.get(name).cloned())
        .with_baggage_keys(["tenant"]);
    (warnings.of(builder), warnings)
}

fn attribute(variables: &[(&str, &str)], key: &'static str) -> Option<Value> {
    let (builder, warnings) = builder(variables);
    let pipeline = builder.build().expect("a thread for the worker");
    assert_eq!(warnings.take(), [""; 0]);
    pipeline.resource().get(&key.into())
}

/// The attributes of the resource are decoded, and the service's own variable prevails.
#[test]
fn the_resource_is_read() {
    let both = [
        ("OTEL_SERVICE_NAME", "shop"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other, a%2Cb = 1%3D%20%E2%82%AC ,empty=,x=y=z,",
        ),
    ];
    assert_eq!(attribute(&both, "service.name"), Some("shop".into()));
    assert_eq!(attribute(&both, "a,b"), Some("1= €".into()));
    assert_eq!(attribute(&both, "empty"), Some("".into()));
    assert_eq!(attribute(&both, "x"), Some("y=z".into()));
    let sdk = Some("opentelemetry".into());
    assert_eq!(attribute(&both, "telemetry.sdk.name"), sdk);
    let of_attributes = attribute(&both[1..], "service.name");
    assert_eq!(of_attributes, Some("other".into()));
    let unknown = attribute(&[], "service.name").expect("a name");
    let unknown = unknown.as_str();
    assert!(unknown.starts_with("unknown_service:it-"), "{unknown}");
}

/// Of a list with a malformed part nothing is taken, as the specification says, and nothing is shown: it
/// may hold a secret.
#[rstest]
#[case("a=1,b")]
#[case("a=1,=2")]
#[case("a=100%")]
#[case("a=%e2%82")]
#[case("a=%+1")]
fn a_malformed_resource_is_told(#[case] value: &str) {
    let (builder, warnings) = builder(&[("OTEL_RESOURCE_ATTRIBUTES", value)]);
    let pipeline = builder.build().expect("a thread for the worker");
    assert_eq!(pipeline.resource().get(&"a".into()), None);
    let warnings = warnings.take();
    let [warning] = &warnings[..] else {
        panic!("one warning, and not {warnings:?}");
    };
    assert!(
        warning.starts_with("OTEL_RESOURCE_ATTRIBUTES: "),
        "{warning}"
    );
    assert!(!warning.contains(value), "{warning}");
}

/// A resource in the code stands before that of the environment, which is not even read.
#[test]
fn a_resource_in_the_code_prevails() {
    let resource = opentelemetry_sdk::Resource::builder_empty()
        .with_attribute(KeyValue::new("of", "the code"))
        .build();
    let (builder, warnings) = builder(&[("OTEL_RESOURCE_ATTRIBUTES", "malformed")]);
    let pipeline = builder.with_resource(resource).build();
    let pipeline = pipeline.expect("a thread for the worker");
    assert_eq!(pipeline.resource().get(&"service.name".into()), None);
    assert_eq!(warnings.take(), [""; 0]);
}

/// The names of the headers that the global propagator writes.
fn injected() -> Vec<String> {
    let flags = TraceFlags::SAMPLED;
    let span = SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        flags,
        true,
        Default::default(),
    );
    let context = Context::new()
        .with_remote_span_context(span)
        .with_baggage([KeyValue::new("tenant", "shop")]);
    let mut carrier = HashMap::<String, String>::new();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut carrier);
    });
    let mut names: Vec<String> = carrier.into_keys().collect();
    names.retain(|name| name != "tracestate");
    names.sort();
    names
}

/// Installs a pipeline, and gives what its global propagator writes, and the warnings.
fn installed(builder: (PipelineBuilder, Warnings)) -> (Vec<String>, Vec<String>) {
    let pipeline = builder.0.install().expect("the only one");
    drop(pipeline);
    (injected(), builder.1.take())
}

/// Installed, it sets the global propagator: that of the code, or else what the variable names.
#[test]
fn propagators_are_installed() {
    if !is_child("pipeline::environment::propagators_are_installed") {
        return;
    }
    let of = |value| installed(builder(&[("OTEL_PROPAGATORS", value)]));
    assert_eq!(injected(), [""; 0]);
    assert_eq!(of("none"), (vec![], vec![]));
    let both = || vec!["baggage".to_owned(), "traceparent".to_owned()];
    assert_eq!(of(""), (both(), vec![]));
    assert_eq!(of("tracecontext").0, ["traceparent"]);
    // What is there stays.
    assert_eq!(of("none").0, ["traceparent"]);
    assert_eq!(of("Baggage,baggage, none").0, ["baggage"]);
    let accepted = "write a list of `tracecontext`, `baggage` and `none`";
    let left_out = format!(
        "OTEL_PROPAGATORS: \"b3,jaeger\" is not a valid value, so it is ignored; {accepted}"
    );
    let partly = of("b3,tracecontext,jaeger");
    assert_eq!(partly, (vec!["traceparent".to_owned()], vec![left_out]));
    let unknown = format!(
        "OTEL_PROPAGATORS: \"b3\" is not a valid value, so the default applies; {accepted}"
    );
    assert_eq!(of("b3"), (both(), vec![unknown]));
    let disabled = [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_PROPAGATORS", "tracecontext"),
    ];
    assert_eq!(installed(builder(&disabled)).0, ["traceparent"]);
    let (code, warnings) = builder(&[("OTEL_PROPAGATORS", "b3")]);
    let code = code.with_propagator(BaggagePropagator::new());
    let expected = (vec!["baggage".to_owned()], vec![]);
    assert_eq!(installed((code, warnings)), expected);
}

/// A function for warnings that panics does not unwind into the installation.
#[test]
fn a_warning_of_a_propagator_that_panics_harms_nobody() {
    let test = "pipeline::environment::a_warning_of_a_propagator_that_panics_harms_nobody";
    if !is_child(test) {
        return;
    }
    let (builder, _) = builder(&[("OTEL_PROPAGATORS", "b3")]);
    let builder = builder.with_warnings(|_| std::panic::resume_unwind(Box::new("a warning")));
    drop(builder.install().expect("the only one"));
    assert_eq!(injected(), ["baggage", "traceparent"]);
}

/// What an exporter is given for its shutdown: milliseconds, of which 0 are no limit.
#[rstest]
#[case("0", Duration::MAX)]
#[case("20000", Duration::from_secs(20))]
#[case("", Duration::from_secs(30))]
fn a_timeout_of_zero_is_none(#[case] value: &str, #[case] expected: Duration) {
    #[derive(Debug)]
    struct Told(mpsc::Sender<Duration>);
    impl SpanExporter for Told {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            Ok(())
        }
        fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
            self.0.send(timeout).ok();
            Ok(())
        }
    }
    let (told, timeouts) = mpsc::channel();
    let (builder, warnings) = builder(&[("OTEL_BSP_EXPORT_TIMEOUT", value)]);
    let pipeline = build(builder.with_exporter(Told(told)));
    pipeline.shutdown(AGES).expect("down in time");
    assert_eq!(timeouts.recv(), Ok(expected));
    assert_eq!(warnings.take(), [""; 0]);
}

/// The runtime honours `logs` and `logs/dup`; what else is there is told.
#[rstest]
#[case("logs", 0)]
#[case("logs/dup", 0)]
#[case("events", 1)]
fn a_wrong_exception_signal_is_told(#[case] value: &str, #[case] told: usize) {
    let (builder, warnings) = builder(&[("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", value)]);
    drop(builder.build().expect("a thread for the worker"));
    assert_eq!(warnings.take().len(), told);
}

/// A value that is not UTF-8 is told and not guessed at.
#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf_8_is_told() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let variables = [
        ("OTEL_TRACES_SAMPLER", OsStr::from_bytes(b"always_\xff")),
        ("OTEL_TRACES_EXPORTER", OsStr::new("none")),
    ];
    let test = "pipeline::environment::a_value_that_is_not_utf_8_is_told";
    if !is_child_with(test, &variables) {
        return;
    }
    let warnings = Warnings::default();
    drop(
        warnings
            .of(Pipeline::builder())
            .build()
            .expect("a thread for the worker"),
    );
    assert_eq!(
        warnings.take(),
        ["OTEL_TRACES_SAMPLER: the value is not UTF-8, so the default applies"]
    );
}
