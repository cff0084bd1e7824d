//! One kept connection, and one request at a time on it.
//!
//! A connection is taken out while it is used, and put back when the whole answer was read. So one whose
//! request was cancelled, or whose answer is endless, is closed.

use std::error::Error;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::buf::Chain;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
#[cfg(feature = "otlp-http")]
use hyper::client::conn::http1;
#[cfg(feature = "otlp-grpc")]
use hyper::client::conn::http2;
use hyper::rt::Executor;
use tokio::task::JoinSet;

use super::answer::{Failure, Retry};
use super::connector::{Connector, Stream, chain};
use crate::environment::Protocol;

/// The frame of a message, if the protocol has one, and the message.
pub(super) type Payload = Full<Chain<Bytes, Bytes>>;

pub(super) struct Connection {
    connector: Connector,
    protocol: Protocol,
    kept: Mutex<Option<Sender>>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) head: response::Parts,
    /// Its beginning, if it is cut.
    pub(super) body: Bytes,
    /// It is longer than what is read of it.
    pub(super) is_cut: bool,
    #[cfg_attr(
        not(feature = "otlp-grpc"),
        expect(dead_code, reason = "HTTP/1.1 has the same reply")
    )]
    pub(super) trailers: HeaderMap,
}

/// Bytes of an answer that are read.
const MOST: usize = 64 * 1024;

impl Connection {
    pub(super) fn new(connector: Connector, protocol: Protocol) -> Self {
        Connection {
            connector,
            protocol,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Sender>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what the receiver answers, whatever that is.
    pub(super) async fn exchange(&self, request: Request<Payload>) -> Result<Reply, Failure> {
        let kept = self.kept().take().filter(|kept| !kept.is_closed());
        let is_kept = kept.is_some();
        let mut sender = match kept {
            Some(kept) => kept,
            None => self.open().await?,
        };
        match sender.exchange(request).await {
            Ok(reply) => {
                if !reply.is_cut {
                    *self.kept() = Some(sender);
                }
                Ok(reply)
            }
            Err(error) => Err(failure(&error, is_kept)),
        }
    }

    async fn open(&self) -> Result<Sender, Failure> {
        let stream = self.connector.connect().await?;
        let opened = match self.protocol {
            #[cfg(feature = "otlp-http")]
            Protocol::Http => Sender::http1(stream).await,
            #[cfg(not(feature = "otlp-http"))]
            Protocol::Http => return Err(Failure::lasting("HTTP/1.1 is not there")),
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => Sender::http2(stream).await,
            #[cfg(not(feature = "otlp-grpc"))]
            Protocol::Grpc => return Err(Failure::lasting("HTTP/2 is not there")),
        };
        opened.map_err(|error| failure(&error, false))
    }
}

/// Of a connection that broke, or of bytes that are none of the protocol's.
fn failure(error: &hyper::Error, is_kept: bool) -> Failure {
    let reason = chain(error);
    if is_lasting(error) {
        Failure::lasting(format!(
            "the receiver does not speak the protocol: {reason}"
        ))
    } else if is_kept {
        Failure {
            reason,
            retry: Retry::Now,
        }
    } else if is_of_tls(error) {
        Failure::lasting(format!("TLS: {reason}"))
    } else {
        Failure::passing(reason)
    }
}

/// With TLS 1.3, a receiver that refuses our certificate says so after the handshake. Of Rustls' errors HTTP/2
/// keeps the kind alone, which no socket has.
fn is_of_tls(error: &hyper::Error) -> bool {
    let first: Option<&(dyn Error + 'static)> = Some(error);
    let mut errors = std::iter::successors(first, |&error| error.source());
    errors.any(|error| {
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == ErrorKind::InvalidData)
    })
}

fn is_lasting(error: &hyper::Error) -> bool {
    #[cfg(feature = "otlp-grpc")]
    {
        let source = error.source();
        if let Some(error) = source.and_then(|source| source.downcast_ref::<h2::Error>()) {
            return !is_passing(error);
        }
    }
    error.is_parse() || error.is_user()
}

/// The stream was refused, cancelled, or lost with its connection.
#[cfg(feature = "otlp-grpc")]
fn is_passing(error: &h2::Error) -> bool {
    let is_refused = matches!(
        error.reason(),
        Some(h2::Reason::REFUSED_STREAM | h2::Reason::CANCEL)
    );
    error.is_io() || (error.is_remote() && (error.is_go_away() || is_refused))
}

/// An open connection, which closes when this is dropped.
struct Sender {
    requests: Requests,
    tasks: Tasks,
}

enum Requests {
    #[cfg(feature = "otlp-http")]
    Http1(http1::SendRequest<Payload>),
    #[cfg(feature = "otlp-grpc")]
    Http2(http2::SendRequest<Payload>),
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.tasks.all().abort_all();
    }
}

impl Sender {
    #[cfg(feature = "otlp-http")]
    async fn http1(stream: Stream) -> hyper::Result<Self> {
        let tasks = Tasks::default();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MOST);
        let (requests, connection) = builder.handshake(stream).await?;
        // What becomes of it, its requests say.
        tasks.execute(connection);
        Ok(Sender {
            requests: Requests::Http1(requests),
            tasks,
        })
    }

    #[cfg(feature = "otlp-grpc")]
    async fn http2(stream: Stream) -> hyper::Result<Self> {
        let tasks = Tasks::default();
        let builder = http2::Builder::new(tasks.clone());
        let (requests, connection) = builder.handshake(stream).await?;
        tasks.execute(connection);
        Ok(Sender {
            requests: Requests::Http2(requests),
            tasks,
        })
    }

    fn is_closed(&self) -> bool {
        match &self.requests {
            #[cfg(feature = "otlp-http")]
            Requests::Http1(requests) => requests.is_closed(),
            #[cfg(feature = "otlp-grpc")]
            Requests::Http2(requests) => requests.is_closed(),
        }
    }

    async fn exchange(&mut self, request: Request<Payload>) -> hyper::Result<Reply> {
        let response = match &mut self.requests {
            #[cfg(feature = "otlp-http")]
            Requests::Http1(requests) => {
                requests.ready().await?;
                requests.send_request(request).await?
            }
            #[cfg(feature = "otlp-grpc")]
            Requests::Http2(requests) => {
                requests.ready().await?;
                requests.send_request(request).await?
            }
        };
        read(response).await
    }
}

async fn read(response: Response<Incoming>) -> hyper::Result<Reply> {
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut trailers, mut is_cut) = (BytesMut::new(), HeaderMap::new(), false);
    while let Some(frame) = incoming.frame().await {
        match frame?.into_data() {
            Ok(data) => {
                let room = MOST - body.len();
                is_cut = data.len() > room;
                body.extend_from_slice(&data[..data.len().min(room)]);
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
        if is_cut {
            break;
        }
    }
    Ok(Reply {
        head,
        body: body.freeze(),
        is_cut,
        trailers,
    })
}

/// What drives a connection.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    fn all(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        let mut all = self.all();
        // Those that have ended.
        while all.try_join_next().is_some() {}
        all.spawn(async move {
            future.await;
        });
    }
}
