//! The client's side by reqwest.

use ::http::StatusCode;
use ::reqwest::{Request, Response, Url};
use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use enter_span::propagation::Destinations;
use enter_span::testing::Trace;
use enter_span::{Status, enter_span};
use enter_span_http::{ClientLayer, ServerLayer, UrlTemplate};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tokio::net::TcpListener;

use super::{all_told, assert_outline, record, serve, text};

fn client(layer: ClientLayer) -> ClientWithMiddleware {
    ClientBuilder::new(::reqwest::Client::new())
        .with(layer)
        .build()
}

#[enter_span]
async fn find() -> &'static str {
    "an order"
}

pub(super) fn orders() -> Router {
    let router = Router::new().route("/orders/{id}", get(find));
    router.layer(ServerLayer::new())
}

/// The client's span is below the caller's and above the server's; its body ends it, and the response is
/// what reqwest gave.
#[test]
fn a_request_is_one_line() {
    let mut port = 0;
    let trace = record(async |recorder| {
        let url = serve(&recorder, orders()).await;
        let url = Url::parse(&format!("{url}/orders/7?token=secret")).expect("a URL");
        port = url.port().expect("a port");
        let request = client(ClientLayer::new()).get(url.clone());
        let request = request.with_extension(UrlTemplate("/orders/{id}".into()));
        let response = request.send().await.expect("a response");
        assert_eq!((response.url(), response.status()), (&url, StatusCode::OK));
        assert_eq!(response.content_length(), Some(8));
        assert!(response.remote_addr().is_some());
        let is_ended = || recorder.trace().spans()[0].is_ended();
        assert!(!is_ended(), "the head is there, and nothing else");
        assert_eq!(response.text().await.expect("a body"), "an order");
        assert!(is_ended());
    });
    assert_outline(
        &trace,
        "
        GET /orders/{id} [client]
          GET /orders/{id} [server]
            find
        ",
    );
    assert_eq!(
        all_told(&trace.spans()[0]),
        [
            ("http.request.method", "GET".into()),
            ("http.response.status_code", 200.into()),
            ("network.protocol.version", "1.1".into()),
            ("server.address", "127.0.0.1".into()),
            ("server.port", port.into()),
            (
                "url.full",
                format!("http://127.0.0.1:{port}/orders/7").into()
            ),
            ("url.template", "/orders/{id}".into()),
        ]
    );
}

/// Sends each request twice, and reads neither response.
pub(super) struct Twice;

#[async_trait]
impl Middleware for Twice {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut ::http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let again = request.try_clone().expect("a request without a body");
        next.clone().run(request, extensions).await?;
        next.run(again, extensions).await
    }
}

/// Each attempt is a span of its own, which tells which one it is.
#[test]
fn each_attempt_is_a_span() {
    let trace = record(async |recorder| {
        let url = serve(&recorder, orders()).await;
        let client = ClientBuilder::new(::reqwest::Client::new()).with(Twice);
        let client = client.with(ClientLayer::new()).build();
        let response = client.get(format!("{url}/none")).send().await;
        drop(response.expect("a response"));
    });
    let clients = trace.spans().iter().filter(|span| span.kind() == "client");
    let clients: Vec<_> = clients.collect();
    let counts = clients
        .iter()
        .map(|span| span.attribute("http.request.resend_count"));
    assert_eq!(counts.collect::<Vec<_>>(), [None, Some(1.into())]);
    for span in clients {
        assert_eq!(span.attribute("error.type"), text("404"));
    }
}

fn failed(trace: &Trace) -> String {
    let [span] = trace.spans() else {
        panic!("one span, and not\n{}", trace.tree());
    };
    assert!(span.is_ended());
    assert_eq!(span.attribute("error.type"), text("reqwest::Error"));
    assert_eq!(span.attribute("http.response.status_code"), None);
    match span.status() {
        Status::Error(message) => message.to_string(),
        status => panic!("an error, and not {status:?}"),
    }
}

/// A dead socket is an error without a status, whose text has nothing of the URL.
#[test]
fn a_dead_socket_is_an_error() {
    let trace = record(async |_| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        let url = format!("http://{address}/path?token=secret");
        let error = client(ClientLayer::new()).get(url).send().await;
        assert!(error.expect_err("nobody listens").is_connect());
    });
    let message = failed(&trace);
    assert!(
        !message.is_empty() && !message.contains("secret"),
        "{message}"
    );
}

/// Only destinations get the context.
#[test]
fn only_destinations_are_told() {
    let trace = record(async |recorder| {
        let url = serve(&recorder, orders()).await;
        let layer = ClientLayer::new().with_destinations(Destinations::hosts(["*.internal"]));
        let response = client(layer).get(format!("{url}/orders/7")).send().await;
        response.expect("a response").text().await.expect("a body");
    });
    assert_outline(&trace, "GET [client]\nGET /orders/{id} [server]\n  find");
}
