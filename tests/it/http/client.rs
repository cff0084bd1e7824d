//! The client's side, without a network between.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, pending, ready};
use std::io;
use std::sync::{Arc, Mutex};

use ::http::{HeaderMap, HeaderValue, Request, Response};
use axum::body::Body;
use enter_span::propagation::Destinations;
use enter_span::testing::{RecordedSpan, Trace};
use enter_span::{Status, enter_span};
use enter_span_http::{ClientLayer, ResponseBody, UrlTemplate};
use http_body_util::BodyExt as _;
use rstest::rstest;
use tower::retry::{Policy, RetryLayer};
use tower::{Layer as _, ServiceBuilder, ServiceExt as _, service_fn};

use super::{all_told, assert_outline, record, text};
use crate::propagation::PARENT;

type BoxError = Box<dyn Error + Send + Sync>;

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).expect("a request")
}

fn status(code: u16) -> Response<Body> {
    let response = Response::builder().status(code);
    response.body(Body::from("a body")).expect("a response")
}

#[enter_span]
async fn caller<F: Future>(work: F) -> F::Output {
    work.await
}

/// What is recorded of a request below `caller`, and the headers that it was sent with.
fn sent(layer: ClientLayer, request: Request<Body>, code: u16) -> (Trace, HeaderMap) {
    let headers = Mutex::new(HeaderMap::new());
    let trace = record(async |_| {
        let service = layer.layer(service_fn(async |request: Request<Body>| {
            *headers.lock().expect("a map") = request.headers().clone();
            Ok::<_, Infallible>(status(code))
        }));
        let response = caller(service.oneshot(request)).await;
        let body = response.expect("a response").into_body();
        body.collect().await.expect("a body");
    });
    (trace, headers.into_inner().expect("a map"))
}

fn client(trace: &Trace) -> &RecordedSpan {
    let mut clients = trace.spans().iter().filter(|span| span.kind() == "client");
    let span = clients.next().expect("a client");
    assert!(
        span.is_ended() && clients.next().is_none(),
        "{}",
        trace.tree()
    );
    span
}

fn header(span: &RecordedSpan) -> String {
    let trace = span.span_context().trace_id();
    format!("00-{trace}-{}-01", span.span_id())
}

/// All that a plain request tells, and nothing else: no user, no password, no query, no header.
#[test]
fn a_request_is_told_by_the_conventions() {
    let mut request = get("http://user:secret@api.internal:8080/orders/7?token=secret");
    let secret = HeaderValue::from_static("secret");
    request.headers_mut().insert("authorization", secret);
    request
        .extensions_mut()
        .insert(UrlTemplate("/orders/{id}".into()));
    let (trace, _) = sent(ClientLayer::new(), request, 200);
    assert_outline(&trace, "caller\n  GET /orders/{id} [client]");
    let span = client(&trace);
    assert_eq!(
        all_told(span),
        [
            ("http.request.method", "GET".into()),
            ("http.response.status_code", 200.into()),
            ("network.protocol.version", "1.1".into()),
            ("server.address", "api.internal".into()),
            ("server.port", 8080.into()),
            ("url.full", "http://api.internal:8080/orders/7".into()),
            ("url.template", "/orders/{id}".into()),
        ]
    );
}

/// The port is that of the scheme, and of the URL only as much is told as was asked for.
#[rstest]
#[case("http://a.test/x?q=1", 80, "http://a.test/x?q=1", "http://a.test")]
#[case(
    "https://[::1]/?sig=s",
    443,
    "https://[::1]/?sig=REDACTED",
    "https://[::1]"
)]
fn a_url_is_told_as_far_as_said(
    #[case] uri: &str,
    #[case] port: i64,
    #[case] with_query: &str,
    #[case] without_path: &str,
) {
    let (trace, _) = sent(ClientLayer::new().with_query(), get(uri), 200);
    assert_eq!(client(&trace).attribute("url.full"), text(with_query));
    assert_eq!(client(&trace).attribute("server.port"), Some(port.into()));
    assert_eq!(client(&trace).name(), "GET");
    let (trace, _) = sent(ClientLayer::new().without_path(), get(uri), 200);
    assert_eq!(client(&trace).attribute("url.full"), text(without_path));
}

