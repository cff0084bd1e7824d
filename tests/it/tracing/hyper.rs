//! hyper: a server and a client of its own on a socket, and hyper-util's client with its own events.
//!
//! hyper itself has events and spans of `tracing` only in builds with its unstable `tracing`.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;

use ::hyper::body::Incoming;
use ::hyper::{client, server};
use enter_span::enter_span;
use enter_span::testing::{Recorder, Trace};
use enter_span_http::{ClientLayer, ServerLayer};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing::dispatcher::with_default;
use tracing::{Instrument as _, info, info_span, instrument};

use super::dispatch;
use crate::http::run;

type NoBody = Empty<&'static [u8]>;

#[instrument(skip_all)]
async fn handle(_: Request<Incoming>) -> Result<Response<NoBody>, Infallible> {
    answer().await;
    Ok(Response::new(NoBody::new()))
}

#[enter_span]
async fn answer() {
    info!("answered");
}

/// Serves one connection.
async fn serve(listener: TcpListener) {
    let (stream, _) = listener.accept().await.expect("a connection");
    let service = ServerLayer::new().layer(service_fn(handle));
    server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await
        .expect("served");
}

fn request(address: SocketAddr) -> Request<NoBody> {
    let url = format!("http://{address}/orders");
    Request::get(url).body(NoBody::new()).expect("a request")
}

/// A call to a server of hyper, which is a task of its own.
fn record<F: Future<Output = ()>>(call: impl FnOnce(SocketAddr) -> F) -> Trace {
    let recorder = Recorder::new();
    with_default(&dispatch(), || {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            let server = recorder.clone();
            let server = tokio::spawn(async move { server.enter_async(serve(listener)).await });
            let call = async { call(address).instrument(info_span!("caller")).await };
            recorder.enter_async(call).await;
            server.await.expect("the server");
        });
    });
    recorder.trace()
}

#[track_caller]
fn assert_one_tree(trace: &Trace) {
    trace.assert_no_orphans();
    trace.assert_tree_contains(
        "
        caller
          GET [client]
            GET [server]
              handle
                answer
        ",
    );
    assert_eq!(trace.spans().len(), 5);
    trace.find("answer").assert_event("answered", ());
}

/// The connection of hyper's client is a task of its own, without a span.
#[test]
fn hypers_server_and_client_are_one_tree() {
    let trace = record(async |address| {
        let stream = TcpStream::connect(address).await.expect("a stream");
        let handshake = client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.expect("a connection");
        let connection = tokio::spawn(connection);
        let client = service_fn(|request| sender.send_request(request));
        let response = ClientLayer::new().layer(client).oneshot(request(address));
        let response = response.await.expect("an answer");
        response.into_body().collect().await.expect("a body");
        drop(sender);
        connection.await.expect("a task").expect("an end");
    });
    assert_one_tree(&trace);
}

/// What hyper-util's client says of its connection is on the span of the request.
#[test]
fn events_of_hyper_utils_client_are_on_the_request() {
    let trace = record(async |address| {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = ClientLayer::new().layer(client).oneshot(request(address));
        let response = response.await.expect("an answer");
        response.into_body().collect().await.expect("a body");
    });
    assert_one_tree(&trace);
    let request = trace.find("caller").children();
    let connecting = request[0].events().iter();
    let connecting =
        connecting.filter(|event| event.name().starts_with("connecting to 127.0.0.1:"));
    assert_eq!(connecting.count(), 1);
}
