//! OTLP over gRPC: the frame of a message, the request, and what its reply says.
//!
//! A call is one message each way. That needs a prefix of five bytes and two trailers, and none of the
//! balancing, buffering and code generation of a gRPC library. One connection, one reader with a bound and one
//! classifier of answers serve HTTP and gRPC.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use enter_span::native::decode;
use http::header::{CONTENT_TYPE, TE};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};

use super::answer::{Answer, Failure, Status, code};
use super::connection::Reply;
use super::message::{self, RpcStatus};
use super::redaction::Redaction;

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Peers write it with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A call to this endpoint, without its message.
pub(super) fn request(
    endpoint: &Uri,
    mut headers: HeaderMap,
    is_gzip: bool,
) -> Option<Request<()>> {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    if is_gzip {
        headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
    }
    let mut parts = endpoint.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static(PATH));
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// What goes before a message. `None` if it is longer than gRPC can say.
pub(super) fn prefix(message: &[u8], is_gzip: bool) -> Option<Bytes> {
    let length = u32::try_from(message.len()).ok()?.to_be_bytes();
    let mut prefix = vec![u8::from(is_gzip)];
    prefix.extend_from_slice(&length);
    Some(prefix.into())
}

/// What a reply says.
pub(super) fn answer(reply: &Reply, redaction: &Redaction) -> Answer {
    // Without a message, the trailers are the head.
    let all = [&reply.trailers, &reply.head.headers];
    let found = all
        .into_iter()
        .find(|headers| headers.contains_key("grpc-status"));
    let Some(trailers) = found else {
        return Err(no_grpc(reply, redaction));
    };
    match number(trailers) {
        Some(code::OK) => taken(reply),
        Some(code) => Err(refusal(code, trailers, redaction)),
        None => Err(Failure::lasting(
            "the receiver answers with a gRPC status that is no number",
        )),
    }
}

fn number(trailers: &HeaderMap) -> Option<u32> {
    trailers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

fn taken(reply: &Reply) -> Answer {
    let broken = || Failure::lasting("the receiver's answer is no message of OTLP");
    if reply.is_cut {
        return Err(Failure::lasting(
            "the receiver's answer is longer than 64 KiB",
        ));
    }
    // A compressed one was not asked for.
    let (prefix, message) = match reply.body.split_at_checked(PREFIX) {
        Some(parts) => parts,
        None => return Err(broken()),
    };
    let length = u32::try_from(message.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    if prefix != [0, length[0], length[1], length[2], length[3]] {
        return Err(broken());
    }
    message::taken(message).map_err(|_| broken())
}

fn refusal(code: u32, trailers: &HeaderMap, redaction: &Redaction) -> Failure {
    let details = details(trailers);
    let message = trailers.get("grpc-message");
    let message = message.map(|message| String::from_utf8_lossy(message.as_bytes()));
    let message = match &message {
        // What is not encoded as it should be is shown as it is.
        Some(message) => decode(message).unwrap_or(Cow::Borrowed(message)),
        None => Cow::Borrowed(&*details.message),
    };
    Status::Grpc(code).failure(&redaction.show(&message), details.retry_delay)
}

fn details(trailers: &HeaderMap) -> RpcStatus {
    let encoded = trailers.get("grpc-status-details-bin");
    let decoded = encoded.and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok());
    let status = decoded.and_then(|bytes| message::rpc_status(&bytes).ok());
    status.unwrap_or_default()
}

/// Something between us and a receiver has answered, or a receiver that cut its answer.
fn no_grpc(reply: &Reply, redaction: &Redaction) -> Failure {
    let status = reply.head.status;
    if reply.is_cut {
        return Failure::lasting("the receiver's answer is longer than 64 KiB");
    }
    if status != StatusCode::OK {
        return Status::Http(status).failure("", None::<Duration>);
    }
    let kind = reply.head.headers.get(CONTENT_TYPE);
    let kind = kind.map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    match kind {
        Some(kind) if !kind.starts_with("application/grpc") => {
            let kind = redaction.show(&kind);
            Failure::lasting(format!(
                "the answer is `{kind}`: this is no receiver of gRPC"
            ))
        }
        _ => Failure::passing("the receiver's answer has no gRPC status"),
    }
}
