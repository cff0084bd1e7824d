//! Other people's instrumentation above and below ours: one trace, and the right parents.
//!
//! What cannot work is here too, with its reason.

use std::convert::Infallible;
use std::future::Future;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use enter_span::testing::{Recorder, RecorderProvider, Trace};
use enter_span::{enter_span, span_id};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{
    FutureExt as _, SpanId, TraceContextExt as _, Tracer as _, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_instrumentation_tower::http::server::Layer as ServerLayer;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::net::TcpListener;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_otel::trace::HttpLayer;
use tracing::{Level, info_span, subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::{Registry, registry};

use crate::support::check::block_on;
use crate::support::child::is_child;

/// A span by OpenTelemetry's own API, around `work`.
fn raw<R>(provider: &RecorderProvider, name: &'static str, work: impl FnOnce() -> R) -> R {
    provider.tracer("raw").in_span(name, |_| work())
}

/// The same around a future.
async fn raw_async(provider: &RecorderProvider, name: &'static str, work: impl Future) {
    let span = provider.tracer("raw").start(name);
    let context = Context::current_with_span(span);
    work.with_context(context.clone()).await;
    context.span().end();
}

#[track_caller]
fn assert_one_trace(trace: &Trace, tree: &str) {
    trace.assert_tree(tree);
    let mut ids = trace
        .spans()
        .iter()
        .map(|span| span.span_context().trace_id());
    let first = ids.next();
    assert!(ids.all(|id| Some(id) == first), "one trace");
}

#[enter_span]
fn ours<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[enter_span]
async fn ours_async(work: impl Future) {
    tokio::task::yield_now().await;
    work.await;
}

/// A raw OpenTelemetry span, ours below it, and a raw one below ours are one line.
#[test]
fn raw_spans_and_ours_are_one_line() {
    let recorder = Recorder::new();
    let provider = recorder.tracer_provider();
    let trace = recorder.run(|| {
        raw(&provider, "above", || {
            ours(|| raw(&provider, "below", || ()))
        });
        assert!(!Context::current().has_active_span());
    });
    assert_one_trace(
        &trace,
        "
        above
          ours
            below
        ",
    );
}

/// The same across yields.
#[test]
fn raw_async_spans_and_ours_are_one_line() {
    let recorder = Recorder::new();
    let provider = recorder.tracer_provider();
    let below = raw_async(&provider, "below", tokio::task::yield_now());
    let above = raw_async(&provider, "above", ours_async(below));
    let trace = block_on(recorder.run_async(above));
    assert_one_trace(
        &trace,
        "
        above
          ours_async
            below
        ",
    );
}

/// Our spans would be there twice: by us, and by their mirrors.
fn without_mirrors() -> FilterFn {
    FilterFn::new(|metadata| !enter_span::mirror::is_mirror(metadata))
}

type WithoutMirrors = Layered<FilterFn, Registry>;

type RecorderTracer = <RecorderProvider as TracerProvider>::Tracer;

/// What brings `tracing` spans to OpenTelemetry, here to a recorder.
fn layer(recorder: &Recorder) -> OpenTelemetryLayer<WithoutMirrors, RecorderTracer> {
    tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_tracer(recorder.tracer_provider().tracer("tracing"))
}

/// `tracing` spans and ours are one line, because a `tracing` span that is entered makes its
/// OpenTelemetry context current: `with_context_activation`, which is on unless turned off.
#[test]
fn tracing_spans_and_ours_are_one_line() {
    let recorder = Recorder::new();
    let trace = subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || {
            recorder.run(|| {
                info_span!("above").in_scope(|| ours(|| info_span!("below").in_scope(|| ())));
                assert!(!Context::current().has_active_span());
            })
        },
    );
    assert_one_trace(
        &trace,
        "
        above
          ours
            below
        ",
    );
}

#[tracing::instrument(skip_all)]
async fn instrumented(work: impl Future) {
    tokio::task::yield_now().await;
    work.await;
}

/// The same across yields, with futures that `tracing` instruments.
#[test]
fn tracing_async_spans_and_ours_are_one_line() {
    let recorder = Recorder::new();
    let trace = subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || {
            block_on(recorder.run_async(instrumented(ours_async(instrumented(
                tokio::task::yield_now(),
            )))))
        },
    );
    assert_one_trace(
        &trace,
        "
        instrumented
          ours_async
            instrumented
        ",
    );
}

