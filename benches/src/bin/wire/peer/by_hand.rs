//! The OpenTelemetry SDK, with its API called by hand.

use std::error::Error;
use std::hint::black_box;
use std::sync::OnceLock;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracer;

use super::{Code, Installed, sdk};
use crate::transport::Endpoint;
use crate::work::{ATTRIBUTES, CALLS};

/// The SDK's own tracer, which is quicker than the boxed one of the global provider.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

pub(super) fn install(endpoint: &Endpoint, code: Code) -> Result<Installed, Box<dyn Error>> {
    let provider = sdk(endpoint)?;
    TRACER.get_or_init(|| provider.tracer("wire"));
    let trace = match code {
        Code::Recorded => |_| request_with_code(),
        Code::LeftOut => |_| request(),
    };
    Ok(Installed {
        trace,
        specified,
        flush: Box::new(move || Ok(provider.force_flush()?)),
    })
}

fn tracer() -> &'static SdkTracer {
    TRACER.get().expect("it is installed before")
}

fn request() {
    let tracer = tracer();
    let builder = tracer.span_builder("request").with_kind(SpanKind::Server);
    tracer.in_span_with_builder(builder, |_| (0..CALLS).for_each(call));
}

fn call(id: u64) {
    let tracer = tracer();
    let builder = tracer.span_builder("call").with_kind(SpanKind::Client);
    let builder = builder.with_attributes(attributes(id));
    tracer.in_span_with_builder(builder, |_| {
        black_box(id);
    });
}

fn attributes(id: u64) -> [KeyValue; 3] {
    [
        KeyValue::new("id", id as i64),
        KeyValue::new("http.route", "/orders/{id}"),
        KeyValue::new("attempt", 1),
    ]
}

fn request_with_code() {
    let tracer = tracer();
    let builder = tracer.span_builder("request").with_kind(SpanKind::Server);
    let builder = builder.with_attributes(code(concat!(module_path!(), "::request"), line!()));
    tracer.in_span_with_builder(builder, |_| (0..CALLS).for_each(call_with_code));
}

fn call_with_code(id: u64) {
    let tracer = tracer();
    let [function, file, line] = code(concat!(module_path!(), "::call"), line!());
    let [id_of_call, route, attempt] = attributes(id);
    let builder = tracer.span_builder("call").with_kind(SpanKind::Client);
    let builder = builder.with_attributes([function, file, line, id_of_call, route, attempt]);
    tracer.in_span_with_builder(builder, |_| {
        black_box(id);
    });
}

fn code(function: &'static str, line: u32) -> [KeyValue; 3] {
    [
        KeyValue::new("code.function.name", function),
        KeyValue::new("code.file.path", file!()),
        KeyValue::new("code.line.number", i64::from(line)),
    ]
}

fn specified(_: u64) {
    let tracer = tracer();
    let attributes = ATTRIBUTES.map(|(key, value)| KeyValue::new(key, value));
    let builder = tracer.span_builder("specified").with_attributes(attributes);
    tracer.build(builder).end();
}
