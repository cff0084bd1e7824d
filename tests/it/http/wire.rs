//! Over loopback, from our client to our server.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use ::http::{Method, Request, Response};
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::{any, get};
use enter_span::enter_span;
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span_http::{ClientLayer, ResponseBody, ServerLayer, Traced};
use futures::future::join_all;
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::ClientBuilder;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::{Layer as _, ServiceExt as _};

use super::{assert_outline, record, serve, text};

type Http = Traced<ClientLayer, Hyper<HttpConnector, Body>>;

fn hyper() -> Http {
    let client = Hyper::builder(TokioExecutor::new()).build_http();
    ClientLayer::new().layer(client)
}

type Received = Response<ResponseBody<hyper::body::Incoming>>;

async fn send(client: Http, method: Method, url: &str) -> Received {
    let request = Request::builder().method(method).uri(url);
    let request = request.body(Body::empty()).expect("a request");
    client.oneshot(request).await.expect("a response")
}

async fn read(response: Received) -> String {
    let body = response.into_body().collect().await.expect("a body");
    String::from_utf8(body.to_bytes().to_vec()).expect("text")
}

#[enter_span]
async fn checkout(url: String) -> String {
    read(send(hyper(), Method::GET, &url).await).await
}

#[enter_span]
async fn find(Path(id): Path<u32>) -> String {
    tokio::task::yield_now().await;
    id.to_string()
}

fn orders() -> Router {
    let router = Router::new().route("/orders/{id}", get(find));
    router.layer(ServerLayer::new())
}

/// One trace, from the caller to the handler, each below the one before.
#[test]
fn a_request_is_one_line() {
    let trace = record(async |recorder| {
        let url = serve(&recorder, orders()).await;
        assert_eq!(checkout(format!("{url}/orders/7")).await, "7");
    });
    assert_outline(
        &trace,
        "
        checkout
          GET [client]
            GET /orders/{id} [server]
              find
        ",
    );
    let ids = trace
        .spans()
        .iter()
        .map(|span| span.span_context().trace_id());
    let first = trace.spans()[0].span_context().trace_id();
    assert!({ ids }.all(|id| id == first), "one trace");
    assert_whole(&trace);
}

/// All have ended, and none as cancelled.
#[track_caller]
fn assert_whole(trace: &Trace) {
    let is_whole =
        |span: &RecordedSpan| span.is_ended() && span.attribute("enter_span.outcome").is_none();
    assert!(trace.spans().iter().all(is_whole), "{}", trace.tree());
}

#[enter_span(name = format!("caller {id}"))]
async fn order(client: Http, url: &str, id: u32) {
    let response = send(client, Method::GET, &format!("{url}/orders/{id}")).await;
    assert_eq!(read(response).await, id.to_string());
}

/// Fifty at a time, over connections that are used again: each has its own parents.
#[test]
fn concurrent_requests_do_not_mix() {
    let trace = record(async |recorder| {
        let url = serve(&recorder, orders()).await;
        let client = hyper();
        let requests = (0..50).map(|id| order(client.clone(), &url, id));
        join_all(requests).await;
    });
    let parent = |span: &RecordedSpan| {
        let mut spans = trace.spans().iter();
        spans.find(|above| Some(above.span_id()) == span.parent_id())
    };
    assert_eq!(trace.spans().len(), 200);
    for span in trace.spans().iter().filter(|span| span.kind() == "server") {
        let client = parent(span).expect("a client");
        let caller = parent(client).expect("a caller");
        let id = caller.name().strip_prefix("caller ").expect("an id");
        let path = format!("/orders/{id}");
        assert_eq!(span.attribute("url.path"), text(&path));
    }
    assert_whole(&trace);
}

/// The head is there and the spans are open, on both sides, until the stream has ended.
#[test]
fn a_stream_keeps_both_spans_open() {
    let trace = record(async |recorder| {
        let (more, waits) = oneshot::channel::<()>();
        let waits = Arc::new(Mutex::new(Some(waits)));
        let stream = move || {
            let waits = waits.lock().expect("a lock").take();
            async move {
                let last = stream::once(async move {
                    waits.expect("one request").await.expect("a word");
                    enter_span("last part", |_| Ok::<_, Infallible>("last"))
                });
                Body::from_stream(stream::iter(["first"].map(Ok)).chain(last))
            }
        };
        let router = Router::new()
            .route("/stream", get(stream))
            .layer(ServerLayer::new());
        let url = serve(&recorder, router).await;
        let response = send(hyper(), Method::GET, &format!("{url}/stream")).await;
        let mut body = response.into_body();
        let first = body.frame().await.expect("a part").expect("a good one");
        assert_eq!(first.data_ref().expect("data"), "first");
        let names = ["GET", "GET /stream"];
        let are_ended = || names.map(|name| recorder.trace().find(name).is_ended());
        assert_eq!(are_ended(), [false, false]);
        more.send(()).expect("the stream waits");
        assert_eq!(body.collect().await.expect("the rest").to_bytes(), "last");
        assert_eq!(are_ended(), [true, true]);
    });
    assert_outline(
        &trace,
        "GET [client]\n  GET /stream [server]\n    last part",
    );
    assert_whole(&trace);
}