/// `tracing` tasks that overlap keep their children apart, also where each has ours inside.
#[test]
fn overlapping_tracing_futures_keep_our_spans_apart() {
    let recorder = Recorder::new();
    let one = || instrumented(ours_async(tokio::task::yield_now()));
    let trace = subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || block_on(recorder.run_async(async { futures::join!(one(), one()) })),
    );
    let [first, second, ..] = trace.spans() else {
        panic!("four spans, and not\n{}", trace.tree());
    };
    assert_ne!(
        first.span_context().trace_id(),
        second.span_context().trace_id()
    );
    trace.assert_tree(
        "
        instrumented
          ours_async
        instrumented
          ours_async
        ",
    );
}

/// Baggage that is set above passes through our spans and `tracing` ones.
#[test]
fn baggage_passes_through_spans_of_both() {
    let recorder = Recorder::new();
    let tenant = || Context::current().baggage().get("tenant").cloned();
    subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || {
            let above = Context::from(recorder.context());
            let _attached = above.with_baggage([KeyValue::new("tenant", "a")]).attach();
            let seen = ours(|| info_span!("between").in_scope(|| ours(tenant)));
            assert_eq!(seen, Some("a".into()));
        },
    );
    recorder.trace().assert_tree(
        "
        ours
          between
            ours
        ",
    );
}

/// Cannot work: without context activation, `tracing` keeps its spans to itself. Ours does not see
/// the one above, and the one below is a child of the one above, past ours.
#[test]
fn without_activation_tracing_spans_and_ours_do_not_meet() {
    let recorder = Recorder::new();
    let layer = layer(&recorder).with_context_activation(false);
    let trace = subscriber::with_default(registry().with(without_mirrors()).with(layer), || {
        recorder.run(|| {
            info_span!("above").in_scope(|| ours(|| info_span!("below").in_scope(|| ())));
        })
    });
    trace.assert_tree(
        "
        ours
        above
          below
        ",
    );
}

/// Cannot work: `tracing` does not know our span. `tracing::Span::current()` inside of ours is the
/// `tracing` span around it, so a client that injects its context skips ours; one that injects
/// OpenTelemetry's current context does not.
#[test]
fn the_current_tracing_span_is_the_one_around_ours() {
    let recorder = Recorder::new();
    let trace = subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || {
            recorder.run(|| {
                info_span!("above").in_scope(|| {
                    let above = span_id();
                    ours(|| {
                        let current = tracing::Span::current().context();
                        let current = current.span().span_context().span_id();
                        assert_eq!(Some(current.into()), above);
                        assert_ne!(span_id(), above);
                    });
                });
            })
        },
    );
    assert_one_trace(
        &trace,
        "
        above
          ours
        ",
    );
}

/// Cannot work: the layer adds a `tracing` event to the `tracing` span around ours, for the same
/// reason. `Span::add_event` and log appenders reach ours.
#[test]
fn a_tracing_event_is_added_to_the_tracing_span_around_ours() {
    let recorder = Recorder::new();
    let trace = subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || {
            recorder.run(|| {
                info_span!("above").in_scope(|| ours(|| tracing::info!(name: "charged", "7")));
            })
        },
    );
    let names = |span: &str| {
        let events = trace.find(span).events().iter();
        events
            .map(|event| event.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("above"), ["7"]);
    assert!(names("ours").is_empty());
}

#[enter_span]
async fn handle_order() -> &'static str {
    tokio::task::yield_now().await;
    "7"
}

/// A server that OpenTelemetry's own middleware instruments.
async fn serve() -> String {
    let router = Router::new()
        .route("/orders/{id}", get(handle_order))
        .layer(ServerLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}/orders/7")
}

/// A client that `tower-otel` instruments, inside of our span.
#[enter_span]
async fn checkout(url: String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let client = HttpLayer::client(Level::INFO).layer(client);
    let request = Request::get(url).body(Body::empty()).expect("a request");
    let response = client.oneshot(request).await.expect("a response");
    let body = Body::new(response.into_body());
    let body = axum::body::to_bytes(body, 8).await.expect("its body");
    assert_eq!(body, "7");
}

