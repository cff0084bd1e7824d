//! A stream in its span: attached while it is polled for its next item and while it is dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use crate::outcome::probe::ReturnCheck;
use crate::span::active::ActiveSpan;
use crate::span::body::{abandon, attached};

pin_project! {
    /// Ends its span when the inner stream ends, or panics, or is dropped before.
    ///
    /// What the consumer does with an item runs outside of the span.
    #[must_use = "a stream does nothing unless it is polled"]
    pub struct OpenStream<S> {
        #[pin]
        stream: Option<S>,
        active: ActiveSpan,
    }

    impl<S> PinnedDrop for OpenStream<S> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !this.active.is_off() {
                abandon(this.active.take(), this.stream);
            }
        }
    }
}

impl<S: Stream> OpenStream<S> {
    pub fn new(active: ActiveSpan, stream: S) -> Self {
        OpenStream {
            stream: Some(stream),
            active,
        }
    }
}

impl<S: Stream> Stream for OpenStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(stream) = this.stream.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let polled = attached(this.active, || stream.poll_next(cx));
        if let Poll::Ready(None) = polled {
            this.active.take_end().end(ReturnCheck::Nothing);
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.stream {
            Some(stream) => stream.size_hint(),
            None => (0, Some(0)),
        }
    }
}

impl<S: FusedStream> FusedStream for OpenStream<S> {
    fn is_terminated(&self) -> bool {
        let stream = self.stream.as_ref();
        stream.is_none_or(S::is_terminated)
    }
}

/// A boxed stream, which becomes a boxed stream of the same type with its span around it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a boxed stream",
    label = "not a boxed stream",
    note = "`stream` is for a box of `dyn Stream`, also pinned or behind an alias; return anything else as `impl Stream`, or drop `stream`"
)]
pub trait BoxedStream: Sized {
    fn in_span(self, active: ActiveSpan) -> Self;
}

macro_rules! boxed_stream {
    ($($stream:ty),+ $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, T: 'a> BoxedStream for Pin<Box<$stream>> {
            fn in_span(self, active: ActiveSpan) -> Self {
                match active.is_off() {
                    true => self,
                    false => Box::pin(OpenStream::new(active, self)),
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<'a, T: 'a> BoxedStream for Box<$stream> {
            fn in_span(self, active: ActiveSpan) -> Self {
                match active.is_off() {
                    true => self,
                    false => Box::new(OpenStream::new(active, Box::into_pin(self))),
                }
            }
        }
    )+};
}

boxed_stream!(
    dyn Stream<Item = T> + 'a,
    dyn Stream<Item = T> + Send + 'a,
    dyn Stream<Item = T> + Sync + 'a,
    dyn Stream<Item = T> + Send + Sync + 'a,
    dyn Stream<Item = T> + Unpin + 'a,
    dyn Stream<Item = T> + Unpin + Send + 'a,
    dyn Stream<Item = T> + Unpin + Sync + 'a,
    dyn Stream<Item = T> + Unpin + Send + Sync + 'a,
);