/// What a connection does not ask for any more was not cut off: no body, an empty one, one of a known
/// length.
#[rstest]
#[case(Method::GET, "/text")]
#[case(Method::HEAD, "/text")]
#[case(Method::GET, "/empty")]
#[case(Method::GET, "/announced")]
#[case(Method::GET, "/none")]
fn a_whole_response_is_not_cancelled(#[case] method: Method, #[case] path: &str) {
    let announced = async || {
        let body = Body::from_stream(stream::iter(["a body"]).map(Ok::<_, Infallible>));
        ([("content-length", "6")], body)
    };
    let trace = record(async |recorder| {
        let router = Router::new()
            .route("/text", any(async || "a body"))
            .route("/empty", any(async || ""))
            .route("/none", any(async || ::http::StatusCode::NO_CONTENT))
            .route("/announced", any(announced))
            .layer(ServerLayer::new());
        let url = serve(&recorder, router).await;
        read(send(hyper(), method, &format!("{url}{path}")).await).await;
    });
    assert_eq!(trace.spans().len(), 2);
    assert_whole(&trace);
}

/// A caller that goes in the middle of a stream has cancelled it, on both sides.
#[test]
fn a_caller_that_goes_cancels() {
    let trace = record(async |recorder| {
        let endless = async || {
            let parts = stream::repeat("part").map(Ok::<_, Infallible>);
            Body::from_stream(parts.then(async |part| {
                tokio::task::yield_now().await;
                part
            }))
        };
        let router = Router::new()
            .route("/", get(endless))
            .layer(ServerLayer::new());
        let url = serve(&recorder, router).await;
        let response = send(hyper(), Method::GET, &url).await;
        let mut body = response.into_body();
        body.frame().await.expect("a part").expect("a good one");
        drop(body);
        ended(&recorder).await;
    });
    assert_eq!(trace.spans().len(), 2);
    for span in trace.spans() {
        assert_eq!(span.attribute("enter_span.outcome"), text("cancelled"));
    }
}

/// Waits until all spans have ended.
async fn ended(recorder: &Recorder) {
    while !recorder.trace().spans().iter().all(RecordedSpan::is_ended) {
        tokio::task::yield_now().await;
    }
}

/// Answers one request on a plain socket, and gives the lines of its head.
async fn listen(listener: TcpListener) -> Vec<String> {
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("a byte"));
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    socket.write_all(answer).await.expect("a socket");
    let head = String::from_utf8(head).expect("text");
    head.lines().map(str::to_ascii_lowercase).collect()
}

/// Which library sends.
#[derive(Clone, Copy)]
enum Transport {
    Hyper,
    Reqwest,
}

impl Transport {
    #[enter_span("flow-invocation")]
    async fn get(self, url: &str) -> String {
        match self {
            Transport::Hyper => read(send(hyper(), Method::GET, url).await).await,
            Transport::Reqwest => {
                let client = ClientBuilder::new(reqwest::Client::new());
                let client = client.with(ClientLayer::new()).build();
                let response = client.get(url).header("traceparent", "theirs").send();
                let response = response.await.expect("a response");
                response.text().await.expect("a body")
            }
        }
    }
}

/// Each transport writes the header, once, and it names the client's span: read off the wire.
#[rstest]
#[case(Transport::Hyper)]
#[case(Transport::Reqwest)]
fn the_header_is_on_the_wire(#[case] transport: Transport) {
    let mut head = Vec::new();
    let trace = record(async |_| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let url = format!("http://{address}/");
        let (lines, body) = tokio::join!(listen(listener), transport.get(&url));
        assert_eq!(body, "ok");
        head = lines;
    });
    assert_outline(&trace, "flow-invocation\n  GET [client]");
    let client = trace.find("GET");
    let trace_id = client.span_context().trace_id();
    let expected = format!("traceparent: 00-{trace_id}-{}-01", client.span_id());
    let mut named = head.iter().filter(|line| line.starts_with("traceparent"));
    assert_eq!((named.next(), named.next()), (Some(&expected), None));
    assert_whole(&trace);
}