/// `child < parent`, sorted.
fn parents(spans: &[SpanData]) -> Vec<String> {
    let name_of = |id: SpanId| {
        let parent = spans.iter().find(|span| span.span_context.span_id() == id);
        parent.map_or("none", |span| span.name.as_ref())
    };
    let mut parents: Vec<String> = spans
        .iter()
        .map(|span| format!("{} < {}", span.name, name_of(span.parent_span_id)))
        .collect();
    parents.sort();
    parents
}

/// An SDK that records everything of this process, that of `global` included.
fn install_sdk() -> (SdkTracerProvider, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    enter_span::set_tracer_provider(provider.clone());
    (provider, exporter)
}

/// A request over HTTP is one trace: our span, the client's, the server's, and that of our handler.
#[test]
fn a_request_from_our_span_to_our_handler_is_one_line() {
    if !is_child("span::interop::a_request_from_our_span_to_our_handler_is_one_line") {
        return;
    }
    let (provider, exporter) = install_sdk();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tracing"));
    subscriber::with_default(registry().with(without_mirrors()).with(layer), || {
        block_on(async { checkout(serve().await).await });
    });
    let spans = exporter.get_finished_spans().expect("the exported spans");
    assert_eq!(
        parents(&spans),
        [
            "GET /orders/{id} < GET",
            "GET < checkout",
            "checkout < none",
            "handle_order < GET /orders/{id}",
        ]
    );
    let trace_id = spans[0].span_context.trace_id();
    let mut ids = spans.iter().map(|span| span.span_context.trace_id());
    assert!(ids.all(|id| id == trace_id), "one trace");
}

type Served = Result<Response<Body>, Infallible>;

/// Its span starts at the call, as that of every function which returns a future.
#[enter_span]
fn at_the_call(_: Request<Body>) -> impl Future<Output = Served> {
    async { Ok(Response::default()) }
}

/// Its span starts when it is first polled.
#[enter_span]
async fn at_the_poll(_: Request<Body>) -> Served {
    Ok(Response::default())
}

/// A layer that enters its span for the call as well has both as children.
#[test]
fn a_service_below_tower_otel_is_its_child() {
    let recorder = Recorder::new();
    let server = HttpLayer::server(Level::INFO);
    let trace = subscriber::with_default(
        registry().with(without_mirrors()).with(layer(&recorder)),
        || {
            block_on(recorder.run_async(async {
                let call = server.layer(service_fn(at_the_call));
                call.oneshot(Request::default()).await.expect("a response");
                let poll = server.layer(service_fn(at_the_poll));
                poll.oneshot(Request::default()).await.expect("a response");
            }))
        },
    );
    let parent_of = |name: &str| trace.find(name).parent_id();
    let servers = trace.spans().iter().filter(|span| span.kind() == "server");
    let servers: Vec<_> = servers.map(|span| Some(span.span_id())).collect();
    assert_eq!(
        servers,
        [parent_of("at_the_call"), parent_of("at_the_poll")]
    );
}

/// Cannot work: OpenTelemetry's own middleware calls the service below it before it makes its
/// context current, so a span that starts at the call does not see it. One that starts when the
/// future is polled does.
#[test]
fn a_service_whose_span_starts_at_the_call_is_not_seen_by_opentelemetrys_middleware() {
    if !is_child(
        "span::interop::a_service_whose_span_starts_at_the_call_is_not_seen_by_opentelemetrys_middleware",
    ) {
        return;
    }
    let (_, exporter) = install_sdk();
    let server = ServerLayer::new();
    block_on(async {
        let call = server.layer(service_fn(at_the_call));
        call.oneshot(Request::default()).await.expect("a response");
        let poll = server.layer(service_fn(at_the_poll));
        poll.oneshot(Request::default()).await.expect("a response");
    });
    let spans = exporter.get_finished_spans().expect("the exported spans");
    assert_eq!(
        parents(&spans),
        [
            "GET < none",
            "GET < none",
            "at_the_call < none",
            "at_the_poll < GET"
        ]
    );
}
