//! Spans for HTTP and gRPC: [tower](https://docs.rs/tower) layers for servers and clients, and a
//! middleware for reqwest.
//!
//! [`ServerLayer`] puts each request that comes in into a span, below its caller's; [`ClientLayer`] does
//! it for each one that goes out, and tells the receiver. Services of axum, tonic and hyper take both.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) has a page on
//! [HTTP](https://github.com/enter-span/enter-span/blob/main/docs/http.md).
//!
//! ```
//! use axum::body::Body;
//! use axum::http::{Request, StatusCode};
//! use axum::routing::get;
//! use axum::{Router, serve};
//! use enter_span::enter_span;
//! use enter_span_http::{ClientLayer, ServerLayer};
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use tokio::net::TcpListener;
//! use tower::{Layer as _, ServiceExt as _};
//!
//! #[enter_span]
//! async fn find() -> &'static str {
//!     "an order"
//! }
//!
//! #[enter_span]
//! async fn checkout(url: String) -> Result<StatusCode, Box<dyn std::error::Error>> {
//!     let client = Client::builder(TokioExecutor::new()).build_http();
//!     let client = ClientLayer::new().layer(client);
//!     let response = client.oneshot(Request::get(url).body(Body::empty())?).await?;
//!     Ok(response.status())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let router = Router::new().route("/orders/{id}", get(find)).layer(ServerLayer::new());
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let url = format!("http://{}/orders/7", listener.local_addr()?);
//!     tokio::spawn(async { serve(listener, router).await });
//!     // checkout, GET, GET /orders/{id}, find: each below the one before.
//!     assert_eq!(checkout(url).await?, StatusCode::OK);
//!     Ok(())
//! }
//! ```
//!
//! # When a span ends
//!
//! With the body of the response, not with its head: a body that is streamed for a minute is a span of a
//! minute, and its own code runs inside of it. A response that is dropped before, or that nobody waits
//! for any more, is cancelled: `enter_span.outcome = "cancelled"`, and no error. A client that does not
//! read a body cancels it. A panic in the service marks its span and passes.
//!
//! # What it emits
//!
//! By OpenTelemetry's semantic conventions for HTTP, and for RPC as they are since version 1.39. A change
//! of it is a breaking change.
//!
//! | attribute | server | client | |
//! |---|---|---|---|
//! | `http.request.method` | x | x | `_OTHER`, if it is not known |
//! | `http.request.method_original` | x | x | if that differs |
//! | `http.route` | x | | where it is known |
//! | `url.template` | | x | of a [`UrlTemplate`] |
//! | `url.scheme`, `url.path` | x | | the path unless [`without_path`](ServerLayer::without_path) |
//! | `url.query` | x | | only [`with_query`](ServerLayer::with_query) |
//! | `url.full` | | x | without user and password; the path unless [`without_path`](ClientLayer::without_path), the query only [`with_query`](ClientLayer::with_query) |
//! | `server.address`, `server.port` | x | x | by the URL, or the header `host` |
//! | `network.protocol.version` | x | x | |
//! | `user_agent.original` | x | | only [`with_user_agent`](ServerLayer::with_user_agent) |
//! | `http.response.status_code` | x | x | |
//! | `http.request.resend_count` | | x | of reqwest alone |
//! | `rpc.system.name`, `rpc.method`, `rpc.method_original`, `rpc.response.status_code` | x | x | of gRPC, in place of the method, the URL and the status of HTTP |
//! | `error.type` | x | x | the status or the code; the type of an error that was no response; `timeout` |
//!
//! No other header is ever told. A gRPC method that the server does not have, so that it answers
//! `UNIMPLEMENTED`, is `_OTHER`, and its span is named `grpc`: anybody can make up names.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `axum` | routes as axum's router has matched them, and the whole path in nested routers |
//! | `reqwest` | [`ClientLayer`] is a middleware of `reqwest-middleware` |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod client;
mod grpc;
mod method;
mod request_span;
#[cfg(feature = "reqwest")]
mod reqwest;
mod response;
mod response_wait;
mod server;
mod service;
mod service_error;
mod target;

pub use body::ResponseBody;
pub use client::{ClientLayer, UrlTemplate};
pub use response::ResponseFuture;
pub use server::ServerLayer;
pub use service::Traced;
