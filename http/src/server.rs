//! The server's side: a span around each request that comes in.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use enter_span::propagation::Trust;
use enter_span::{Span, extract, start_span};
use http::header::{HOST, USER_AGENT};
use http::request::Parts;
use http::uri::Authority;
use http::{Request, Uri};
use tower_layer::Layer;

use crate::grpc::GrpcMethod;
use crate::method::Methods;
use crate::request_span::{Mark, Protocol, RequestSpan, Side, version};
use crate::service::{Start, Traced};
use crate::target::{Target, UrlVisibility, Visibility};

type Route = dyn Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync;

/// Puts each request that a service handles into a span of kind server, below the caller's.
///
/// The span starts before the service is called, and ends with the body of its response. It is the
/// current one in the service, in the response's future and in its body. It is named by the method and
/// the route (`GET /orders/{id}`), by the method alone where no route is known, and never by the path;
/// for gRPC, by the method that is called (`shop.Orders/Place`).
///
/// With the feature `axum` the route is the one that axum has matched, if the layer is added by
/// `Router::layer`: around the whole router it is not known yet. Elsewhere
/// [`with_route`](ServerLayer::with_route) tells it.
///
/// Nested layers share one span: a request that passes several of them, such as those of a router and of
/// its sub-router, has one server span. The outermost layer starts and ends it, by its own settings. An
/// inner layer adds the route, if it knows one, and nothing else. What a
/// [`ClientLayer`](crate::ClientLayer) sends on is a new request.
///
/// A status of the 5xx is an error, with the status as `error.type`; one of the 4xx is none. In gRPC
/// those codes are errors that are the server's fault, as the semantic conventions list them.
///
/// While the process is off, a request costs one relaxed load. What a request holds never makes it fail.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use enter_span_http::ServerLayer;
///
/// let router: Router = Router::new()
///     .route("/orders/{id}", get(async || "an order"))
///     .layer(ServerLayer::new());
/// ```
///
/// In tonic:
///
/// ```
/// use enter_span_http::ServerLayer;
///
/// let server = tonic::transport::Server::builder().layer(ServerLayer::new());
/// ```
#[derive(Clone, Default)]
pub struct ServerLayer {
    trust: Trust,
    route: Option<Arc<Route>>,
    scheme: Option<Cow<'static, str>>,
    methods: Methods,
    url: UrlVisibility,
    user_agent: Visibility,
}

impl ServerLayer {
    /// Believes callers in full, tells the path, and neither the query nor any header.
    pub fn new() -> Self {
        ServerLayer::default()
    }

