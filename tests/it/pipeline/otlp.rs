//! OTLP: what a real receiver gets, and what becomes of the spans if it misbehaves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use enter_span::Tracer;
use enter_span_pipeline::{Limits, Pipeline, PipelineBuilder, SpanLimits};
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_proto::tonic::common::v1::{self as proto, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, span, status};
use opentelemetry_sdk::trace::InMemorySpanExporter;
use rstest::rstest;

use crate::pipeline::Warnings;
use crate::support::child::{is_child, is_child_with};
use crate::support::receiver::{Answer, Receiver, Transport};

/// Long enough for every machine; nothing waits for it but what hangs.
const AGES: Duration = Duration::from_secs(60);

/// A builder with these variables.
pub(crate) fn builder(variables: &[(&str, &str)]) -> PipelineBuilder {
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let variables: Vec<(String, String)> = variables.iter().map(own).collect();
    Pipeline::builder().with_environment(move |name| {
        let found = variables.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.clone())
    })
}

/// A builder that exports to this receiver, with further variables.
pub(crate) fn exporting(receiver: &Receiver, further: &[(&str, &str)]) -> PipelineBuilder {
    let url = receiver.url();
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_PROTOCOL", receiver.transport.name()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
    ];
    variables.extend(further);
    builder(&variables).with_warnings(|warning| panic!("{warning}"))
}

pub(crate) fn build(builder: PipelineBuilder) -> Pipeline {
    builder.build().expect("a thread for the worker")
}

pub(crate) fn record(pipeline: &Pipeline, spans: usize) {
    let tracer = Tracer::new(pipeline.provider(), "it");
    (0..spans).for_each(|_| tracer.enter_span("work", |_| {}));
}

/// Records one span, and waits until it has left, or has not.
pub(crate) fn export_one(pipeline: &Pipeline) {
    record(pipeline, 1);
    pipeline.flush(AGES).expect("flushed in time");
}

fn text(value: &str) -> proto::AnyValue {
    let value = any_value::Value::StringValue(value.to_owned());
    proto::AnyValue { value: Some(value) }
}

fn pair(key: &str, value: any_value::Value) -> proto::KeyValue {
    let value = Some(proto::AnyValue { value: Some(value) });
    proto::KeyValue {
        key: key.to_owned(),
        value,
        ..proto::KeyValue::default()
    }
}

fn list(values: Vec<any_value::Value>) -> any_value::Value {
    let values = values.into_iter();
    let values = values.map(|value| proto::AnyValue { value: Some(value) });
    let values = values.collect();
    any_value::Value::ArrayValue(proto::ArrayValue { values })
}

