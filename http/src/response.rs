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
use crate::request_span::{Exchange, Progress};
use crate::response_wait::Open;
use crate::service_error::Failed;

pin_project! {
    /// Gives the response of the service inside, whose body ends the span.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        open: Open<F>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(exchange: Option<Box<Exchange>>, future: F) -> Self {
        ResponseFuture {
            open: Open::new(exchange, future),
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
        let (exchange, result) = ready!(self.project().open.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(follow(exchange, response)),
            Err(error) => {
                fail(exchange, &Failed(&error));
                Err(error)
            }
        })
    }
}

/// Gives the rest of the exchange to the body, if there is a rest.
pub(crate) fn follow<B: Body>(
    exchange: Option<Box<Exchange>>,
    response: Response<B>,
) -> Response<ResponseBody<B>> {
    let rest = exchange.and_then(|mut exchange| match exchange.answered(&response) {
        Progress::Open => Some(exchange),
        Progress::Over => {
            exchange.end();
            None
        }
    });
    response.map(|body| ResponseBody::new(body, rest))
}

/// Ends an exchange that has no response.
pub(crate) fn fail<T: Outcome>(exchange: Option<Box<Exchange>>, error: &T) {
    if let Some(exchange) = exchange {
        exchange.failed(error);
        exchange.end();
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseFuture")
            .finish_non_exhaustive()
    }
}
