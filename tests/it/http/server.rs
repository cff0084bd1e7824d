//! The server's side, without a network between.

use std::convert::Infallible;
use std::future::pending;
use std::panic::AssertUnwindSafe;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use axum::Router;
use axum::body::Body;
use axum::routing::any;
use enter_span::propagation::Trust;
use enter_span::testing::{RecordedSpan, Trace};
use enter_span::{Status, enter_span, inject};
use enter_span_http::ServerLayer;
use futures::{FutureExt as _, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider,
    ShouldSample,
};
use rstest::rstest;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::{all_told, assert_outline, record, run, text};
use crate::propagation::{PARENT, TRACE};
use crate::support::child::is_child;

type Served = Result<Response<Body>, Infallible>;

#[enter_span]
async fn handle(_: Request<Body>) -> Served {
    Ok(Response::new(Body::from("a body")))
}

fn status(code: u16) -> Response<Body> {
    let response = Response::builder().status(code);
    response.body(Body::from("a body")).expect("a response")
}

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).expect("a request")
}

/// What is recorded of a request that `answer` is the answer to, whose body is read.
fn served(layer: ServerLayer, request: Request<Body>, answer: Response<Body>) -> Trace {
    record(async |_| {
        let mut answer = Some(answer);
        let service = service_fn(move |_: Request<Body>| {
            let answer = answer.take().expect("one request");
            async { Ok::<_, Infallible>(answer) }
        });
        let response = layer.layer(service).oneshot(request).await;
        let body = response.expect("a response").into_body();
        body.collect().await.expect("a body");
    })
}

fn one(trace: &Trace) -> &RecordedSpan {
    let [span] = trace.spans() else {
        panic!("one span, and not\n{}", trace.tree());
    };
    assert!(span.is_ended(), "{}", trace.tree());
    span
}

/// All that a plain request tells, and nothing else: neither the query nor a header.
#[test]
fn a_request_is_told_by_the_conventions() {
    let mut request = get("/orders/7?token=secret");
    let headers = request.headers_mut();
    headers.insert("host", HeaderValue::from_static("shop.example:8443"));
    for name in ["authorization", "cookie", "user-agent", "x-api-key"] {
        headers.insert(name, HeaderValue::from_static("secret"));
    }
    let layer = ServerLayer::new().with_route(|_| Some("/orders/{id}".into()));
    let trace = served(layer, request, status(200));
    let span = one(&trace);
    assert_eq!((span.name(), span.kind()), ("GET /orders/{id}", "server"));
    assert_eq!(span.library().0, "enter-span-http");
    assert_eq!(
        all_told(span),
        [
            ("http.request.method", "GET".into()),
            ("http.response.status_code", 200.into()),
            ("http.route", "/orders/{id}".into()),
            ("network.protocol.version", "1.1".into()),
            ("server.address", "shop.example".into()),
            ("server.port", 8443.into()),
            ("url.path", "/orders/7".into()),
            ("url.scheme", "http".into()),
        ]
    );
    assert_eq!(span.status(), &Status::Unset);
    assert!(span.events().is_empty());
}

/// What is asked for is told, and of a signed URL not the signature.
#[test]
fn what_is_asked_for_is_told() {
    let mut request = get("https://[::1]:81/a?q=1&sig=secret&X-Amz-Signature=secret&sig");
    let headers = request.headers_mut();
    headers.insert("user-agent", HeaderValue::from_static("curl/8"));
    let layer = ServerLayer::new()
        .without_path()
        .with_query()
        .with_user_agent();
    let trace = served(layer.clone(), request, status(200));
    let span = one(&trace);
    assert_eq!(span.attribute("url.path"), text(""));
    assert_eq!(
        span.attribute("url.query"),
        text("q=1&sig=REDACTED&X-Amz-Signature=REDACTED&sig")
    );
    assert_eq!(span.attribute("user_agent.original"), text("curl/8"));
    assert_eq!(span.attribute("url.scheme"), text("https"));
    assert_eq!(span.attribute("server.address"), text("::1"));
    let behind = layer.with_scheme("https");
    let trace = served(behind, get("http://shop.example/"), status(200));
    assert_eq!(one(&trace).attribute("url.scheme"), text("https"));
}

