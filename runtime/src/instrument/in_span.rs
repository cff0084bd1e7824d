//! Carries a span to where its work continues: another task, another thread, a pool, a stream.
//!
//! Three traits share the method `.in_span(..)`: on a closure it has to give something that can be called, and
//! only `impl FnOnce` can, so the trait for closures is not the one for futures. The returned closure does not
//! borrow the span (`use<..>` in a trait, which needs Rust 1.87).

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use futures_core::Stream;
use opentelemetry::Context as OtelContext;
use opentelemetry::trace::{SpanId, TraceContextExt as _};
use pin_project_lite::pin_project;

use crate::backend::context_backend;
use crate::backend::process_backend;
use crate::context::identity::Context;
use crate::context::stack;
use crate::instrument::future::InSpan;
use crate::instrument::stream::OpenStream;
use crate::span::active::ActiveSpan;
use crate::span::attach::AttachGuard;
use crate::span::body;
use crate::span::owned::OwnedSpan;
use crate::span::parent;
use crate::span::root_table;
use crate::span::scope_mirror;
use crate::span::to_parent::{PendingLinks, ToLinks, ToParent};

/// A context to be attached elsewhere, or nothing while the process is off.
#[derive(Clone)]
pub(crate) struct Captured {
    context: Option<OtelContext>,
    /// The local root of its span.
    root: Option<SpanId>,
}

/// It says the same before and after a panic.
impl UnwindSafe for Captured {}
impl RefUnwindSafe for Captured {}

impl Captured {
    #[inline]
    pub(crate) fn current() -> Self {
        Captured::new(current())
    }

    fn new(context: Option<OtelContext>) -> Self {
        let root = |context: &OtelContext| root_table::find(context.span().span_context());
        Captured {
            root: context.as_ref().and_then(root),
            context,
        }
    }

    #[inline]
    fn of<S: ToParent + ?Sized>(span: &S) -> Self {
        let below = |current| parent::below(&current, span.to_current());
        Captured::new(current().map(below))
    }

    #[inline]
    fn linked<L: ToLinks + ?Sized>(causes: &L) -> Self {
        let linked = |current| PendingLinks::put_into(context_backend::root_of(&current), causes);
        Captured::new(current().map(linked))
    }

    /// Where the work of an owned span belongs, unless that attaches itself.
    fn around(span: &OwnedSpan) -> Self {
        if span.is_attached() {
            Captured::new(None)
        } else {
            Captured::of(span)
        }
    }

    /// An empty context, whose roots are linked to the span of this one.
    pub(crate) fn to_linked(&self) -> Self {
        let linked = |context| PendingLinks::put_into(context_backend::root_of(context), context);
        Captured::new(self.context.as_ref().map(linked))
    }

    #[inline]
    fn attach(&self) -> Option<AttachGuard> {
        self.context
            .as_ref()
            .map(|context| attach(context, self.root))
    }

    #[inline]
    pub(crate) fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let _attached = self.attach();
        work()
    }

    pub(crate) fn to_context(&self) -> Context {
        Context(self.context.clone().unwrap_or_default())
    }
}

fn current() -> Option<OtelContext> {
    if process_backend::is_on() {
        stack::current()
    } else {
        None
    }
}

#[cold]
#[inline(never)]
fn attach(context: &OtelContext, root: Option<SpanId>) -> AttachGuard {
    if let Some(root) = root {
        root_table::remember(context.span().span_context().span_id(), root);
    }
    AttachGuard::context(context.clone(), || scope_mirror::enter_of(context))
}

pin_project! {
    /// A future or a stream that takes a context along: attached while it is polled and while it is
    /// dropped, on whatever thread that happens.
    #[must_use = "it does nothing unless it is polled"]
    pub struct Carried<T> {
        #[pin]
        inner: Option<T>,
        context: Captured,
    }

    impl<T> PinnedDrop for Carried<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.context.run(|| this.inner.set(None));
        }
    }
}

impl<T> Carried<T> {
    pub(crate) fn new(context: Captured, inner: T) -> Self {
        Carried {
            inner: Some(inner),
            context,
        }
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(future) => this.context.run(|| future.poll(cx)),
            // Only while it is being dropped.
            None => Poll::Pending,
        }
    }
}

impl<S: Stream> Stream for Carried<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(stream) => this.context.run(|| stream.poll_next(cx)),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.inner {
            Some(stream) => stream.size_hint(),
            None => (0, Some(0)),
        }
    }
}

impl<T> fmt::Debug for Carried<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Carried")
            .field(&self.context.to_context())
            .finish()
    }
}

