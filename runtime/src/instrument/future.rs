//! A future in its span: attached while it is polled and while it is dropped.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::outcome::probe::ReturnCheck;
use crate::span::active::ActiveSpan;
use crate::span::body::{abandon, attached};

pin_project! {
    /// Hands its span back when the inner future is ready; ends it if that panics, or is dropped
    /// before.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct OpenFuture<F> {
        #[pin]
        future: Option<F>,
        // Taken when this is dropped, at the latest: nothing is left to drop.
        active: ManuallyDrop<ActiveSpan>,
    }

    impl<F> PinnedDrop for OpenFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !this.active.is_off() {
                abandon(this.active.take(), this.future);
            }
        }
    }
}

impl<F: Future> OpenFuture<F> {
    pub fn new(active: ActiveSpan, future: F) -> Self {
        OpenFuture {
            future: Some(future),
            active: ManuallyDrop::new(active),
        }
    }
}

impl<F> OpenFuture<F> {
    /// Keeps the place of a span that has ended, for what is left of its future.
    fn keep(self: Pin<&mut Self>, ended: ActiveSpan) {
        **self.project().active = ended;
    }
}

impl<F: Future> Future for OpenFuture<F> {
    type Output = (ActiveSpan, F::Output);

    // It has one caller, the function around it.
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // `None` only while it is being dropped.
        let Some(future) = this.future.as_pin_mut() else {
            return Poll::Pending;
        };
        // Off: as if we were not there. Polled again after its end: in the place of its span.
        match attached(this.active, || future.poll(cx)) {
            Poll::Ready(value) => Poll::Ready((this.active.take(), value)),
            Poll::Pending => Poll::Pending,
        }
    }
}

pin_project! {
    /// Ends its span when the inner future is ready, and reads nothing of the value.
    ///
    /// For async blocks: nothing is left of one that is ready.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Silent<F> {
        #[pin]
        open: OpenFuture<F>,
    }
}

impl<F: Future> Silent<F> {
    pub fn new(active: ActiveSpan, future: F) -> Self {
        Silent {
            open: OpenFuture::new(active, future),
        }
    }
}

impl<F: Future> Future for Silent<F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().open.poll(cx) {
            Poll::Ready((active, value)) => {
                if active.is_off() {
                    active.vanish()
                } else {
                    active.end(ReturnCheck::Nothing)
                }
                Poll::Ready(value)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

pin_project! {
    /// Ends its span, when the inner future is ready, with what the value says.
    ///
    /// A future that somebody else made may own something when it is ready. It is dropped with this,
    /// in the span's context.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct InSpan<F, D> {
        #[pin]
        open: OpenFuture<F>,
        finish: Option<D>,
    }
}

impl<F, D> InSpan<F, D>
where
    F: Future,
    D: FnOnce(ActiveSpan, &F::Output),
{
    pub fn new(active: ActiveSpan, future: F, finish: D) -> Self {
        InSpan {
            open: OpenFuture::new(active, future),
            finish: Some(finish),
        }
    }
}

impl<F, D> Future for InSpan<F, D>
where
    F: Future,
    D: FnOnce(ActiveSpan, &F::Output),
{
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        match this.open.as_mut().poll(cx) {
            Poll::Ready((mut active, value)) => {
                if active.is_off() {
                    active.vanish()
                } else {
                    if let Some(finish) = this.finish.take() {
                        finish(active.take_end(), &value);
                    }
                    this.open.keep(active);
                }
                Poll::Ready(value)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<F, D> FusedFuture for InSpan<F, D>
where
    F: FusedFuture,
    D: FnOnce(ActiveSpan, &F::Output),
{
    fn is_terminated(&self) -> bool {
        let future = self.open.future.as_ref();
        future.is_none_or(F::is_terminated)
    }
}

/// A boxed future, which becomes a boxed future of the same type with its span around it.
///
/// The `future` argument asks for it, for aliases that the macro cannot see through.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a boxed future",
    label = "not a boxed future",
    note = "`future` is for a box of `dyn Future`, also pinned or behind an alias; return anything else as `impl Future`, or drop `future`"
)]
pub trait BoxedFuture: Sized {
    type Output;

    fn in_span(self, active: ActiveSpan, finish: fn(ActiveSpan, &Self::Output)) -> Self;
}

macro_rules! boxed_future {
    ($($future:ty),+ $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, T: 'a> BoxedFuture for Pin<Box<$future>> {
            type Output = T;

            fn in_span(self, active: ActiveSpan, finish: fn(ActiveSpan, &T)) -> Self {
                match active.is_off() {
                    true => self,
                    false => Box::pin(InSpan::new(active, self, finish)),
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<'a, T: 'a> BoxedFuture for Box<$future> {
            type Output = T;

            fn in_span(self, active: ActiveSpan, finish: fn(ActiveSpan, &T)) -> Self {
                match active.is_off() {
                    true => self,
                    false => Box::new(InSpan::new(active, Box::into_pin(self), finish)),
                }
            }
        }
    )+};
}

boxed_future!(
    dyn Future<Output = T> + 'a,
    dyn Future<Output = T> + Send + 'a,
    dyn Future<Output = T> + Sync + 'a,
    dyn Future<Output = T> + Send + Sync + 'a,
    dyn Future<Output = T> + Unpin + 'a,
    dyn Future<Output = T> + Unpin + Send + 'a,
    dyn Future<Output = T> + Unpin + Sync + 'a,
    dyn Future<Output = T> + Unpin + Send + Sync + 'a,
);
