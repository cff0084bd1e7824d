//! A request and its response as one span: what is recorded on the way, and how it ends.
//!
//! One request has one server span. The outermost layer marks the request with a `Weak` to its open span, and
//! an inner layer adds the route to that span. So a request that is kept or sent on is a new one: its mark is
//! dead, or `ClientLayer` has removed it.

use std::sync::{Arc, Weak};

use bytes::Buf;
use enter_span::{Outcome, OwnedSpan, Span, Status};
use http::{Extensions, HeaderMap, Method, Response, StatusCode, Version};
use http_body::{Body, Frame};

use crate::grpc::{self, Code};

/// The span of a request, from its start to the end of the response's body.
pub(crate) struct RequestSpan {
    span: OwnedSpan,
    side: Side,
    protocol: Protocol,
    /// What is still to come of the body, where that is known.
    body_left: Option<u64>,
    /// Keeps the [`Mark`] of the request alive.
    marked: Option<Arc<Span>>,
}

/// Among the extensions of a request that a server's layer has put into a span: leads to that span while
/// it is open.
#[derive(Clone)]
pub(crate) struct Mark(Weak<Span>);

impl Mark {
    /// The open span of a request that has one already.
    pub(crate) fn find(extensions: &Extensions) -> Option<Arc<Span>> {
        let Mark(span) = extensions.get()?;
        span.upgrade()
    }

    /// Takes it from a request that leaves: where it arrives, it is another one.
    pub(crate) fn remove(extensions: &mut Extensions) {
        extensions.remove::<Mark>();
    }
}

/// Whose span it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// What a response means depends on it.
pub(crate) enum Protocol {
    /// The response to a `HEAD` or a `CONNECT` has no body.
    HttpWithoutBody,
    Http,
    /// With the path that was asked for.
    Grpc(String),
}

/// Whether more is to come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    Over,
}

impl Protocol {
    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::HEAD | Method::CONNECT => Protocol::HttpWithoutBody,
            _ => Protocol::Http,
        }
    }
}

impl RequestSpan {
    pub(crate) fn new(span: OwnedSpan, side: Side, protocol: Protocol) -> Box<Self> {
        Box::new(RequestSpan {
            span,
            side,
            protocol,
            body_left: None,
            marked: None,
        })
    }

    /// Has a layer further in find this span, and start none of its own.
    pub(crate) fn mark(&mut self, extensions: &mut Extensions) {
        let span = Arc::new(Span::clone(&self.span));
        extensions.insert(Mark(Arc::downgrade(&span)));
        self.marked = Some(span);
    }

    /// Runs `work` in the span. A panic passes, and marks the span as this drops.
    pub(crate) fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        self.span.enter(work)
    }

    /// Records the head of the response.
    pub(crate) fn record_response<B: Body>(&mut self, response: &Response<B>) -> Progress {
        if self.side == Side::Client {
            let version = version(response.version());
            self.span.set_attribute("network.protocol.version", version);
        }
        match &self.protocol {
            Protocol::Grpc(path) => {
                self.record_grpc_response(path, response.status(), response.headers());
            }
            Protocol::Http | Protocol::HttpWithoutBody => {
                self.record_http_status(response.status())
            }
        }
        self.body_left = length(response);
        if response.body().is_end_stream() || !self.has_body(response.status()) {
            Progress::Over
        } else {
            Progress::Open
        }
    }

    fn record_http_status(&self, status: StatusCode) {
        self.set_status_code(status);
        let is_error = match self.side {
            Side::Server => status.is_server_error(),
            Side::Client => status.is_client_error() || status.is_server_error(),
        };
        if is_error {
            self.fail(status.as_str());
        }
    }

    fn set_status_code(&self, status: StatusCode) {
        let name = "http.response.status_code";
        self.span.set_attribute(name, status.as_u16());
    }

    /// A call has a code of its own, so HTTP's status is recorded only if there is none.
    ///
    /// By the current conventions for RPC: `rpc.system`, `rpc.service` and `rpc.grpc.status_code` are
    /// deprecated.
    fn record_grpc_response(&self, path: &str, status: StatusCode, headers: &HeaderMap) {
        let code = Code::of(headers);
        if let Some(code) = code {
            self.record_grpc_code(code);
        } else if status != StatusCode::OK {
            self.record_http_status(status);
        }
        // Anybody can make up a name, and `UNIMPLEMENTED` is all that a server says of one it does not have.
        if code == Some(Code::UNIMPLEMENTED) && self.side == Side::Server {
            self.span.update_name(grpc::SYSTEM);
            self.span.set_attribute("rpc.method", grpc::OTHER);
            self.span.set_attribute("rpc.method_original", path);
        }
    }

    fn record_grpc_code(&self, code: Code) {
        self.span
            .set_attribute("rpc.response.status_code", code.name());
        let is_error = match self.side {
            Side::Server => code.is_error_of_server(),
            Side::Client => code.is_error_of_client(),
        };
        if is_error {
            self.fail(code.name());
        }
    }

    /// The description stays empty: the code says it.
    fn fail(&self, kind: &str) {
        self.span.set_attribute("error.type", kind);
        self.span.set_status(Status::error(""));
    }

    fn has_body(&self, status: StatusCode) -> bool {
        let is_bare = status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        !is_bare && !matches!(self.protocol, Protocol::HttpWithoutBody)
    }

    /// Counts a part of the body, and records its trailers.
    pub(crate) fn record_frame<D: Buf>(&mut self, frame: &Frame<D>) {
        if let (Some(left), Some(data)) = (&mut self.body_left, frame.data_ref()) {
            *left = left.saturating_sub(data.remaining() as u64);
        }
        let code = frame.trailers_ref().and_then(Code::of);
        if let (Protocol::Grpc(_), Some(code)) = (&self.protocol, code) {
            self.record_grpc_code(code);
        }
    }

    /// Records the error that ended it too early.
    pub(crate) fn record_error<T: Outcome>(&self, value: &T) {
        self.span.set_outcome(value);
    }

    pub(crate) fn end(self) {
        self.span.end();
    }

    /// Ends it where its work is dropped: as cancelled, unless all has come. A connection asks for no
    /// more than the length that was announced.
    pub(crate) fn abandon(self) {
        if self.body_left != Some(0) {
            self.span.set_attribute("enter_span.outcome", "cancelled");
        }
        self.span.end();
    }
}

/// The length of a body, if it is known.
fn length<B: Body>(response: &Response<B>) -> Option<u64> {
    let announced = || {
        let value = response.headers().get(http::header::CONTENT_LENGTH)?;
        value.to_str().ok()?.parse().ok()
    };
    response.body().size_hint().exact().or_else(announced)
}

/// `network.protocol.version`.
pub(crate) fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}
