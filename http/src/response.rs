//! A response on its way, with its span.

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use enter_span::Outcome;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::body::ResponseBody;
use crate::request_span::{Progress, RequestSpan};
use crate::response_wait::ResponseWait;
use crate::service_error::ServiceError;

pin_project! {
    /// Gives the response of the service inside, whose body ends the span.
    ///
    /// ```
    /// use axum::body::Body;
    /// use axum::http::{Request, Response};
    /// use enter_span_http::{ResponseFuture, ServerLayer};
    /// use tower::{Layer as _, Service as _, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = service_fn(|_: Request<Body>| async {
    ///     Ok::<_, std::io::Error>(Response::new(Body::empty()))
    /// });
    /// let mut server = ServerLayer::new().layer(service);
    /// let request = Request::get("/orders/7").body(Body::empty())?;
    /// let response: ResponseFuture<_> = server.call(request);
    /// assert_eq!(response.await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        wait: ResponseWait<F>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(request_span: Option<Box<RequestSpan>>, future: F) -> Self {
        ResponseFuture {
            wait: ResponseWait::new(request_span, future),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (request_span, result) = ready!(self.project().wait.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(follow_body(request_span, response)),
            Err(error) => {
                end_failed(request_span, &ServiceError(&error));
                Err(error)
            }
        })
    }
}

/// Hands the span to the body, if the body is still to come.
pub(crate) fn follow_body<B: Body>(
    request_span: Option<Box<RequestSpan>>,
    response: Response<B>,
) -> Response<ResponseBody<B>> {
    let rest = request_span.and_then(|mut span| match span.record_response(&response) {
        Progress::Open => Some(span),
        Progress::Over => {
            span.end();
            None
        }
    });
    response.map(|body| ResponseBody::new(body, rest))
}

/// Ends the span of a request without a response.
pub(crate) fn end_failed<T: Outcome>(request_span: Option<Box<RequestSpan>>, error: &T) {
    if let Some(request_span) = request_span {
        request_span.record_error(error);
        request_span.end();
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseFuture")
            .finish_non_exhaustive()
    }
}
