//! The body of a response. Its end ends the span of the request.
//!
//! hyper drops a body without having seen its end: after the last byte of a known length, after the
//! trailers, for a `HEAD`. So the span counts what it expects, and only a body that is dropped before
//! that is cancelled.
//!
//! The poll that runs the body owns the span, and puts it back if there is more to come. A panic that
//! unwinds through the poll drops it, which marks the span with that panic, also where a layer around
//! catches it.

use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::request_span::{Progress, RequestSpan};
use crate::service_error::ServiceError;

pin_project! {
    /// The body of a response that is in a span: polled, and dropped, inside of it.
    ///
    /// The span ends with the last of the body: its trailers, its end, or an error, which the span
    /// records. Dropped before, it ends with `enter_span.outcome = "cancelled"`. Without a span it is the
    /// body that it holds.
    ///
    /// ```
    /// use axum::body::{Body, to_bytes};
    /// use axum::http::{Request, Response};
    /// use enter_span_http::{ClientLayer, ResponseBody};
    /// use tower::{Layer as _, ServiceExt as _, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = service_fn(|_: Request<Body>| async {
    ///     Ok::<_, std::io::Error>(Response::new(Body::from("an order")))
    /// });
    /// let client = ClientLayer::new().layer(service);
    /// let request = Request::get("http://shop/orders/7").body(Body::empty())?;
    /// let body: ResponseBody<Body> = client.oneshot(request).await?.into_body();
    /// // The span ends here.
    /// assert_eq!(to_bytes(Body::new(body), 1024).await?, "an order");
    /// # Ok(())
    /// # }
    /// ```
    pub struct ResponseBody<B> {
        #[pin]
        body: Option<B>,
        request_span: Option<Box<RequestSpan>>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(request_span) = this.request_span.take() {
                request_span.enter(|| this.body.set(None));
                request_span.abandon();
            }
        }
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(body: B, request_span: Option<Box<RequestSpan>>) -> Self {
        ResponseBody {
            body: Some(body),
            request_span,
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
        let this = self.project();
        // Owned here while the body runs, so that its panic ends the span.
        let Some(mut request_span) = this.request_span.take() else {
            return poll_rest(this.body, cx);
        };
        let (polled, progress) = request_span.enter(|| run(this.body, cx));
        record::<B>(&mut request_span, &polled);
        match progress {
            Progress::Open => *this.request_span = Some(request_span),
            Progress::Over => request_span.end(),
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

type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Where there is no span, or no more of one.
fn poll_rest<B: Body>(body: Pin<&mut Option<B>>, cx: &mut Context<'_>) -> Polled<B> {
    match body.as_pin_mut() {
        Some(body) => body.poll_frame(cx),
        None => Poll::Ready(None),
    }
}

/// Polls a body, and drops what is left of it after the last.
fn run<B: Body>(mut body: Pin<&mut Option<B>>, cx: &mut Context<'_>) -> (Polled<B>, Progress) {
    let Some(mut running) = body.as_mut().as_pin_mut() else {
        return (Poll::Ready(None), Progress::Over);
    };
    let polled = running.as_mut().poll_frame(cx);
    let progress = progress::<B>(&polled, &running);
    if progress == Progress::Over {
        body.set(None);
    }
    (polled, progress)
}

/// Trailers are the last of a body. One that knows its length is not asked again.
fn progress<B: Body>(polled: &Polled<B>, body: &B) -> Progress {
    match polled {
        Poll::Pending => Progress::Open,
        Poll::Ready(Some(Ok(frame))) if !frame.is_trailers() && !body.is_end_stream() => {
            Progress::Open
        }
        Poll::Ready(_) => Progress::Over,
    }
}

fn record<B: Body>(request_span: &mut RequestSpan, polled: &Polled<B>)
where
    B::Error: Display + 'static,
{
    match polled {
        Poll::Ready(Some(Ok(frame))) => request_span.record_frame(frame),
        Poll::Ready(Some(Err(error))) => request_span.record_error(&ServiceError(error)),
        Poll::Ready(None) | Poll::Pending => {}
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
            .field("is_in_span", &self.request_span.is_some())
            .finish_non_exhaustive()
    }
}