/// A 4xx is an error of the client's too, without an event: the status says it all.
#[rstest]
#[case(201, "")]
#[case(304, "")]
#[case(409, "409")]
#[case(500, "500")]
fn a_4xx_is_an_error(#[case] code: u16, #[case] error: &str) {
    let (trace, _) = sent(ClientLayer::new(), get("http://a.test/"), code);
    let span = client(&trace);
    assert_eq!(span.attribute("error.type"), text(error));
    assert_eq!(
        span.attribute("http.response.status_code"),
        Some(code.into())
    );
    let expected = match error {
        "" => Status::Unset,
        _ => Status::error(""),
    };
    assert_eq!(span.status(), &expected);
    assert!(span.events().is_empty());
}

/// The header names the client's span, which is below the caller's, for what is read and for
/// what is written.
#[rstest]
#[case("GET")]
#[case("PUT")]
fn the_receiver_is_told_of_the_client(#[case] method: &str) {
    let mut request = get("http://a.test/");
    *request.method_mut() = method.parse().expect("a method");
    *request.body_mut() = Body::from("a chunk");
    let (trace, headers) = sent(ClientLayer::new(), request, 200);
    assert_outline(&trace, &format!("caller\n  {method} [client]"));
    assert_eq!(headers["traceparent"], header(client(&trace)));
}

/// Without a span around, it is the root.
#[test]
fn without_a_caller_it_is_a_root() {
    let trace = record(async |_| {
        let service = service_fn(async |request: Request<Body>| {
            assert!(request.headers().contains_key("traceparent"));
            Ok::<_, Infallible>(status(200))
        });
        let service = ClientLayer::new().layer(service);
        service.oneshot(get("http://a.test/")).await
    });
    assert_outline(&trace, "GET [client]");
}

/// Headers that are there are replaced, once, and none is doubled.
#[test]
fn headers_are_replaced_once() {
    let mut request = get("http://a.test/");
    for name in ["traceparent", "tracestate", "other"] {
        for value in [PARENT, "twice"] {
            request
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
    }
    let (trace, headers) = sent(ClientLayer::new(), request, 200);
    let values: Vec<_> = headers.get_all("traceparent").iter().collect();
    assert_eq!(values, [&header(client(&trace))]);
    assert_eq!(headers.get("tracestate"), None, "that of another trace");
    assert_eq!(headers.get_all("other").iter().count(), 2);
}

/// The caller chooses the destinations. A request without a host gets the context if all hosts do.
#[rstest]
#[case(Destinations::hosts(["*.internal"]), "http://api.internal/", true)]
#[case(Destinations::hosts(["*.internal"]), "http://API.internal:81/", true)]
#[case(Destinations::hosts(["*.internal"]), "http://api.internal.test/", false)]
#[case(Destinations::hosts(["*.internal"]), "/path", false)]
#[case(Destinations::hosts(["[::1]"]), "http://[::1]:81/", true)]
#[case(Destinations::all(), "/path", true)]
#[case(Destinations::none(), "http://api.internal/", false)]
#[case(Destinations::when(|_| panic!("undecided")), "http://api.internal/", false)]
fn only_destinations_are_told(
    #[case] destinations: Destinations,
    #[case] uri: &str,
    #[case] is_told: bool,
) {
    let layer = ClientLayer::new().with_destinations(destinations);
    let (trace, headers) = sent(layer, get(uri), 200);
    assert_eq!(headers.contains_key("traceparent"), is_told);
    assert_eq!(client(&trace).name(), "GET", "a span all the same");
}

/// A host that the request does not name can be said.
#[test]
fn a_host_can_be_said() {
    let layer = ClientLayer::new()
        .with_server("api.internal:50051")
        .with_destinations(Destinations::hosts(["api.internal"]));
    let (trace, headers) = sent(layer, get("/path"), 200);
    assert!(headers.contains_key("traceparent"));
    let span = client(&trace);
    assert_eq!(span.attribute("server.address"), text("api.internal"));
    assert_eq!(span.attribute("server.port"), Some(50051.into()));
    let nonsense = ClientLayer::new().with_server("\u{e9}/ /");
    let (trace, _) = sent(nonsense, get("/path"), 200);
    assert_eq!(client(&trace).attribute("server.address"), None);
}

fn late() -> BoxError {
    io::Error::new(io::ErrorKind::TimedOut, "too late").into()
}

fn refused() -> BoxError {
    io::Error::new(io::ErrorKind::ConnectionRefused, "nobody there").into()
}

fn strange() -> BoxError {
    "strange".into()
}

/// Without an answer there is an error, and no status code.
#[rstest]
#[case(late(), "timeout", "too late")]
#[case(refused(), "std::io::error::Error", "nobody there")]
#[case(strange(), "_OTHER", "strange")]
fn a_dead_socket_is_an_error(#[case] error: BoxError, #[case] kind: &str, #[case] message: &str) {
    let message = message.to_owned();
    let trace = record(async |_| {
        let answer = ready(Err::<Response<Body>, _>(error));
        let mut answer = Some(answer);
        let service = service_fn(move |_: Request<Body>| answer.take().expect("one request"));
        let service = ClientLayer::new().layer(service);
        assert!(service.oneshot(get("http://a.test/")).await.is_err());
    });
    let span = client(&trace);
    assert_eq!(span.attribute("error.type"), text(kind));
    assert_eq!(span.status(), &Status::error(message));
    assert_eq!(span.attribute("http.response.status_code"), None);
    assert_eq!(span.events().len(), 1);
}

/// Once more, if it was the server's fault.
#[derive(Clone)]
struct Again;

impl Policy<Request<()>, Response<ResponseBody<Body>>, Infallible> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<()>,
        result: &mut Result<Response<ResponseBody<Body>>, Infallible>,
    ) -> Option<Ready<()>> {
        let response = result.as_ref().expect("a response");
        response.status().is_server_error().then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<()>) -> Option<Request<()>> {
        Some(request.clone())
    }
}

