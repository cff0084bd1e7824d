//! Instrumentation that is not ours: hyper, tower, tower-http, tonic, sqlx.

use std::convert::Infallible;
use std::future::IntoFuture as _;

use ::http::{Request, Response, StatusCode};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use enter_span::enter_span;
use enter_span::testing::Recorder;
use enter_span_http::{ClientLayer, ServerLayer};
use enter_span_pipeline::Pipeline;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::SpanId;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tower::buffer::Buffer;
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};
use tower_http::trace::TraceLayer;
use tracing::dispatcher::with_default;
use tracing::{Instrument as _, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, registry};

use super::{dispatch, layer, record_async};
use crate::http::run;
use crate::pipeline::{AGES, finished, in_memory};
use crate::support::child::is_child;

#[enter_span]
async fn answer() -> &'static str {
    info!("in ours");
    "an answer"
}

/// tower-http's spans are around the handler, and its events on them.
#[test]
fn tower_https_spans_are_around_a_handler() {
    let trace = record_async(async {
        let service = service_fn(async |_: Request<Body>| {
            Ok::<_, Infallible>(Response::new(Body::from(answer().await)))
        });
        let service = TraceLayer::new_for_http().layer(service);
        let request = Request::get("/orders").body(Body::empty());
        let request = request.expect("a request");
        let around = enter_span::enter_span_async("around", async |_: enter_span::Span| {
            service.oneshot(request).await
        });
        around.await.expect("an answer");
    });
    trace.assert_tree(
        "
        around
          request method=GET uri=/orders version=HTTP/1.1
            answer
        ",
    );
    let request = trace.find("request");
    assert_eq!(request.library(), ("tower-http", None));
    request
        .assert_event("started processing request", ())
        .assert_event("finished processing request", [("status", 200)]);
    trace.find("answer").assert_event("in ours", ());
}

/// tower's buffer runs a service in a task of its own, in the span of each caller.
#[test]
fn towers_buffer_keeps_the_span_of_each_caller() {
    let trace = record_async(async {
        let service = service_fn(|name: &'static str| {
            info_span!("served", name).in_scope(|| enter_span::enter_span("called", |_| ()));
            async { Ok::<_, Infallible>(()) }
        });
        let buffer = Buffer::new(service, 4);
        let call = |name: &'static str| {
            let mut buffer = buffer.clone();
            async move { buffer.ready().await.expect("room").call(name).await }
                .instrument(info_span!("caller", name))
        };
        let (first, second) = futures::join!(call("first"), call("second"));
        first.and(second).expect("answers");
    });
    let tree = |name: &str| format!("caller name={name}\n  served name={name}\n    called\n");
    trace
        .sorted()
        .assert_tree(&(tree("first") + &tree("second")));
}

struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    #[instrument(skip_all)]
    async fn export(
        &self,
        _: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        answer().await;
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A call by gRPC over loopback, with a span of tonic's and one of ours on both sides.
async fn call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (shut_down, done) = oneshot::channel::<()>();
    let server = Server::builder()
        .trace_fn(|_| info_span!("tonic"))
        .layer(ServerLayer::new())
        .add_service(TraceServiceServer::new(Collector))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async { _ = done.await });
    let server = tokio::spawn(server);
    let channel = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let channel = ClientLayer::new().layer(channel.connect_lazy());
    let mut client = TraceServiceClient::new(channel);
    let request = ExportTraceServiceRequest::default();
    client.export(request).await.expect("an answer");
    // Spans end with the server, and not with what the client has read.
    drop((client, shut_down));
    server.await.expect("a task").expect("a server");
}

/// A pipeline that is the process's, with this filter for the layer's subscriber.
pub(super) fn installed(filter: &str) -> (Pipeline, InMemorySpanExporter) {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = builder.install().expect("no other one");
    let subscriber = registry().with(EnvFilter::new(filter)).with(layer());
    tracing::subscriber::set_global_default(subscriber).expect("no other one");
    (pipeline, exporter)
}

/// The names from a span up to its root.
fn path<'a>(spans: &'a [SpanData], name: &str) -> Vec<&'a str> {
    let mut found = spans.iter().find(|span| span.name == name);
    let mut path = Vec::new();
    while let Some(span) = found {
        path.push(&*span.name);
        let parent = span.parent_span_id;
        let is_parent = |other: &&SpanData| other.span_context.span_id() == parent;
        found = spans.iter().find(is_parent);
        if found.is_none() {
            assert_eq!(parent, SpanId::INVALID, "{} has lost its parent", span.name);
        }
    }
    path
}