/// Futures that take a span along, to a task of their own for instance.
///
/// Two flavours. *Child*: work that somebody waits for belongs to the caller's trace. *Linked*: work
/// that outlives its cause; the spans that it starts are roots of traces of their own, each linked to
/// the cause. Neither makes a span by itself, and while the process is off each costs one load.
///
/// A child keeps the rest of the context that is current where this is called: your values and your baggage.
/// Linked work starts from an empty context. The guide
/// [crossing boundaries](crate::guide::crossing_boundaries) has the table, under *What a span keeps of the
/// context*.
///
/// ```
/// use enter_span::enter_span;
/// use enter_span::prelude::*;
///
/// #[enter_span]
/// async fn prefetch(page: u32) {}
///
/// #[enter_span]
/// async fn browse(page: u32) {
///     let next = tokio::spawn(prefetch(page + 1).in_current_span());
///     tokio::spawn(prefetch(page + 2).linked_to_current_span());
///     next.await.ok();
/// }
/// ```
pub trait FutureInSpan: Future + Sized {
    /// As a child: polled, and dropped, in the span that is current where this is called.
    fn in_current_span(self) -> Carried<Self> {
        Carried::new(Captured::current(), self)
    }

    /// As a child of `span`: a [`Span`](crate::Span), an [`OwnedSpan`], a
    /// [`Context`](crate::Context), or an `Option` of one. With `None` it is in no span.
    ///
    /// The rest of the context is the one that is current here; a [`Context`](crate::Context) is taken whole.
    /// With `None`, where a span is current here, OpenTelemetry's context keeps one that is not valid, since it
    /// cannot be without: other code that starts a span there through the SDK's `Sampler::ParentBased` finds
    /// itself not sampled. Spans of this library are roots there.
    /// It does not end the span, and may outlive it.
    ///
    /// ```
    /// use enter_span::prelude::*;
    /// use enter_span::{enter_span, start_span};
    ///
    /// #[enter_span]
    /// async fn query() {}
    ///
    /// # async fn run() {
    /// let session = start_span!("session");
    /// query().in_span(&session).await;
    /// # }
    /// ```
    #[doc(alias = "instrument")]
    fn in_span<S: ToParent + ?Sized>(self, span: &S) -> Carried<Self> {
        Carried::new(Captured::of(span), self)
    }

    /// Linked: its spans are new roots, with a link to the span that is current here, in an empty context.
    fn linked_to_current_span(self) -> Carried<Self> {
        Carried::new(Captured::current().to_linked(), self)
    }

    /// Linked: its spans are new roots, with links to these, in an empty context.
    ///
    /// ```
    /// use enter_span::prelude::*;
    /// use enter_span::{Span, enter_span};
    ///
    /// #[enter_span]
    /// async fn merge() {}
    ///
    /// # async fn run(first: Span, second: Span) {
    /// merge().linked_to(&[first, second][..]).await;
    /// # }
    /// ```
    fn linked_to<L: ToLinks + ?Sized>(self, causes: &L) -> Carried<Self> {
        Carried::new(Captured::linked(causes), self)
    }

    /// As the work of `span`, which ends when the future is ready, panics, or is dropped before. An
    /// `Err` is not seen: [`Span::set_outcome`](crate::Span::set_outcome) tells of it.
    ///
    /// ```
    /// use enter_span::prelude::*;
    /// use enter_span::start_span;
    ///
    /// # async fn run() {
    /// let span = start_span!("upload", kind = client);
    /// tokio::spawn(async { /* the upload */ }.in_owned_span(span));
    /// # }
    /// ```
    fn in_owned_span(self, span: OwnedSpan) -> impl Future<Output = Self::Output> {
        let around = Captured::around(&span);
        let work = InSpan::new(span.into_work(), self, body::finish);
        Carried::new(around, work)
    }
}

impl<F: Future> FutureInSpan for F {}

/// Streams that take a span along. What the consumer does with an item runs outside of it.
///
/// The flavours are those of [`FutureInSpan`].
pub trait StreamInSpan: Stream + Sized {
    /// As a child: polled, and dropped, in the span that is current where this is called.
    fn in_current_span(self) -> Carried<Self> {
        Carried::new(Captured::current(), self)
    }

    /// As a child of `span`, which it does not end.
    fn in_span<S: ToParent + ?Sized>(self, span: &S) -> Carried<Self> {
        Carried::new(Captured::of(span), self)
    }

    /// Linked: its spans are new roots, with a link to the span that is current here, in an empty context.
    fn linked_to_current_span(self) -> Carried<Self> {
        Carried::new(Captured::current().to_linked(), self)
    }

    /// Linked: its spans are new roots, with links to these, in an empty context.
    fn linked_to<L: ToLinks + ?Sized>(self, causes: &L) -> Carried<Self> {
        Carried::new(Captured::linked(causes), self)
    }

