//! The client's side: a span around each request that goes out.

use std::borrow::Cow;

use enter_span::propagation::{Destinations, inject_to};
use enter_span::start_span;
use http::uri::Authority;
use http::{HeaderMap, Method, Request};
use tower_layer::Layer;

use crate::grpc::{self, GrpcMethod};
use crate::method::Methods;
use crate::request_span::{Mark, Protocol, RequestSpan, Side};
use crate::service::{Start, Traced};
use crate::target::{Target, UrlVisibility, Visibility};

/// Puts each request that a client sends into a span of kind client, below the current one, and tells
/// the receiver of it.
///
/// The span starts where the client is called, and ends with the body of the response: with its last
/// part, or where it is dropped. It is named by the method, with the [`UrlTemplate`] of the request if
/// there is one (`GET /orders/{id}`), and never by the path; for gRPC, by the method that is called. Each
/// request that passes is a span, so put what repeats or redirects requests around the layer. A status
/// of the 4xx or 5xx is an error, with the status as `error.type`; so is any code of gRPC but `OK`.
///
/// Two of these layers around a client are two spans, one in the other, and the receiver is below the
/// inner one: what lies between them may send a request more than once.
///
/// The headers `traceparent`, `tracestate` and `baggage` are replaced from inside of the span, last and once, by
/// [`inject_to`]: the propagator says to which hosts, and so does
/// [`with_destinations`](ClientLayer::with_destinations).
///
/// While the process is off, a request costs one relaxed load, and goes out as it is.
///
/// ```
/// use axum::body::Body;
/// use enter_span_http::ClientLayer;
/// use hyper_util::client::legacy::Client;
/// use hyper_util::rt::TokioExecutor;
/// use tower::Layer as _;
///
/// let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
/// let client = ClientLayer::new().layer(client);
/// ```
///
/// A client of gRPC does not tell the layer where it calls, so say it. `client` then goes where the
/// channel would: `OrdersClient::new(client)`.
///
/// ```
/// use enter_span_http::ClientLayer;
/// use tonic::transport::Endpoint;
/// use tower::Layer as _;
///
/// # #[tokio::main]
/// # async fn main() {
/// let channel = Endpoint::from_static("http://orders.internal:50051").connect_lazy();
/// let client = ClientLayer::new().with_server("orders.internal:50051").layer(channel);
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClientLayer {
    destinations: Destinations,
    server: Option<Authority>,
    methods: Methods,
    url: UrlVisibility,
}

/// The path of a request as it was before it was filled in: `/orders/{id}`.
///
/// Put it into the extensions of a request, and the span is named by it. It must have few values.
///
/// ```
/// use enter_span_http::UrlTemplate;
///
/// let id = 7;
/// let request = http::Request::get(format!("http://orders.internal/orders/{id}"))
///     .extension(UrlTemplate("/orders/{id}".into()))
///     .body(())?;
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(pub Cow<'static, str>);

/// What is recorded of a request, for all clients.
pub(crate) struct ClientRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) target: Target<'a>,
    pub(crate) template: Option<&'a UrlTemplate>,
    /// How often it was sent before.
    pub(crate) resent: Option<u32>,
}

impl ClientLayer {
    /// Tells all hosts that the propagator allows; of URLs it tells the path and not the query.
    pub fn new() -> Self {
        ClientLayer::default()
    }

    /// Sets the hosts that get the span's context, among those that the propagator allows. A request without a
    /// host gets it only if all hosts do.
    ///
    /// ```
    /// use enter_span::propagation::Destinations;
    /// use enter_span_http::ClientLayer;
    ///
    /// let layer = ClientLayer::new().with_destinations(Destinations::hosts(["*.internal"]));
    /// ```
    #[must_use]
    pub fn with_destinations(self, destinations: Destinations) -> Self {
        ClientLayer {
            destinations,
            ..self
        }
    }