const EXPORT: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// tonic, over h2: one tree over the wire, and the spans of h2 are h2's own.
#[test]
fn a_call_by_tonic_is_one_tree() {
    if !is_child("tracing::libraries::a_call_by_tonic_is_one_tree") {
        return;
    }
    let (pipeline, exporter) = installed("info,h2=trace");
    run(async {
        call().instrument(info_span!("caller")).await;
    });
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    assert_eq!(
        path(&spans, "answer"),
        ["answer", "export", EXPORT, EXPORT, "caller"]
    );
    let scope = |span: &SpanData| span.instrumentation_scope.name().to_owned();
    assert!(spans.iter().any(|span| scope(span) == "h2"));
}

/// With `h2` muted there is nothing of it.
#[test]
fn h2_is_muted_by_its_name() {
    const TEST: &str = "tracing::libraries::h2_is_muted_by_its_name";
    if !crate::support::child::is_child_with(TEST, &[("ENTER_SPAN_SCOPES", "h2=off")]) {
        return;
    }
    let (pipeline, exporter) = installed("info,h2=trace");
    run(call());
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    assert!(path(&spans, "answer").len() > 3);
    let mut scopes = spans.iter().map(|span| span.instrumentation_scope.name());
    assert!(scopes.all(|scope| scope != "h2"));
}

#[instrument(skip_all)]
async fn find(State(pool): State<SqlitePool>) -> String {
    let query = sqlx::query_scalar::<_, i64>("SELECT 3");
    let rows = query.fetch_one(&pool).await.expect("a row");
    answer().await;
    rows.to_string()
}

async fn request(url: String) -> StatusCode {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = ClientLayer::new().layer(client);
    let request = Request::get(url).body(Body::empty()).expect("a request");
    let response = client.oneshot(request).await.expect("an answer");
    let status = response.status();
    response.into_body().collect().await.expect("a body");
    status
}

/// A service of axum, tower-http, hyper, sqlx and `enter-span`, on several threads: one tree, with the events
/// where they happen, also those of sqlx's worker thread.
#[test]
fn a_service_is_one_tree() {
    if !is_child("tracing::libraries::a_service_is_one_tree") {
        return;
    }
    let (pipeline, exporter) = installed("info,tower_http=debug,sqlx=debug");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.expect("a database");
        let router = Router::new().route("/orders/{id}", get(find));
        let router = router
            .layer(TraceLayer::new_for_http())
            .layer(ServerLayer::new())
            .with_state(pool.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!(
            "http://{}/orders/7",
            listener.local_addr().expect("its address")
        );
        let (shut_down, done) = oneshot::channel::<()>();
        let server = axum::serve(listener, router);
        let server = server.with_graceful_shutdown(async { _ = done.await });
        let server = tokio::spawn(server.into_future());
        let response = tokio::spawn(request(url).instrument(info_span!("caller")));
        assert_eq!(response.await.expect("a task"), 200);
        // What others hold of the spans, they hold for a moment longer.
        drop(shut_down);
        server.await.expect("a task").expect("a server");
        pool.close().await;
    });
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    let path = path(&spans, "answer");
    let (last, first) = (&path[..3], &path[path.len() - 2..]);
    assert_eq!(last, ["answer", "find", "request"]);
    assert_eq!(first, ["GET", "caller"]);
    assert_eq!(path.len(), 6);
    let find = spans.iter().find(|span| span.name == "find");
    let events = find.expect("the handler").events.iter();
    let targets = events.filter(|event| event.name == "sqlx::query").count();
    assert_eq!(targets, 1);
}

/// A task of a library that is spawned in a span of `tracing` that was current.
#[test]
fn what_carries_the_current_span_is_below_it() {
    let trace = with_default(&dispatch(), || {
        let recorder = Recorder::new();
        recorder.run(|| {
            info_span!("request").in_scope(|| {
                let span = tracing::Span::current();
                let dispatch = tracing::dispatcher::get_default(Clone::clone);
                let work = move || {
                    with_default(&dispatch, || {
                        let _entered = span.enter();
                        info!("on the worker");
                        enter_span::enter_span("job", |_| ());
                    });
                };
                std::thread::spawn(work).join().expect("a thread");
            });
        })
    });
    trace.assert_tree("request\n  job");
    trace.find("request").assert_event("on the worker", ());
}
