//! A service with a span around each of its requests, on either side.
//!
//! Why layers of our own, over the public API of `enter-span` alone: `opentelemetry-instrumentation-tower`
//! 0.19 has servers only, ends the span with the head of the response, and trusts every caller. It calls the
//! service before the context is current, and by default records the query, the user agent, and made-up methods in
//! names. `tower-otel` 0.12 has both sides and gRPC and sees bodies end, but records
//! through `tracing`, runs the code of bodies outside their span, has no setting for trust, and records
//! the query. `reqwest-tracing` and `axum-tracing-opentelemetry` record through `tracing` too, and the
//! first ends its span with the head. reqwest comes through `reqwest-middleware`, which asks for one
//! method.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use enter_span::is_enabled;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::request_span::RequestSpan;
use crate::response::ResponseFuture;

/// A service whose requests are in spans: what [`ServerLayer`](crate::ServerLayer) and
/// [`ClientLayer`](crate::ClientLayer) make of one.
///
/// Each request is a span, and goes untouched to the service within while the process is off, for one relaxed
/// load. The span ends with the body of the response.
///
/// ```
/// use axum::body::Body;
/// use enter_span_http::{ClientLayer, Traced};
/// use hyper_util::client::legacy::{Client, connect::HttpConnector};
/// use hyper_util::rt::TokioExecutor;
/// use tower::Layer as _;
///
/// /// Holds a client by the name of its type.
/// struct Shop {
///     http: Traced<ClientLayer, Client<HttpConnector, Body>>,
/// }
///
/// let http = Client::builder(TokioExecutor::new()).build_http();
/// let shop = Shop { http: ClientLayer::new().layer(http) };
/// # let _ = shop.http;
/// ```
#[derive(Clone, Debug)]
pub struct Traced<L, S> {
    layer: Arc<L>,
    service: S,
}

/// Starts the span of a request, which it may change, unless the request has one. Only the layers
/// of this crate do.
pub(crate) trait Start {
    fn start<A>(&self, request: Request<A>) -> (Option<Box<RequestSpan>>, Request<A>);
}

impl<L, S> Traced<L, S> {
    pub(crate) fn new(layer: L, service: S) -> Self {
        Traced {
            layer: Arc::new(layer),
            service,
        }
    }
}

impl<L, S, A, B> Service<Request<A>> for Traced<L, S>
where
    L: Start,
    S: Service<Request<A>, Response = Response<B>>,
    S::Error: fmt::Display + 'static,
    B: Body,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        if is_enabled() {
            self.call_in_span(request)
        } else {
            ResponseFuture::new(None, self.service.call(request))
        }
    }
}

impl<L, S> Traced<L, S> {
    /// Out of line, so that a request pays nothing for it while the process is off.
    #[cold]
    #[inline(never)]
    fn call_in_span<A>(&mut self, request: Request<A>) -> ResponseFuture<S::Future>
    where
        L: Start,
        S: Service<Request<A>>,
    {
        let (request_span, request) = self.layer.start(request);
        let call = || self.service.call(request);
        let future = match &request_span {
            Some(request_span) => request_span.enter(call),
            None => call(),
        };
        ResponseFuture::new(request_span, future)
    }
}
