//! Nothing is installed: nothing is evaluated, allocated or sent.

use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ::http::{HeaderValue, Request, Response};
use axum::body::{Body, HttpBody};
use enter_span::propagation::Destinations;
use enter_span_http::{ClientLayer, ServerLayer};
use tower::{Layer, Service, service_fn};

use crate::propagation::PARENT;
use crate::support::allocations;
use crate::support::child::is_child;

/// A request through a service, and how often that allocates.
fn allocated<S, B>(mut service: S) -> usize
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
    B: HttpBody,
{
    let mut request = Request::get("http://a.test/orders/7")
        .body(())
        .expect("a request");
    let parent = HeaderValue::from_static(PARENT);
    request.headers_mut().insert("traceparent", parent);
    allocations::count(|| {
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut cx) else {
            unreachable!("the service is always ready");
        };
        let mut body = pin!(response.into_body());
        assert!(body.as_mut().poll_frame(&mut cx).is_ready());
    })
}

fn plain() -> impl Service<Request<()>, Response = Response<Body>, Error = Infallible> {
    service_fn(|request: Request<()>| {
        assert_eq!(request.headers()["traceparent"], PARENT);
        ready(Ok(Response::new(Body::empty())))
    })
}

/// No header is written, what is there stays, and nothing is allocated.
#[test]
fn nothing_is_evaluated_or_sent() {
    if !is_child("http::off::nothing_is_evaluated_or_sent") {
        return;
    }
    let server = ServerLayer::new().with_route(|_| unreachable!("a route is asked for"));
    let undecided = Destinations::when(|_| unreachable!("a destination is asked for"));
    let client = ClientLayer::new().with_destinations(undecided);
    let bare = allocated(plain());
    assert_eq!(allocated(server.layer(plain())), bare);
    assert_eq!(allocated(client.layer(plain())), bare);
}