fn attributes() -> Vec<KeyValue> {
    vec![
        KeyValue::new("bool", true),
        KeyValue::new("int", i64::MIN),
        KeyValue::new("double", 0.5),
        KeyValue::new("text", "déjà\n\u{0}vu"),
        KeyValue::new("bools", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("ints", Value::Array(Array::I64(vec![1, -1]))),
        KeyValue::new("doubles", Value::Array(Array::F64(vec![0.25]))),
        KeyValue::new("texts", Value::Array(Array::String(vec!["a".into()]))),
    ]
}

fn expected_attributes() -> Vec<proto::KeyValue> {
    use any_value::Value::{BoolValue, DoubleValue, IntValue, StringValue};
    vec![
        pair("bool", BoolValue(true)),
        pair("int", IntValue(i64::MIN)),
        pair("double", DoubleValue(0.5)),
        pair("text", StringValue("déjà\n\u{0}vu".to_owned())),
        pair("bools", list(vec![BoolValue(true), BoolValue(false)])),
        pair("ints", list(vec![IntValue(1), IntValue(-1)])),
        pair("doubles", list(vec![DoubleValue(0.25)])),
        pair("texts", list(vec![StringValue("a".to_owned())])),
    ]
}

fn remote(span: u64, state: &str) -> SpanContext {
    let state = state.parse::<TraceState>().expect("a trace state");
    let flags = TraceFlags::new(3);
    SpanContext::new(TraceId::from(7), SpanId::from(span), flags, true, state)
}

fn at(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// 2023, with nanoseconds.
const START: u64 = 1_700_000_000_123_456_789;

/// Records a span with a remote parent and all that a span can have, and more than its limits allow.
fn record_a_full_span(pipeline: &Pipeline) {
    let scope = InstrumentationScope::builder("shop.checkout")
        .with_version("1.2.3")
        .with_schema_url("https://example.com/scope")
        .with_attributes([KeyValue::new("of", "the scope")])
        .build();
    let tracer = pipeline.provider().tracer_with_scope(scope);
    let more = [KeyValue::new("a", 1), KeyValue::new("b", 2)];
    let parent = Context::new().with_remote_span_context(remote(1, "vendor=x,other=y"));
    let mut span = tracer
        .span_builder("checkout")
        .with_kind(SpanKind::Client)
        .with_start_time(at(START))
        .with_attributes(attributes())
        .with_links(vec![
            Link::new(remote(2, "linked=z"), more.to_vec(), 0),
            Link::new(remote(3, ""), Vec::new(), 0),
        ])
        .start_with_context(&tracer, &parent);
    span.set_attribute(KeyValue::new("too", "many"));
    span.add_event_with_timestamp("paid", at(START + 5), more.to_vec());
    span.add_event_with_timestamp("too many", at(START + 6), Vec::new());
    span.set_status(Status::error("declined"));
    span.end_with_timestamp(at(START + 10));
    pipeline.flush(AGES).expect("flushed in time");
}

/// Every field of a span travels, with its scope and its resource.
#[rstest]
fn everything_travels(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let receiver = Receiver::start(transport, Answer::Taken);
    let variables = [
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "region=eu%2Cwest"),
    ];
    let limits = SpanLimits::default()
        .with_attributes(8)
        .with_events(1)
        .with_links(1)
        .with_event_attributes(1)
        .with_link_attributes(1);
    let pipeline = build(exporting(&receiver, &variables).with_span_limits(limits));
    record_a_full_span(&pipeline);
    let received = receiver.next();
    let [resource_spans] = &received.request.resource_spans[..] else {
        panic!("one resource, and not {:?}", received.request);
    };
    let resource = resource_spans.resource.as_ref().expect("a resource");
    let of_resource = |key: &str| {
        let pair = resource.attributes.iter().find(|pair| pair.key == key);
        pair.and_then(|pair| pair.value.clone())
    };
    assert_eq!(of_resource("service.name"), Some(text("shop")));
    assert_eq!(of_resource("region"), Some(text("eu,west")));
    assert_eq!(of_resource("telemetry.sdk.language"), Some(text("rust")));
    let [scope_spans] = &resource_spans.scope_spans[..] else {
        panic!("one scope, and not {resource_spans:?}");
    };
    assert_eq!(scope_spans.schema_url, "https://example.com/scope");
    let scope = scope_spans.scope.as_ref().expect("a scope");
    assert_eq!((&*scope.name, &*scope.version), ("shop.checkout", "1.2.3"));
    let of_scope = any_value::Value::StringValue("the scope".to_owned());
    assert_eq!(scope.attributes, [pair("of", of_scope)]);
    let [span] = &scope_spans.spans[..] else {
        panic!("one span, and not {scope_spans:?}");
    };
    assert_full_span(span);
    assert_eq!(pipeline.counts().exported, 1);
}

fn assert_full_span(span: &Span) {
    let mut trace_id = [0; 16];
    trace_id[15] = 7;
    let span_id = |last| vec![0, 0, 0, 0, 0, 0, 0, last];
    // Sampled, random, and the parent is known to be remote.
    const FLAGS: u32 = 0b11 | 0x100 | 0x200;
    assert_eq!(span.trace_id, trace_id);
    assert_eq!(span.span_id.len(), 8);
    assert_ne!(span.span_id, [0; 8]);
    assert_eq!(span.parent_span_id, span_id(1));
    assert_eq!(span.trace_state, "vendor=x,other=y");
    assert_eq!(span.flags, FLAGS);
    assert_eq!(span.name, "checkout");
    assert_eq!(span.kind, span::SpanKind::Client as i32);
    assert_eq!(span.start_time_unix_nano, START);
    assert_eq!(span.end_time_unix_nano, START + 10);
    assert_eq!(span.attributes, expected_attributes());
    assert_eq!(span.dropped_attributes_count, 1);
    let [event] = &span.events[..] else {
        panic!("one event, and not {:?}", span.events);
    };
    let kept = [pair("a", any_value::Value::IntValue(1))];
    assert_eq!(event.name, "paid");
    assert_eq!(event.time_unix_nano, START + 5);
    assert_eq!(event.attributes, kept);
    assert_eq!(event.dropped_attributes_count, 1);
    assert_eq!(span.dropped_events_count, 1);
    let [link] = &span.links[..] else {
        panic!("one link, and not {:?}", span.links);
    };
    assert_eq!(link.trace_id, trace_id);
    assert_eq!(link.span_id, span_id(2));
    assert_eq!(link.trace_state, "linked=z");
    assert_eq!(link.flags, FLAGS);
    assert_eq!(link.attributes, kept);
    assert_eq!(link.dropped_attributes_count, 1);
    assert_eq!(span.dropped_links_count, 1);
    let status = span.status.as_ref().expect("a status");
    assert_eq!(status.code, status::StatusCode::Error as i32);
    assert_eq!(status.message, "declined");
}

/// Headers, compression and path are those of the variables; the signal's own stand before the
/// general ones.
#[rstest]
fn settings_travel(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let receiver = Receiver::start(transport, Answer::Taken);
    let variables = [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "general=1"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "authorization=Bearer%20a%2Cb, x-tenant = shop,",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
    ];
    let pipeline = build(exporting(&receiver, &variables));
    export_one(&pipeline);
    let received = receiver.next();
    assert_eq!(received.spans().len(), 1);
    assert_eq!(received.header("authorization"), Some("Bearer a,b"));
    assert_eq!(received.header("x-tenant"), Some("shop"));
    assert_eq!(received.header("general"), None);
    let agent = received.header("user-agent").unwrap_or_default();
    assert!(agent.contains("OTel-OTLP-Exporter-Rust/"), "{agent}");
    let encoding = match transport {
        Transport::Http => "content-encoding",
        Transport::Grpc => "grpc-encoding",
    };
    assert_eq!(received.header(encoding), Some("gzip"));
    if transport == Transport::Http {
        assert_eq!(received.path, "/v1/traces");
        let kind = received.header("content-type");
        assert_eq!(kind, Some("application/x-protobuf"));
    }
    let path = match transport {
        Transport::Http => "/v1/traces",
        Transport::Grpc => "/",
    };
    let expected = format!("otlp {} {}{path}", transport.name(), receiver.url());
    assert_eq!(pipeline.exporters(), [expected]);
}

/// Where spans go with these variables.
fn description(variables: &[(&str, &str)]) -> String {
    let pipeline = build(builder(variables));
    pipeline.exporters().join(", ")
}

/// The general endpoint is a base, that of the signal is taken as it is; credentials are not shown.
#[rstest]
#[case(&[], "http/protobuf http://localhost:4318/v1/traces")]
#[case(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "grpc http://localhost:4317/")]
#[case(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a/b")], "http/protobuf http://a/b/v1/traces")]
#[case(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a:1/b/")], "http/protobuf https://a:1/b/v1/traces")]
#[case(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://a"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b")], "http/protobuf http://a/")]
#[case(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://u:secret@a/x?key=secret")], "http/protobuf http://a/x")]
#[case(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a/?key=secret")], "http/protobuf http://a/v1/traces")]
#[case(&[("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "GRPC"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "a:4317")], "grpc https://a:4317/")]
#[case(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "a:4317"), ("OTEL_EXPORTER_OTLP_INSECURE", "True")], "grpc http://a:4317/")]
fn an_endpoint_is_as_the_specification_says(
    #[case] variables: &[(&str, &str)],
    #[case] expected: &str,
) {
    assert_eq!(description(variables), format!("otlp {expected}"));
}

/// What the process's own variables say does not count where the builder reads others.
#[test]
fn the_processs_variables_do_not_leak() {
    let of_process = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=leaked"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "x-tenant=leaked,leaked=1",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
        ("OTEL_SERVICE_NAME", "leaked"),
    ];
    if !is_child_with(
        "pipeline::otlp::the_processs_variables_do_not_leak",
        &of_process,
    ) {
        return;
    }
    for transport in [Transport::Http, Transport::Grpc] {
        let receiver = Receiver::start(transport, Answer::Taken);
        let tenant = ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop");
        let pipeline = build(exporting(&receiver, &[tenant]));
        export_one(&pipeline);
        let received = receiver.next();
        assert_eq!(received.header("x-tenant"), Some("shop"));
        assert_eq!(received.header("leaked"), None);
        assert!(!format!("{:?}", received.request).contains("leaked"));
    }
}

