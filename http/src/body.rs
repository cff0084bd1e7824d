//! The body of a response, with the end of which its span ends.

use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::exchange::{Exchange, Progress};
use crate::failure::Failed;

pin_project! {
    /// The body of a response that is in a span: polled, and dropped, inside of it.
    ///
    /// The span ends with the last of the body: its trailers, its end, or an error, which the span tells
    /// of. Dropped before, it ends with `enter_span.outcome = "cancelled"`. Without a span it is the
    /// body that it holds.
    pub struct ResponseBody<B> {
        #[pin]
        body: Option<B>,
        exchange: Option<Box<Exchange>>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange.take() {
                exchange.enter(|| this.body.set(None));
                exchange.abandon();
            }
        }
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(body: B, exchange: Option<Box<Exchange>>) -> Self {
        ResponseBody {
            body: Some(body),
            exchange,
        }
    }
}

impl<B: Body> Body for ResponseBody<B>
where
    B::Error: Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        // Held here while the body runs, so that a panic of its own ends it.
        let Some(mut exchange) = this.exchange.take() else {
            return body.poll_frame(cx);
        };
        let (polled, is_last) =
            exchange.enter(|| (body.as_mut().poll_frame(cx), body.is_end_stream()));
        match tell(&mut exchange, &polled) == Progress::Over || is_last {
            // What is left of it is dropped in the span too.
            true => {
                exchange.enter(|| this.body.set(None));
                exchange.end();
            }
            false => *this.exchange = Some(exchange),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or_else(|| SizeHint::with_exact(0), B::size_hint)
    }
}

type Polled<D, E> = Poll<Option<Result<Frame<D>, E>>>;

fn tell<D, E>(exchange: &mut Exchange, polled: &Polled<D, E>) -> Progress
where
    D: bytes::Buf,
    E: Display + 'static,
{
    match polled {
        Poll::Pending => Progress::Open,
        Poll::Ready(Some(Ok(frame))) => exchange.received(frame),
        Poll::Ready(Some(Err(error))) => {
            exchange.failed(&Failed(error));
            Progress::Over
        }
        Poll::Ready(None) => Progress::Over,
    }
}

impl<B: Default> Default for ResponseBody<B> {
    /// In no span.
    fn default() -> Self {
        ResponseBody::new(B::default(), None)
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseBody")
            .field("is_in_span", &self.exchange.is_some())
            .finish_non_exhaustive()
    }
}
