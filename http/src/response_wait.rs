//! The wait for a response: polled, and dropped, inside its span. `body.rs` says who owns the span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::request_span::RequestSpan;

pin_project! {
    /// Returns the span, still open, when the inner future is ready. Without a span it only polls.
    pub(crate) struct ResponseWait<F> {
        #[pin]
        future: Option<F>,
        request_span: Option<Box<RequestSpan>>,
    }

    impl<F> PinnedDrop for ResponseWait<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(request_span) = this.request_span.take() {
                request_span.enter(|| this.future.set(None));
                request_span.abandon();
            }
        }
    }
}

impl<F> ResponseWait<F> {
    pub(crate) fn new(request_span: Option<Box<RequestSpan>>, future: F) -> Self {
        ResponseWait {
            future: Some(future),
            request_span,
        }
    }
}

impl<F: Future> Future for ResponseWait<F> {
    type Output = (Option<Box<RequestSpan>>, F::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Owned here while the future runs, so that its panic ends the span.
        let Some(request_span) = this.request_span.take() else {
            return run(this.future, cx).map(|output| (None, output));
        };
        match request_span.enter(|| run(this.future, cx)) {
            Poll::Ready(output) => Poll::Ready((Some(request_span), output)),
            Poll::Pending => {
                *this.request_span = Some(request_span);
                Poll::Pending
            }
        }
    }
}

/// Polls a future, and drops what is left of it when it is ready.
fn run<F: Future>(mut future: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    let Some(running) = future.as_mut().as_pin_mut() else {
        return Poll::Pending;
    };
    let polled = running.poll(cx);
    if polled.is_ready() {
        future.set(None);
    }
    polled
}
