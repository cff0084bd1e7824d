//! The wait for a response: polled, and dropped, inside of its span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::request_span::Exchange;

pin_project! {
    /// Hands the exchange back, still open, when the inner future is ready. Without one it is as if it
    /// were not there.
    pub(crate) struct Open<F> {
        #[pin]
        future: Option<F>,
        exchange: Option<Box<Exchange>>,
    }

    impl<F> PinnedDrop for Open<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange.take() {
                exchange.enter(|| this.future.set(None));
                exchange.abandon();
            }
        }
    }
}

impl<F> Open<F> {
    pub(crate) fn new(exchange: Option<Box<Exchange>>, future: F) -> Self {
        Open {
            future: Some(future),
            exchange,
        }
    }
}

impl<F: Future> Future for Open<F> {
    type Output = (Option<Box<Exchange>>, F::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Held here while the future runs, so that a panic of its own ends it.
        let Some(exchange) = this.exchange.take() else {
            return run(this.future, cx).map(|output| (None, output));
        };
        match exchange.enter(|| run(this.future, cx)) {
            Poll::Ready(output) => Poll::Ready((Some(exchange), output)),
            Poll::Pending => {
                *this.exchange = Some(exchange);
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