/// A method that is not known is in no name.
#[rstest]
#[case("PATCH", "PATCH", "PATCH", "")]
#[case("get", "HTTP", "_OTHER", "get")]
#[case("MAKEUP", "HTTP", "_OTHER", "MAKEUP")]
#[case("PROPFIND", "PROPFIND", "PROPFIND", "")]
fn an_unknown_method_is_another(
    #[case] method: &'static str,
    #[case] name: &str,
    #[case] value: &str,
    #[case] original: &str,
) {
    let mut request = get("/orders");
    *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
    let layer = ServerLayer::new().with_methods(["PROPFIND"]);
    let trace = served(layer, request, status(200));
    let span = one(&trace);
    assert_eq!(span.name(), name);
    assert_eq!(span.attribute("http.request.method"), text(value));
    assert_eq!(
        span.attribute("http.request.method_original"),
        text(original)
    );
}

/// A 5xx is the server's error, a 4xx the caller's.
#[rstest]
#[case(200, "")]
#[case(302, "")]
#[case(404, "")]
#[case(499, "")]
#[case(500, "500")]
#[case(503, "503")]
fn a_5xx_is_an_error(#[case] code: u16, #[case] error: &str) {
    let trace = served(ServerLayer::new(), get("/"), status(code));
    let span = one(&trace);
    assert_eq!(
        span.attribute("http.response.status_code"),
        Some(code.into())
    );
    assert_eq!(span.attribute("error.type"), text(error));
    let expected = match error {
        "" => Status::Unset,
        _ => Status::error(""),
    };
    assert_eq!(span.status(), &expected);
    assert!(span.events().is_empty(), "a status is no exception");
}

/// axum's route is found, also in a nested router; a path that has none is in no name.
#[test]
fn the_route_is_axums() {
    let trace = record(async |_| {
        let orders = Router::new().route("/{id}", any(async || "an order"));
        let router: Router = Router::new()
            .nest("/orders", orders)
            .layer(ServerLayer::new());
        for path in ["/orders/7", "/no/such/path"] {
            let response = router.clone().oneshot(get(path)).await;
            let body = response.expect("a response").into_body();
            body.collect().await.expect("a body");
        }
    });
    assert_outline(&trace, "GET /orders/{id} [server]\nGET [server]");
    assert_eq!(
        trace.find("GET").attribute("http.response.status_code"),
        Some(404.into())
    );
}

/// A route that cannot be found costs nothing else.
#[test]
fn a_route_that_panics_is_none() {
    let layer = ServerLayer::new().with_route(|_| panic!("no route"));
    let trace = served(layer, get("/"), status(200));
    assert_eq!(one(&trace).name(), "GET");
}

/// The caller is the parent, whatever lies on the thread; and the handler is below.
#[rstest]
#[case(Trust::Parent, true, 0)]
#[case(Trust::Link, false, 1)]
#[case(Trust::Ignore, false, 0)]
fn the_caller_is_believed_as_far_as_said(
    #[case] trust: Trust,
    #[case] is_parent: bool,
    #[case] links: usize,
) {
    let trace = record(async |_| {
        let service = ServerLayer::new()
            .with_trust(trust)
            .layer(service_fn(handle));
        let mut request = get("/");
        let headers = request.headers_mut();
        headers.insert("traceparent", HeaderValue::from_static(PARENT));
        on_the_thread(service.oneshot(request)).await
    });
    let span = trace.find("GET");
    let parent = span.parent_id().map(|id| id.to_string());
    assert_eq!(parent.as_deref(), is_parent.then_some("b7ad6b7169203331"));
    let trace_id = span.span_context().trace_id().to_string();
    assert_eq!(trace_id == TRACE, is_parent);
    assert_eq!(span.links().len(), links);
    assert_eq!(trace.find("handle").parent_id(), Some(span.span_id()));
}

#[enter_span]
async fn on_the_thread<F: Future>(work: F) -> F::Output {
    work.await
}

/// Without a header, or with one that is wrong, it is a root, and the request is served.
#[rstest]
#[case(&[])]
#[case(&[("traceparent", b"\xff\x00".as_slice())])]
#[case(&[("traceparent", PARENT.as_bytes()), ("traceparent", PARENT.as_bytes())])]
#[case(&[("host", b"\xff".as_slice()), ("content-type", b"\xff")])]
fn bad_headers_fail_nothing(#[case] headers: &[(&'static str, &[u8])]) {
    let mut request = get("/");
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().append(*name, value);
        }
    }
    let trace = served(ServerLayer::new(), request, status(200));
    assert_eq!(one(&trace).parent_id(), None);
}

