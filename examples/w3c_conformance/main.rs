//! A service for the W3C's conformance harness of Trace Context:
//! `cargo run --example w3c_conformance -- [ADDRESS [PORT]]`, by default 127.0.0.1 and 5000.
//!
//! It takes a JSON array of `{"url": .., "arguments": ..}` at `/test`, and posts the arguments of each on
//! to its URL. Each request that comes in is a span, and so is each that goes out. The traces are printed.
//! `scripts/w3c-conformance.sh` runs the harness against it.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use enter_span::{enter_span, extract, inject};
use enter_span_pipeline::{Console, Pipeline};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::net::TcpListener;

type Http = Client<HttpConnector, Body>;

#[enter_span("POST /test", kind = server, parent = extract(&headers))]
async fn test(State(http): State<Http>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(Value::Array(calls)) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    for call in &calls {
        if send(&http, call).await.is_err() {
            return StatusCode::BAD_GATEWAY;
        }
    }
    StatusCode::OK
}

#[enter_span("POST", kind = client, ret(http.response.status_code = |status| status.as_u16()))]
async fn send(http: &Http, call: &Value) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
    let url = call["url"].as_str().ok_or("a call without a URL")?;
    let request = Request::post(url).header(CONTENT_TYPE, "application/json");
    let mut request = request.body(Body::from(call["arguments"].to_string()))?;
    // Inside of the client's span, so that this is the receiver's parent.
    inject(request.headers_mut());
    Ok(http.request(request).await?.status())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = arguments.next().map_or(Ok(5000), |port| port.parse())?;
    let console = Console::new();
    let pipeline = Pipeline::builder().with_exporter(console).install()?;
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let router = Router::new().route("/test", post(test)).with_state(http);
    let listener = TcpListener::bind((address, port)).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let stopped = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await?;
    pipeline.shutdown(Duration::from_secs(5))?;
    Ok(())
}