/// Each attempt is a span of its own, with a header of its own.
#[test]
fn each_attempt_is_a_span() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let trace = record(async |_| {
        let seen = Arc::clone(&seen);
        let service = service_fn(move |request: Request<()>| {
            let mut seen = seen.lock().expect("a list");
            seen.push(request.headers()["traceparent"].clone());
            let code = if seen.len() == 1 { 500 } else { 201 };
            ready(Ok::<_, Infallible>(status(code)))
        });
        let client = ServiceBuilder::new().layer(RetryLayer::new(Again));
        let client = client.layer(ClientLayer::new()).service(service);
        let request = Request::post("http://a.test/").body(());
        let response = caller(client.oneshot(request.expect("a request"))).await;
        let body = response.expect("a response").into_body();
        body.collect().await.expect("a body");
    });
    assert_outline(&trace, "caller\n  POST [client]\n  POST [client]");
    let attempts: Vec<_> = trace.spans().iter().skip(1).collect();
    let code = |span: &RecordedSpan| span.attribute("http.response.status_code");
    assert_eq!(code(attempts[0]), Some(500.into()));
    assert_eq!(code(attempts[1]), Some(201.into()));
    let headers: Vec<_> = attempts.iter().map(|span| header(span)).collect();
    assert_eq!(*seen.lock().expect("a list"), headers);
}

/// A response that nobody reads, and one that nobody waits for, is cancelled and no error.
#[rstest]
#[case(true)]
#[case(false)]
fn what_is_dropped_is_cancelled(#[case] is_answered: bool) {
    let trace = record(async |_| {
        let service = ClientLayer::new().layer(service_fn(move |_: Request<Body>| async move {
            if is_answered {
                Ok::<_, Infallible>(status(200))
            } else {
                pending().await
            }
        }));
        let mut response = Box::pin(service.oneshot(get("http://a.test/")));
        assert_eq!(futures::poll!(&mut response).is_ready(), is_answered);
    });
    let span = client(&trace);
    assert_eq!(span.attribute("enter_span.outcome"), text("cancelled"));
    assert_eq!(span.status(), &Status::Unset);
}
