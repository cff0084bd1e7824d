//! A future in its span: attached while it is polled and while it is dropped.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::entered::Entered;

pin_project! {
    /// Hands its span back when the inner future is ready; ends it if that panics, or is dropped
    /// before.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Open<F> {
        #[pin]
        future: Option<F>,
        entered: Entered,
    }

    impl<F> PinnedDrop for Open<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let entered = this.entered.take();
            if !entered.is_off() {
                abandon(entered, &mut || this.future.set(None));
            }
        }
    }
}

impl<F: Future> Open<F> {
    pub fn new(entered: Entered, future: F) -> Self {
        Open {
            future: Some(future),
            entered,
        }
    }
}

impl<F: Future> Future for Open<F> {
    type Output = (Entered, F::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // `None` only while it is being dropped.
        let Some(mut future) = this.future.as_pin_mut() else {
            return Poll::Pending;
        };
        // Off, or polled again after its end: as if we were not there.
        if this.entered.is_off() {
            return future.poll(cx).map(|value| (Entered::OFF, value));
        }
        let mut polled = Poll::Pending;
        let outcome = this
            .entered
            .attached(&mut || polled = future.as_mut().poll(cx));
        match outcome {
            Ok(()) => polled.map(|value| (this.entered.take(), value)),
            Err(payload) => this.entered.take().resume(payload),
        }
    }
}

pin_project! {
    /// Ends its span, when the inner future is ready, with what the value says.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct InSpan<F, D> {
        #[pin]
        open: Open<F>,
        finish: Option<D>,
    }
}

impl<F, D> InSpan<F, D>
where
    F: Future,
    D: FnOnce(Entered, &F::Output),
{
    pub fn new(entered: Entered, future: F, finish: D) -> Self {
        InSpan {
            open: Open::new(entered, future),
            finish: Some(finish),
        }
    }
}

impl<F, D> Future for InSpan<F, D>
where
    F: Future,
    D: FnOnce(Entered, &F::Output),
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.open.poll(cx).map(|(entered, value)| {
            if let Some(finish) = this.finish.take().filter(|_| !entered.is_off()) {
                finish(entered, &value);
            }
            value
        })
    }
}

/// Drops what was not finished inside its span, so that its destructors are attributed to it.
#[cold]
pub(crate) fn abandon(entered: Entered, drop_inner: &mut dyn FnMut()) {
    match entered.attached(drop_inner) {
        Ok(()) => entered.cancel(),
        // A second panic would abort the process: telemetry keeps it from that.
        Err(payload) if std::thread::panicking() => entered.panicked(&payload),
        Err(payload) => entered.resume(payload),
    }
}

/// A boxed future, which becomes a boxed future of the same type with its span around it.
///
/// The `future` argument asks for it, for aliases that the macro cannot see through.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a boxed future",
    label = "not a boxed future",
    note = "`future` is for functions that return an alias of `Pin<Box<dyn Future<..>>>`; `-> impl Future` needs no argument, and anything else must drop `future`"
)]
pub trait BoxedFuture: Sized {
    type Output;

    fn in_span(self, entered: Entered, finish: fn(Entered, &Self::Output)) -> Self;
}

macro_rules! boxed_future {
    ($($future:ty),+) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, T: 'a> BoxedFuture for Pin<Box<$future>> {
            type Output = T;

            fn in_span(self, entered: Entered, finish: fn(Entered, &T)) -> Self {
                match entered.is_off() {
                    true => self,
                    false => Box::pin(InSpan::new(entered, self, finish)),
                }
            }
        }
    )+};
}

boxed_future!(
    dyn Future<Output = T> + 'a,
    dyn Future<Output = T> + Send + 'a,
    dyn Future<Output = T> + Send + Sync + 'a
);