/// User names in an endpoint become the header that they stand for.
#[rstest]
fn credentials_are_sent(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let receiver = Receiver::start(transport, Answer::Taken);
    let endpoint = receiver.url().replace("http://", "http://me:p%40ss@");
    let variables = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", transport.name()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
    ];
    let pipeline = build(builder(&variables));
    export_one(&pipeline);
    // me:p@ss
    let authorization = "Basic bWU6cEBzcw==";
    assert_eq!(receiver.next().header("authorization"), Some(authorization));
    assert!(!pipeline.exporters()[0].contains("ss@"));
}

/// A receiver that refuses costs the batch, and the next one is sent again.
#[rstest]
fn a_refusal_is_counted(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let receiver = Receiver::start(transport, Answer::Refused);
    let pipeline = build(exporting(&receiver, &[]));
    export_one(&pipeline);
    export_one(&pipeline);
    assert_eq!(pipeline.counts().dropped.export_failed, 2);
    let error = pipeline.last_export_error().unwrap_or_default();
    let expected = match transport {
        Transport::Http => "HTTP status 400",
        Transport::Grpc => "gRPC status INVALID_ARGUMENT: refused",
    };
    assert!(error.contains(expected), "{error}");
}

/// What a receiver takes in part is not sent again. What it rejected counts as dropped, with its reason.
#[rstest]
fn a_batch_that_is_taken_in_part_is_not_sent_again(
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let receiver = Receiver::start(transport, Answer::OneRejected);
    let pipeline = build(exporting(&receiver, &[]));
    export_one(&pipeline);
    export_one(&pipeline);
    record(&pipeline, 3);
    pipeline.flush(AGES).expect("flushed in time");
    for spans in [1, 1, 3] {
        assert_eq!(receiver.next().spans().len(), spans);
    }
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.rejected), (2, 3));
    assert_eq!((counts.recorded, counts.queued, counts.retried), (5, 0, 0));
    assert_eq!(pipeline.exporter_counts()[0].rejected, 3);
    let error = pipeline.last_export_error();
    let expected = "the receiver rejected 1 of 3 spans: one is too old";
    assert_eq!(error.as_deref(), Some(expected));
}