/// A caller that is not sampled has nothing recorded, and says so further on.
#[test]
fn a_caller_that_is_not_sampled_stays_so() {
    let sent = std::sync::Mutex::new(HeaderMap::new());
    let trace = record(async |_| {
        let service = ServerLayer::new().layer(service_fn(async |_: Request<Body>| {
            inject(&mut *sent.lock().expect("a map"));
            Ok::<_, Infallible>(status(200))
        }));
        let mut request = get("/");
        let parent = format!("00-{TRACE}-b7ad6b7169203331-00");
        let parent = HeaderValue::from_str(&parent).expect("a header");
        request.headers_mut().insert("traceparent", parent);
        service.oneshot(request).await
    });
    assert!(trace.spans().is_empty());
    let sent = sent.into_inner().expect("a map");
    let sent = sent["traceparent"].to_str().expect("a header");
    assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"));
}

#[enter_span]
fn part(number: u8) -> Result<String, Infallible> {
    Ok(number.to_string())
}

/// The span of a streamed response is open until the stream has ended, and the stream's own code
/// is in it, also that of its destructor.
#[test]
fn a_streamed_body_ends_the_span() {
    let trace = record(async |recorder| {
        let service = ServerLayer::new().layer(service_fn(async |_: Request<Body>| {
            let owned = Tells("drop");
            let parts = stream::iter([1, 2]).map(move |number| {
                let _kept = &owned;
                part(number)
            });
            Ok::<_, Infallible>(Response::new(Body::from_stream(parts)))
        }));
        let response = service.oneshot(get("/")).await.expect("a response");
        let is_ended = || recorder.trace().find("GET").is_ended();
        assert!(!is_ended(), "the head is there, and nothing else");
        let mut body = response.into_body();
        for _ in 0..2 {
            body.frame().await.expect("a part").expect("a good one");
            assert!(!is_ended());
        }
        assert!(body.frame().await.is_none());
        assert!(is_ended());
        assert!(body.frame().await.is_none(), "it stays at its end");
    });
    assert_outline(&trace, "GET [server]\n  part\n  part\n  drop");
    assert_eq!(trace.find("GET").attribute("enter_span.outcome"), text(""));
}

/// A body of a known length ends with its last byte, which is the last that a connection asks for; and
/// one that there is not, with the head.
#[rstest]
#[case(Method::GET, Response::new(Body::from("a body")))]
#[case(Method::GET, status(204))]
#[case(Method::GET, status(304))]
#[case(Method::GET, Response::new(Body::empty()))]
#[case(Method::HEAD, status(200))]
#[case(Method::GET, announced())]
fn the_last_byte_is_the_end(#[case] method: Method, #[case] answer: Response<Body>) {
    let is_read = method == Method::GET && answer.status() == StatusCode::OK;
    let trace = record(async |_| {
        let mut answer = Some(answer);
        let service = service_fn(move |_: Request<Body>| {
            let answer = answer.take().expect("one request");
            async { Ok::<_, Infallible>(answer) }
        });
        let mut request = get("/");
        *request.method_mut() = method;
        let response = ServerLayer::new().layer(service).oneshot(request).await;
        let mut body = response.expect("a response").into_body();
        if is_read {
            body.frame().await;
        }
    });
    assert_eq!(one(&trace).attribute("enter_span.outcome"), text(""));
}

/// A stream whose length is announced by a header.
fn announced() -> Response<Body> {
    let parts = stream::iter(["a body"]).map(Ok::<_, Infallible>);
    let parts = parts.chain(stream::pending());
    let response = Response::builder().header("content-length", "6");
    response.body(Body::from_stream(parts)).expect("a response")
}

