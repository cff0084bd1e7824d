//! The receiver's process: it counts spans and bytes, answers that all was taken, and keeps nothing.
//!
//! One port takes OTLP/HTTP and gRPC.

use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::io::{self, Read as _};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bytes::Bytes;
use enter_span_benches::clock::Process;
use flate2::read::GzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::process::{self, Cpu};
use crate::protobuf;

/// The first argument of this process.
pub(crate) const MARK: &str = "--receiver";

/// In a gRPC body, before the message: whether it is compressed, and its length.
const GRPC_HEAD: usize = 5;

static SPANS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Prints its port, and then for each line that it reads the spans, the bytes of their requests and the
/// CPU in nanoseconds since it was asked before.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    Cpu::Last.pin();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(move || runtime.block_on(accept(listener)));
    let mut process = Process::now();
    for line in io::stdin().lines() {
        line?;
        let spans = SPANS.swap(0, Ordering::Relaxed);
        let bytes = BYTES.swap(0, Ordering::Relaxed);
        process::answer([spans, bytes, process.cpu().as_nanos() as u64]);
        process = Process::now();
    }
    Ok(())
}

async fn accept(listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // As servers of gRPC do: an answer of several frames would wait for the peer's delayed ACK.
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service_fn(receive));
            // A peer that closes the connection has ended.
            let _ = connection.await;
        });
    }
}

async fn receive(
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let content_type = head.headers.get(CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|value| value.as_bytes() == b"application/grpc");
    BYTES.fetch_add(body.len() as u64, Ordering::Relaxed);
    if is_grpc {
        let message = body.get(GRPC_HEAD..).unwrap_or_default();
        SPANS.fetch_add(protobuf::spans(message), Ordering::Relaxed);
        return Ok(grpc_response());
    }
    SPANS.fetch_add(http_spans(&head.headers, &body), Ordering::Relaxed);
    let mut response = Response::new(Full::default().boxed_unsync());
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    response.headers_mut().insert(CONTENT_TYPE, protobuf);
    Ok(response)
}

fn http_spans(headers: &HeaderMap, body: &[u8]) -> u64 {
    if headers.get(CONTENT_ENCODING).is_none() {
        return protobuf::spans(body);
    }
    let mut message = Vec::new();
    // What cannot be read shows as lost spans.
    let _ = GzDecoder::new(body).read_to_end(&mut message);
    protobuf::spans(&message)
}

/// An empty message, and the status *ok* after it.
fn grpc_response() -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let status = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let empty = Full::new(Bytes::from_static(&[0; GRPC_HEAD]));
    let body = empty.with_trailers(ready(Some(Ok(status))));
    let mut response = Response::new(body.boxed_unsync());
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}