/// Nobody listens: the error says why.
#[rstest]
fn an_absent_receiver_is_told(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", port.local_addr().expect("an address"));
    drop(port);
    let variables = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", transport.name()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
    ];
    // For some tries.
    let limits = Limits::default().with_retry_time(Duration::from_millis(300));
    let pipeline = build(builder(&variables).with_limits(limits));
    export_one(&pipeline);
    assert_eq!(pipeline.counts().dropped.total(), 1);
    assert!(pipeline.counts().retried > 0);
    let error = pipeline.last_export_error().unwrap_or_default();
    assert!(error.contains("Connection refused"), "{error}");
}

/// At a shutdown, a receiver that never answers is given up at the deadline, be it that of OTLP or the
/// worker's, and another exporter gets all spans.
#[rstest]
#[case(("OTEL_EXPORTER_OTLP_TIMEOUT", "20"))]
#[case(("OTEL_BSP_EXPORT_TIMEOUT", "20"))]
fn a_receiver_that_never_answers_is_given_up(
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
    #[case] deadline: (&str, &str),
) {
    let receiver = Receiver::start(transport, Answer::Never);
    let other = InMemorySpanExporter::default();
    let builder = exporting(&receiver, &[deadline]).with_otlp();
    let pipeline = build(builder.with_exporter(other));
    record(&pipeline, 2);
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.dropped.export_timed_out, counts.queued), (2, 0));
    let counts = pipeline.exporter_counts();
    assert_eq!((counts[0].exported, counts[1].timed_out), (2, 2));
}