    /// As the work of `span`, which ends when the stream ends, panics, or is dropped before.
    ///
    /// ```
    /// use enter_span::prelude::*;
    /// use enter_span::{Span, start_span};
    /// use futures::{Stream, stream};
    ///
    /// fn download() -> impl Stream<Item = &'static str> {
    ///     let span = start_span!("download", kind = server);
    ///     let parts = stream::iter(["hello", " world"]);
    ///     parts.in_owned_span(span)
    /// }
    /// # let _ = download();
    /// ```
    fn in_owned_span(self, span: OwnedSpan) -> impl Stream<Item = Self::Item> {
        let around = Captured::around(&span);
        Carried::new(around, OpenStream::new(span.into_work(), self))
    }
}

impl<S: Stream> StreamInSpan for S {}

/// Closures that take a span along: to a thread, to `spawn_blocking`, to rayon, to any pool.
///
/// The flavours are those of [`FutureInSpan`]. What the closure owns is dropped in the span too, also
/// if it is never called. A future that it makes is not in the span: put the future itself there.
///
/// ```
/// use enter_span::enter_span;
/// use enter_span::prelude::*;
///
/// #[enter_span]
/// fn compress(part: usize) -> usize {
///     part
/// }
///
/// #[enter_span]
/// fn archive() -> usize {
///     let work = || compress(1);
///     let other = std::thread::spawn(work.in_current_span());
///     compress(2) + other.join().unwrap()
/// }
///
/// assert_eq!(archive(), 3);
/// ```
pub trait ClosureInSpan<R>: FnOnce() -> R + Sized {
    /// As a child: called in the span that is current where this is called.
    fn in_current_span(self) -> impl FnOnce() -> R {
        carried(Captured::current(), ActiveSpan::OFF, self)
    }

    /// As a child of `span`, which it does not end.
    fn in_span<S: ToParent + ?Sized>(self, span: &S) -> impl FnOnce() -> R + use<Self, R, S> {
        carried(Captured::of(span), ActiveSpan::OFF, self)
    }

    /// Linked: its spans are new roots, with a link to the span that is current here, in an empty context.
    fn linked_to_current_span(self) -> impl FnOnce() -> R {
        carried(Captured::current().to_linked(), ActiveSpan::OFF, self)
    }

    /// Linked: its spans are new roots, with links to these, in an empty context.
    fn linked_to<L: ToLinks + ?Sized>(self, causes: &L) -> impl FnOnce() -> R + use<Self, R, L> {
        carried(Captured::linked(causes), ActiveSpan::OFF, self)
    }

    /// As the work of `span`, which ends when the closure returns or panics; where it is dropped and
    /// never called, the span is marked as cancelled.
    fn in_owned_span(self, span: OwnedSpan) -> impl FnOnce() -> R {
        carried(Captured::around(&span), span.into_work(), self)
    }
}

impl<F: FnOnce() -> R, R> ClosureInSpan<R> for F {}

/// Puts a closure into a context, and into a span that it ends, if there is one.
fn carried<R>(
    context: Captured,
    active: ActiveSpan,
    work: impl FnOnce() -> R,
) -> impl FnOnce() -> R {
    let waiting = Waiting {
        context,
        active,
        work: Some(work),
    };
    move || waiting.run()
}

/// A closure that has not been called yet. What it owns is dropped where it would have run, also if
/// it never is; its span is then cancelled.
struct Waiting<W> {
    context: Captured,
    active: ActiveSpan,
    work: Option<W>,
}

impl<W> Waiting<W> {
    fn run<R>(mut self) -> R
    where
        W: FnOnce() -> R,
    {
        let (active, work) = (self.active.take(), self.work.take());
        let Some(work) = work else {
            unreachable!("it is taken here, or by the destructor");
        };
        self.context.run(|| body::run(active, work))
    }
}

impl<W> Drop for Waiting<W> {
    fn drop(&mut self) {
        let (active, work) = (self.active.take(), self.work.take());
        if work.is_none() {
            return;
        }
        self.context.run(|| {
            if active.is_off() {
                drop(work)
            } else {
                body::abandon_with(active, || drop(work))
            }
        });
    }
}

impl Context {
    /// Runs `work` with this context as the current one.
    ///
    /// For closures that are called more than once, as rayon's are; it may run on many threads at
    /// the same time. A future that `work` makes is not in the context when it is awaited later:
    /// `.in_span(&context)` puts it there. While the process is off, it only calls `work`.
    ///
    /// ```
    /// use enter_span::{Context, enter_span};
    ///
    /// #[enter_span]
    /// fn resize(image: u32) {}
    ///
    /// let context = Context::current();
    /// std::thread::scope(|scope| {
    ///     for image in 0..2 {
    ///         let context = &context;
    ///         scope.spawn(move || context.enter(|| resize(image)));
    ///     }
    /// });
    /// ```
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        if process_backend::is_on() {
            Captured::new(Some(self.0.clone())).run(work)
        } else {
            work()
        }
    }
}