    /// The host, and the port, of requests that name none, as those of a gRPC channel. What is no such
    /// thing is no host.
    ///
    /// ```
    /// let orders = enter_span_http::ClientLayer::new().with_server("orders.internal:50051");
    /// ```
    #[must_use]
    pub fn with_server(self, authority: impl AsRef<str>) -> Self {
        ClientLayer {
            server: Authority::try_from(authority.as_ref()).ok(),
            ..self
        }
    }

    /// Methods that are known besides those of HTTP. A span is named `HTTP` for any other, and has
    /// `_OTHER` as its method.
    ///
    /// ```
    /// let webdav = enter_span_http::ClientLayer::new().with_methods(["PROPFIND", "MKCOL"]);
    /// ```
    #[must_use]
    pub fn with_methods(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        ClientLayer {
            methods: self.methods.with(names),
            ..self
        }
    }

    /// Tells of a URL only the scheme, the host and the port.
    ///
    /// ```
    /// let discreet = enter_span_http::ClientLayer::new().without_path();
    /// ```
    #[must_use]
    pub fn without_path(mut self) -> Self {
        self.url.path = Visibility::Hidden;
        self
    }

    /// Records the query in `url.full`. The values of parameters that sign a URL are left out, as the
    /// semantic conventions ask for; all others are recorded.
    ///
    /// ```
    /// let search = enter_span_http::ClientLayer::new().with_query();
    /// ```
    #[must_use]
    pub fn with_query(mut self) -> Self {
        self.url.query = Visibility::Shown;
        self
    }

    /// From inside of the span, so that this is the receiver's parent.
    pub(crate) fn inject(
        &self,
        request_span: &RequestSpan,
        host: Option<&str>,
        headers: &mut HeaderMap,
    ) {
        let host = host.unwrap_or_default();
        if self.destinations.include(host) {
            request_span.enter(|| inject_to(host, headers));
        }
    }

    pub(crate) fn start_http(&self, request: &ClientRequest<'_>) -> Box<RequestSpan> {
        let method = self.methods.classify(request.method);
        let target = request.target.or_at(self.server.as_ref());
        let template = request.template.map(|UrlTemplate(template)| &**template);
        let span = start_span!(
            name = method.name(template),
            kind = client,
            start(
                http.request.method = method.value(),
                server.address = target.address(),
                server.port = target.port_or_default(),
                url.full = target.full(self.url),
            ),
            attributes(
                http.request.method_original = method.original(),
                http.request.resend_count = request.resent,
                url.template = template,
            )
        );
        RequestSpan::new(span, Side::Client, Protocol::of(request.method))
    }

    fn start_grpc(&self, target: Target<'_>, method: GrpcMethod<'_>) -> Box<RequestSpan> {
        let target = target.or_at(self.server.as_ref());
        let span = start_span!(
            name = method.name(),
            kind = client,
            start(
                rpc.system.name = grpc::SYSTEM,
                server.address = target.address(),
                server.port = target.port_or_default(),
            ),
            attributes(
                rpc.method = method.method(),
                rpc.method_original = method.original(),
            )
        );
        RequestSpan::new(span, Side::Client, Protocol::Grpc(target.path.to_owned()))
    }
}

impl Start for ClientLayer {
    fn start<A>(&self, mut request: Request<A>) -> (Option<Box<RequestSpan>>, Request<A>) {
        Mark::remove(request.extensions_mut());
        let target = Target::of(request.uri());
        let method = GrpcMethod::by(request.method(), request.headers(), request.uri());
        let request_span = match method {
            Some(method) => self.start_grpc(target, method),
            None => self.start_http(&ClientRequest {
                method: request.method(),
                target,
                template: request.extensions().get(),
                resent: None,
            }),
        };
        let host = target.or_at(self.server.as_ref()).host.map(str::to_owned);
        self.inject(&request_span, host.as_deref(), request.headers_mut());
        (Some(request_span), request)
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Traced<ClientLayer, S>;

    fn layer(&self, service: S) -> Traced<ClientLayer, S> {
        Traced::new(self.clone(), service)
    }
}