/// A receiver that closes each connection without a word costs nothing.
#[test]
fn idle_connections_may_close() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            take_and_close(stream.expect("a connection"));
        }
    });
    let pipeline = build(builder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]));
    (0..4).for_each(|_| export_one(&pipeline));
    assert_eq!(pipeline.counts().exported, 4, "{pipeline:?}");
}

/// Reads one request of HTTP, and answers it as if the connection were kept.
fn take_and_close(stream: TcpStream) {
    let mut lines = BufReader::new(&stream);
    let mut length = 0;
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|_| line != "\r\n") {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).expect("a body");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    (&stream).write_all(answer).expect("an open connection");
}

/// With TLS: a certificate that the file names is trusted, and no other.
#[rstest]
fn a_certificate_is_checked(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let receiver = Receiver::start_secure(transport);
    let name = format!("enter-span-{}-{transport:?}.pem", std::process::id());
    let file = std::env::temp_dir().join(name);
    let certificate = receiver.certificate.clone().expect("a certificate");
    std::fs::write(&file, certificate).expect("a file");
    let path = file.to_str().expect("a path");
    let trusting = exporting(&receiver, &[("OTEL_EXPORTER_OTLP_CERTIFICATE", path)]);
    let trusting = build(trusting);
    std::fs::remove_file(&file).expect("no file");
    export_one(&trusting);
    assert_eq!(receiver.next().spans().len(), 1);
    assert_eq!(trusting.counts().exported, 1);
    let strict = build(exporting(&receiver, &[]));
    export_one(&strict);
    let counts = strict.counts();
    assert_eq!((counts.dropped.export_failed, counts.retried), (1, 0));
    let error = strict.last_export_error().unwrap_or_default();
    assert!(error.contains("UnknownIssuer"), "{error}");
}

/// The transport's own instrumentation, here that of `h2`, makes no spans.
#[test]
fn the_transports_own_spans_are_suppressed() {
    use tracing_subscriber::filter::FilterFn;
    use tracing_subscriber::layer::SubscriberExt as _;
    if !is_child("pipeline::otlp::the_transports_own_spans_are_suppressed") {
        return;
    }
    let receiver = Receiver::start(Transport::Grpc, Answer::Taken);
    let pipeline = build(exporting(&receiver, &[]));
    let (seen, spans) = mpsc::channel();
    let layer = tracing_opentelemetry::layer().with_tracer(pipeline.provider().tracer("tracing"));
    let without_mirrors = FilterFn::new(|metadata| !enter_span::mirror::is_mirror(metadata));
    let subscriber = tracing_subscriber::registry()
        .with(without_mirrors)
        .with(Counting(seen))
        .with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    export_one(&pipeline);
    export_one(&pipeline);
    assert!(spans.try_recv().is_ok(), "`h2` made no spans to suppress");
    assert_eq!(pipeline.counts().recorded, 2);
}

