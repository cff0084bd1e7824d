//! OTLP over HTTP/protobuf: the request, and what its reply says.

use std::time::{Duration, SystemTime};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method, Request};

use super::answer::{Answer, Failure, Status};
use super::connection::Reply;
use super::message;
use super::redaction::Redaction;

const PROTOBUF: &str = "application/x-protobuf";

/// A request to this endpoint, without its body.
pub(super) fn request(
    endpoint: &Uri,
    mut headers: HeaderMap,
    is_gzip: bool,
) -> Option<Request<()>> {
    let host = endpoint.authority()?.as_str();
    headers.insert(HOST, HeaderValue::from_str(host).ok()?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    if is_gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let path = endpoint.path_and_query();
    let path = path.cloned().unwrap_or(PathAndQuery::from_static("/"));
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from(path);
    *request.headers_mut() = headers;
    Some(request)
}

/// The kind of a body, by its content type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Protobuf,
    /// Some receivers answer every request with it.
    Json,
    Text,
    /// A page: of a proxy, a portal, or of a server that is no receiver.
    Page,
}

fn kind(headers: &HeaderMap) -> Kind {
    let value = headers.get(CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let value = value.unwrap_or(PROTOBUF).to_ascii_lowercase();
    match value.split(';').next().unwrap_or_default().trim() {
        "text/html" | "application/xhtml+xml" => Kind::Page,
        "application/json" => Kind::Json,
        text if text.starts_with("text/") => Kind::Text,
        _ => Kind::Protobuf,
    }
}

/// What a reply says. A success has to be an answer of OTLP: anything between us and a receiver may say 200.
pub(super) fn answer(reply: &Reply, redaction: &Redaction) -> Answer {
    let status = reply.head.status;
    let kind = kind(&reply.head.headers);
    if !status.is_success() {
        return Err(refusal(reply, kind, redaction));
    }
    let no_receiver = |what| {
        let status = status.as_u16();
        Failure::lasting(format!(
            "HTTP status {status}, but the answer is {what}: this is no receiver of OTLP"
        ))
    };
    match kind {
        Kind::Page => Err(no_receiver("a page of HTML")),
        Kind::Text => Err(no_receiver("a plain text")),
        _ if reply.is_cut => Err(no_receiver("longer than 64 KiB")),
        Kind::Json => Ok(Default::default()),
        Kind::Protobuf => {
            message::taken(&reply.body).map_err(|_| no_receiver("no message of OTLP"))
        }
    }
}

fn refusal(reply: &Reply, kind: Kind, redaction: &Redaction) -> Failure {
    let status = reply.head.status;
    let rpc_status = match kind {
        Kind::Protobuf => message::rpc_status(&reply.body).unwrap_or_default(),
        _ => Default::default(),
    };
    let text = match kind {
        _ if status.is_redirection() => "redirects are not followed".into(),
        Kind::Protobuf => rpc_status.message.into(),
        Kind::Text | Kind::Json => String::from_utf8_lossy(&reply.body),
        Kind::Page => "".into(),
    };
    let pause = retry_after(&reply.head.headers).or(rpc_status.retry_delay);
    Status::Http(status).failure(&redaction.show(&text), pause)
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large for the clock is late enough.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