struct Tells(&'static str);

impl Drop for Tells {
    fn drop(&mut self) {
        enter_span(self.0, |_| ());
    }
}

/// A body that is dropped before its end is cancelled, and what it owns drops inside of the span.
#[test]
fn a_body_that_is_dropped_is_cancelled() {
    let trace = record(async |_| {
        let service = ServerLayer::new().layer(service_fn(async |_: Request<Body>| {
            let owned = Tells("drop");
            let parts = stream::repeat_with(move || {
                let _kept = &owned;
                part(1)
            });
            Ok::<_, Infallible>(Response::new(Body::from_stream(parts)))
        }));
        let response = service.oneshot(get("/")).await.expect("a response");
        let mut body = response.into_body();
        body.frame().await.expect("a part").expect("a good one");
    });
    assert_outline(&trace, "GET [server]\n  part\n  drop");
    let span = trace.find("GET");
    assert!(span.is_ended());
    assert_eq!(span.attribute("enter_span.outcome"), text("cancelled"));
    assert_eq!(span.status(), &Status::Unset);
}

/// A caller that goes before there is an answer has cancelled the request.
#[test]
fn a_request_that_is_dropped_is_cancelled() {
    let trace = record(async |_| {
        let service = ServerLayer::new().layer(service_fn(async |_: Request<Body>| {
            let _owned = Tells("drop");
            pending::<Served>().await
        }));
        let mut response = Box::pin(service.oneshot(get("/")));
        assert!(futures::poll!(&mut response).is_pending());
    });
    assert_outline(&trace, "GET [server]\n  drop");
    let span = trace.find("GET");
    assert_eq!(span.attribute("enter_span.outcome"), text("cancelled"));
    assert_eq!(span.attribute("http.response.status_code"), text(""));
}

#[derive(Debug)]
struct Torn;

impl std::fmt::Display for Torn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("it tore")
    }
}

/// An error of the body is an error of the span, and so is one of the service.
#[test]
fn errors_are_told() {
    let trace = record(async |_| {
        let service = ServerLayer::new().layer(service_fn(async |_: Request<Body>| {
            let torn = stream::iter([Err::<Frame<&'static [u8]>, _>(Torn)]);
            Ok::<_, Infallible>(Response::new(StreamBody::new(torn)))
        }));
        let response = service.oneshot(get("/")).await.expect("a response");
        assert!(response.into_body().collect().await.is_err());
        let failing = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(Torn));
        assert!(
            ServerLayer::new()
                .layer(failing)
                .oneshot(get("/"))
                .await
                .is_err()
        );
    });
    for span in trace.spans() {
        assert!(is_torn(span));
        assert_eq!(span.status(), &Status::error("it tore"));
        assert_eq!(span.events().len(), 1);
    }
    assert_eq!(trace.spans().len(), 2);
}

fn is_torn(span: &RecordedSpan) -> bool {
    span.attribute("error.type") == text(std::any::type_name::<Torn>())
}

/// A panic marks the span and passes, also where a layer around catches it: in the call, in the future
/// and in the body.
#[rstest]
#[case(0)]
#[case(1)]
#[case(2)]
fn a_panic_is_told_and_passes(#[case] place: u8) {
    let trace = record(async |_| {
        let service = ServerLayer::new().layer(service_fn(move |_: Request<Body>| {
            assert_ne!(place, 0, "panics here");
            async move {
                assert_ne!(place, 1, "panics here");
                let parts =
                    stream::repeat_with(|| -> Result<String, Infallible> { panic!("panics here") });
                Ok::<_, Infallible>(Response::new(Body::from_stream(parts)))
            }
        }));
        let work = async {
            let response = service.oneshot(get("/")).await.expect("a response");
            response.into_body().collect().await
        };
        assert!(AssertUnwindSafe(work).catch_unwind().await.is_err());
    });
    let span = one(&trace);
    assert_eq!(span.attribute("error.type"), text("panic"));
    assert_eq!(span.attribute("enter_span.outcome"), text(""));
}

/// Leaves out what has a path that it knows.
#[derive(Clone, Debug)]
struct WithoutHealth;

impl ShouldSample for WithoutHealth {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let health = KeyValue::new("url.path", "/health");
        SamplingResult {
            decision: if attributes.contains(&health) {
                SamplingDecision::Drop
            } else {
                SamplingDecision::RecordAndSample
            },
            attributes: Vec::new(),
            trace_state: Default::default(),
        }
    }
}

/// Samplers see what the conventions want them to see.
#[test]
fn samplers_see_the_path() {
    if !is_child("http::server::samplers_see_the_path") {
        return;
    }
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(WithoutHealth)))
        .with_simple_exporter(exporter.clone());
    enter_span::set_tracer_provider(provider.build());
    run(async {
        for path in ["/health", "/orders"] {
            let service = ServerLayer::new().layer(service_fn(handle));
            let response = service.oneshot(get(path)).await.expect("a response");
            response.into_body().collect().await.expect("a body");
        }
    });
    let spans = exporter.get_finished_spans().expect("the exported spans");
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["handle", "GET"]);
}