/// Says that somebody made a span.
struct Counting(mpsc::Sender<()>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Counting {
    fn on_new_span(
        &self,
        _: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        self.0.send(()).ok();
    }
}

/// Also where the pipeline is made and dropped inside of another runtime.
#[tokio::test]
async fn a_pipeline_lives_inside_of_a_runtime() {
    let receiver = Receiver::start(Transport::Grpc, Answer::Taken);
    let pipeline = build(exporting(&receiver, &[]));
    export_one(&pipeline);
    assert_eq!(receiver.next().spans().len(), 1);
    drop(pipeline);
    let broken = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere"),
    ];
    drop(build(builder(&broken).with_warnings(|_| {})));
}

/// What a pipeline warns of when it is built with these variables.
pub(crate) fn warnings(variables: &[(&str, &str)]) -> Vec<String> {
    let warnings = Warnings::default();
    drop(build(warnings.of(builder(variables))));
    warnings.take()
}

/// A wrong value is told once, with its variable, and never with what may be secret.
#[rstest]
#[case("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", true)]
#[case("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp", true)]
#[case("OTEL_EXPORTER_OTLP_HEADERS", "Bearer hidden", false)]
#[case("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz", false)]
#[case("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b c=2", false)]
#[case("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", true)]
#[case("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", true)]
#[case("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere", false)]
#[case("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "Cargo.toml", false)]
fn wrong_variables_are_told(#[case] variable: &str, #[case] value: &str, #[case] is_shown: bool) {
    let warnings = warnings(&[(variable, value)]);
    let [warning] = &warnings[..] else {
        panic!("one warning, and not {warnings:?}");
    };
    assert!(warning.starts_with(&format!("{variable}: ")), "{warning}");
    assert!(warning.contains("; write "), "{warning}");
    assert_eq!(warning.contains(value), is_shown, "{warning}");
    assert!(!warning.contains("hidden"), "{warning}");
}

/// A client's certificate without its key is of no use.
#[test]
fn half_an_identity_is_told() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/it/pipeline/otlp.rs");
    // This file holds the mark: -----BEGIN CERTIFICATE-----
    let warnings = warnings(&[("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", file)]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("OTEL_EXPORTER_OTLP_CLIENT_KEY"));
}

/// Without an exporter in the code, the environment names them.
#[test]
fn the_environment_names_exporters() {
    let named = |names| description(&[("OTEL_TRACES_EXPORTER", names)]);
    let default = "otlp http/protobuf http://localhost:4318/v1/traces";
    assert_eq!(named(""), default);
    assert_eq!(named("OTLP, otlp,none"), default);
    assert_eq!(named("none"), "");
    assert_eq!(warnings(&[("OTEL_TRACES_EXPORTER", "none")]), [""; 0]);
    let wrong = warnings(&[("OTEL_TRACES_EXPORTER", "zipkin")]);
    assert_eq!(
        wrong,
        [
            "OTEL_TRACES_EXPORTER: \"zipkin\" is not a valid value, so the default applies; write a list of `otlp`, `console` and `none`"
        ]
    );
    let partly = warnings(&[("OTEL_TRACES_EXPORTER", "zipkin,none")]);
    assert_eq!(
        partly,
        [
            "OTEL_TRACES_EXPORTER: \"zipkin\" is not a valid value, so it is ignored; write a list of `otlp`, `console` and `none`"
        ]
    );
}

/// An exporter in the code stands before those of the environment.
#[test]
fn an_exporter_in_the_code_prevails() {
    let exporter = InMemorySpanExporter::default();
    let variables = [
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
    ];
    let builder = builder(&variables).with_warnings(|warning| panic!("{warning}"));
    let pipeline = build(builder.with_exporter(exporter));
    let [only] = pipeline.exporters() else {
        panic!("one exporter, and not {:?}", pipeline.exporters());
    };
    assert!(only.contains("InMemorySpanExporter"), "{only}");
}
