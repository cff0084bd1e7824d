#![deny(deprecated)]

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use enter_span::{enter_span, in_span};

struct Work;

impl Future for Work {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

struct Request;

impl IntoFuture for Request {
    type Output = ();
    type IntoFuture = Work;

    fn into_future(self) -> Work {
        Work
    }
}

#[enter_span]
fn by_hand() -> Work {
    Work
}

#[enter_span]
fn generic<F: Future>(work: F) -> F {
    work
}

#[enter_span]
fn request() -> Request {
    Request
}

#[enter_span]
async fn rows(rows: Rows) -> Rows {
    rows
}

struct Rows;

impl futures_core::Stream for Rows {
    type Item = u8;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        Poll::Ready(None)
    }
}

fn main() {
    drop((by_hand(), generic(Work), request(), rows(Rows)));
    let _ = in_span!("request", |_| Request);
}
