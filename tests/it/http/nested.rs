//! Layers inside of layers, and routers inside of routers: one request is one server span, told by the
//! URL that came.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use ::http::{HeaderMap, HeaderValue, Request, Response};
use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use enter_span::propagation::Trust;
use enter_span::testing::Trace;
use enter_span::{Status, enter_span, inject};
use enter_span_http::{ClientLayer, ServerLayer};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::rt::TokioExecutor;
use rstest::rstest;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use super::{assert_outline, record, serve, text};
use crate::propagation::{PARENT, TRACE};

#[enter_span]
async fn handle() -> &'static str {
    "a user"
}

fn get_request(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).expect("a request")
}

/// Has a service answer, and reads its answer to the end.
async fn answered<S, B>(service: S, request: Request<Body>)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: ::http_body::Body<Error: std::fmt::Debug>,
{
    let response = service.oneshot(request).await.expect("a response");
    response.into_body().collect().await.expect("a body");
}

fn users() -> Router {
    Router::new().route("/users/{id}", any(handle))
}

/// Where the layer is added to the routers of `/api/v1/users/{id}`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outer,
    Middle,
    Inner,
    Service,
}

fn nested(place: Place) -> Router {
    let add = |at, router: Router| {
        if at == place {
            router.layer(ServerLayer::new().with_query())
        } else {
            router
        }
    };
    let inner = add(Place::Inner, users());
    let middle = match place {
        Place::Service => {
            Router::new().nest_service("/v1", ServerLayer::new().with_query().layer(inner))
        }
        _ => Router::new().nest("/v1", inner),
    };
    let middle = add(Place::Middle, middle);
    add(Place::Outer, Router::new().nest("/api", middle))
}

/// `url.path` is that of the request as it came, and so it fits `http.route`.
#[rstest]
#[case(Place::Outer)]
#[case(Place::Middle)]
#[case(Place::Inner)]
fn the_path_is_as_it_came(#[case] place: Place) {
    let trace = record(async |_| {
        answered(
            nested(place),
            get_request("http://shop.example:81/api/v1/users/7?q=1"),
        )
        .await;
    });
    assert_outline(&trace, "GET /api/v1/users/{id} [server]\n  handle");
    let span = trace.find("GET /api/v1/users/{id}");
    assert_eq!(span.attribute("url.path"), text("/api/v1/users/7"));
    assert_eq!(span.attribute("url.query"), text("q=1"));
    assert_eq!(span.attribute("http.route"), text("/api/v1/users/{id}"));
    assert_eq!(span.attribute("server.address"), text("shop.example"));
    assert_eq!(span.attribute("server.port"), Some(81.into()));
}

/// Also around a whole router that is nested, of which no route is known yet.
#[test]
fn the_path_is_as_it_came_without_a_route() {
    let path = "/api/v1/users/7";
    let trace = record(async |_| answered(nested(Place::Service), get_request(path)).await);
    assert_eq!(server(&trace).attribute("url.path"), text(path));
}

/// The one server span of a trace.
#[track_caller]
fn server(trace: &Trace) -> &enter_span::testing::RecordedSpan {
    let mut servers = trace.spans().iter().filter(|span| span.kind() == "server");
    let span = servers.next().expect("a server");
    assert!(servers.next().is_none(), "{}", trace.tree());
    span
}

/// At the router and at its sub-router: one span, below the caller.
#[test]
fn two_layers_around_a_request_are_one_span() {
    let trace = record(async |_| {
        let router = Router::new().nest("/api", users().layer(ServerLayer::new()));
        let mut request = get_request("/api/users/7");
        let parent = HeaderValue::from_static(PARENT);
        request.headers_mut().insert("traceparent", parent);
        answered(router.layer(ServerLayer::new()), request).await;
    });
    assert_outline(&trace, "GET /api/users/{id} [server]\n  handle");
    let parent = server(&trace).parent_id().map(|id| id.to_string());
    assert_eq!(parent.as_deref(), Some("b7ad6b7169203331"));
}

/// The layer outside has no route yet: the one inside tells it, and only that.
#[test]
fn the_layer_inside_tells_the_route() {
    let trace = record(async |_| {
        let inside = ServerLayer::new()
            .with_query()
            .with_scheme("wss")
            .with_trust(Trust::Ignore);
        let router = Router::new().nest("/api", users().layer(inside));
        answered(
            ServerLayer::new().layer(router),
            get_request("/api/users/7?q=1"),
        )
        .await;
    });
    assert_outline(&trace, "GET /api/users/{id} [server]\n  handle");
    let span = server(&trace);
    assert_eq!(span.attribute("http.route"), text("/api/users/{id}"));
    assert_eq!(span.attribute("url.path"), text("/api/users/7"));
    assert_eq!(span.attribute("url.scheme"), text("http"));
    assert_eq!(span.attribute("url.query"), text(""));
}