    /// How far callers are believed. The default is [`Trust::Parent`]; for the public, [`Trust::Link`].
    ///
    /// ```
    /// use enter_span::propagation::Trust;
    /// use enter_span_http::ServerLayer;
    ///
    /// let public = ServerLayer::new().with_trust(Trust::Link);
    /// ```
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        ServerLayer { trust, ..self }
    }

    /// How the route of a request is found, in place of axum's. It must have few values. It is asked
    /// once for each request, only while that is traced; if it panics, there is no route.
    ///
    /// ```
    /// use enter_span_http::ServerLayer;
    ///
    /// let layer = ServerLayer::new().with_route(|request| match request.uri.path() {
    ///     path if path.starts_with("/orders/") => Some("/orders/{id}".into()),
    ///     _ => None,
    /// });
    /// ```
    #[must_use]
    pub fn with_route(
        self,
        route: impl Fn(&Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        ServerLayer {
            route: Some(Arc::new(route)),
            ..self
        }
    }

    /// The `url.scheme` of all requests: `https` where something in front of the service ends TLS, or
    /// where it does so itself over HTTP/1. Without it, what the request says, else `http`.
    ///
    /// ```
    /// let behind_a_proxy = enter_span_http::ServerLayer::new().with_scheme("https");
    /// ```
    #[must_use]
    pub fn with_scheme(self, scheme: impl Into<Cow<'static, str>>) -> Self {
        ServerLayer {
            scheme: Some(scheme.into()),
            ..self
        }
    }

    /// Methods that are known besides those of HTTP. A span is named `HTTP` for any other, and has
    /// `_OTHER` as its method.
    ///
    /// ```
    /// let webdav = enter_span_http::ServerLayer::new().with_methods(["PROPFIND", "MKCOL"]);
    /// ```
    #[must_use]
    pub fn with_methods(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        ServerLayer {
            methods: self.methods.with(names),
            ..self
        }
    }

    /// Does not record the path as `url.path`. The route is still recorded.
    ///
    /// ```
    /// let discreet = enter_span_http::ServerLayer::new().without_path();
    /// ```
    #[must_use]
    pub fn without_path(mut self) -> Self {
        self.url.path = Visibility::Hidden;
        self
    }

    /// Records the query as `url.query`. The values of parameters that sign a URL are left out, as the
    /// semantic conventions ask for; all others are recorded.
    ///
    /// ```
    /// let search = enter_span_http::ServerLayer::new().with_query();
    /// ```
    #[must_use]
    pub fn with_query(mut self) -> Self {
        self.url.query = Visibility::Shown;
        self
    }

    /// Tells the header `user-agent` as `user_agent.original`.
    ///
    /// ```
    /// let curious = enter_span_http::ServerLayer::new().with_user_agent();
    /// ```
    #[must_use]
    pub fn with_user_agent(self) -> Self {
        ServerLayer {
            user_agent: Visibility::Shown,
            ..self
        }
    }

    fn start_http(&self, request: &Parts) -> Box<RequestSpan> {
        let method = self.methods.classify(&request.method);
        let authority = host(request);
        let target = Target::of(original_uri(request)).or_at(authority.as_ref());
        let route = OnceCell::new();
        let route = || route.get_or_init(|| self.route(request)).as_deref();
        let span = start_span!(
            name = method.name(route()),
            kind = server,
            parent = extract(&request.headers).with_trust(self.trust),
            start(
                http.request.method = method.value(),
                url.scheme = self.scheme(target),
                url.path = target.path(self.url),
                url.query = target.query(self.url),
                server.address = target.address(),
                server.port = target.port,
                http.route = route(),
                user_agent.original = self.user_agent(request),
            ),
            attributes(
                http.request.method_original = method.original(),
                network.protocol.version = version(request.version),
            )
        );
        RequestSpan::new(span, Side::Server, Protocol::of(&request.method))
    }

    fn start_grpc(&self, request: &Parts, method: GrpcMethod<'_>) -> Box<RequestSpan> {
        let authority = host(request);
        let target = Target::of(&request.uri).or_at(authority.as_ref());
        let span = start_span!(
            name = method.name(),
            kind = server,
            parent = extract(&request.headers).with_trust(self.trust),
            start(
                rpc.system.name = crate::grpc::SYSTEM,
                server.address = target.address(),
                server.port = target.port,
                user_agent.original = self.user_agent(request),
            ),
            attributes(
                rpc.method = method.method(),
                rpc.method_original = method.original(),
                network.protocol.version = version(request.version),
            )
        );
        let path = request.uri.path().to_owned();
        RequestSpan::new(span, Side::Server, Protocol::Grpc(path))
    }

    /// Tells the span of a layer around this one what only this one may know.
    fn add_route(&self, span: &Span, request: &Parts) {
        if let Some(route) = self.route(request) {
            span.update_name(self.methods.classify(&request.method).name(Some(&route)));
            span.set_attribute("http.route", &*route);
        }
    }

    fn route(&self, request: &Parts) -> Option<Cow<'static, str>> {
        let Some(route) = &self.route else {
            return matched(request);
        };
        let route = catch_unwind(AssertUnwindSafe(|| route(request)));
        // What a panic carries may panic again when it is dropped.
        route.map_err(std::mem::forget).ok().flatten()
    }

    fn scheme<'a>(&'a self, target: Target<'a>) -> &'a str {
        self.scheme.as_deref().or(target.scheme).unwrap_or("http")
    }

    fn user_agent<'a>(&self, request: &'a Parts) -> Option<&'a str> {
        match self.user_agent {
            Visibility::Shown => request.headers.get(USER_AGENT)?.to_str().ok(),
            Visibility::Hidden => None,
        }
    }
}

/// As the request came: axum takes from a nested router's what has led to it.
#[cfg(feature = "axum")]
fn original_uri(request: &Parts) -> &Uri {
    let original = request.extensions.get::<axum::extract::OriginalUri>();
    original.map_or(&request.uri, |original| original)
}

#[cfg(not(feature = "axum"))]
fn original_uri(request: &Parts) -> &Uri {
    &request.uri
}

#[cfg(feature = "axum")]
fn matched(request: &Parts) -> Option<Cow<'static, str>> {
    let path = request.extensions.get::<axum::extract::MatchedPath>()?;
    Some(Cow::Owned(path.as_str().to_owned()))
}

#[cfg(not(feature = "axum"))]
fn matched(_: &Parts) -> Option<Cow<'static, str>> {
    None
}

/// Which host the caller asked, by the header.
fn host(request: &Parts) -> Option<Authority> {
    let host = request.headers.get(HOST)?;
    Authority::try_from(host.as_bytes()).ok()
}

/// Without what the route is found by.
impl fmt::Debug for ServerLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServerLayer")
            .field("trust", &self.trust)
            .field("scheme", &self.scheme)
            .field("url", &self.url)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

impl Start for ServerLayer {
    fn start<A>(&self, request: Request<A>) -> (Option<Box<RequestSpan>>, Request<A>) {
        let (mut parts, body) = request.into_parts();
        let method = GrpcMethod::by(&parts.method, &parts.headers, &parts.uri);
        let mut request_span = match (Mark::find(&parts.extensions), method) {
            (None, None) => Some(self.start_http(&parts)),
            (None, Some(method)) => Some(self.start_grpc(&parts, method)),
            (Some(span), None) => {
                self.add_route(&span, &parts);
                None
            }
            (Some(_), Some(_)) => None,
        };
        if let Some(request_span) = &mut request_span {
            request_span.mark(&mut parts.extensions);
        }
        (request_span, Request::from_parts(parts, body))
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = Traced<ServerLayer, S>;

    fn layer(&self, service: S) -> Traced<ServerLayer, S> {
        Traced::new(self.clone(), service)
    }
}