/// A layer that knows no route takes none away; and a request of a method that nobody knows keeps its
/// name free of it.
#[rstest]
#[case("GET", "GET /outside")]
#[case("BREW", "HTTP /outside")]
fn a_route_that_is_known_stays(#[case] method: &str, #[case] name: &str) {
    let trace = record(async |_| {
        let service = service_fn(async |_: Request<Body>| {
            Ok::<_, Infallible>(Response::new(Body::from("a body")))
        });
        let service = ServerLayer::new().layer(ServerLayer::new().layer(service));
        let outside = ServerLayer::new().with_route(|_| Some("/outside".into()));
        let mut request = get_request("/");
        *request.method_mut() = method.parse().expect("a method");
        answered(outside.layer(service), request).await;
    });
    assert_outline(&trace, &format!("{name} [server]"));
    assert_eq!(server(&trace).attribute("http.route"), text("/outside"));
}

/// The outer layer records the outcome, once, also if the service fails.
#[test]
fn the_outcome_is_told_once() {
    let trace = record(async |_| {
        let failing = service_fn(async |_: Request<Body>| {
            let response = Response::builder().status(503);
            Ok::<_, Infallible>(response.body(Body::empty()).expect("a response"))
        });
        let service = ServerLayer::new().layer(ServerLayer::new().layer(failing));
        answered(service, get_request("/")).await;
    });
    let span = server(&trace);
    assert_eq!(span.attribute("error.type"), text("503"));
    assert_eq!(span.status(), &Status::error(""));
    assert!(span.is_ended());
}

/// A caller that is not sampled stays so below both layers.
#[test]
fn a_caller_that_is_not_sampled_stays_so() {
    let sent = Arc::new(Mutex::new(HeaderMap::new()));
    let seen = Arc::clone(&sent);
    let trace = record(async |_| {
        let service = service_fn(move |_: Request<Body>| {
            inject(&mut *seen.lock().expect("a map"));
            async { Ok::<_, Infallible>(Response::new(Body::empty())) }
        });
        let mut request = get_request("/");
        let parent = format!("00-{TRACE}-b7ad6b7169203331-00");
        let parent = HeaderValue::from_str(&parent).expect("a header");
        request.headers_mut().insert("traceparent", parent);
        answered(
            ServerLayer::new().layer(ServerLayer::new().layer(service)),
            request,
        )
        .await;
    });
    assert!(trace.spans().is_empty(), "{}", trace.tree());
    let sent = sent.lock().expect("a map");
    let sent = sent["traceparent"].to_str().expect("a header");
    assert!(
        sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"),
        "{sent}"
    );
}

/// A request that a handler sends on is another one, also within the process and with all that the first
/// one carried.
#[test]
fn a_request_that_is_sent_on_is_another_one() {
    let trace = record(async |_| {
        let inner = ServerLayer::new().layer(users());
        let forward = service_fn(move |request: Request<Body>| {
            ClientLayer::new().layer(inner.clone()).oneshot(request)
        });
        answered(ServerLayer::new().layer(forward), get_request("/users/7")).await;
    });
    assert_outline(
        &trace,
        "
        GET [server]
          GET [client]
            GET [server]
              handle
        ",
    );
}

/// What is left of a request whose span has ended begins anew.
#[test]
fn a_request_that_is_over_is_another_one() {
    let kept = Arc::new(Mutex::new(None));
    let keeps = Arc::clone(&kept);
    let trace = record(async |_| {
        let keep = service_fn(move |request: Request<Body>| {
            *keeps.lock().expect("a place") = Some(request);
            async { Ok::<_, Infallible>(Response::new(Body::empty())) }
        });
        answered(ServerLayer::new().layer(keep), get_request("/users/7")).await;
        let request = kept.lock().expect("a place").take().expect("a request");
        answered(users().layer(ServerLayer::new()), request).await;
    });
    assert_outline(&trace, "GET [server]\nGET /users/{id} [server]\n  handle");
}

/// Each client's layer is a span of its own, and the receiver is below the inner one: what stands between
/// them may send a request more than once.
#[test]
fn two_layers_around_a_client_are_two_spans() {
    let trace = record(async |recorder| {
        let router = Router::new().route("/users/{id}", get(handle));
        let url = serve(&recorder, router.layer(ServerLayer::new())).await;
        let client = Hyper::builder(TokioExecutor::new()).build_http();
        let client = ClientLayer::new().layer(ClientLayer::new().layer(client));
        let response = client.oneshot(get_request(&format!("{url}/users/7"))).await;
        let body = response.expect("a response").into_body();
        body.collect().await.expect("a body");
    });
    assert_outline(
        &trace,
        "
        GET [client]
          GET [client]
            GET /users/{id} [server]
              handle
        ",
    );
}
