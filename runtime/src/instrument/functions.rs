//! The functions: a span for a block, by name and closure, or with an owner; and those of a tracer.

use std::borrow::Cow;
use std::future::Future;

use crate::backend::process_backend;
use crate::backend::site::{Library, Site};
use crate::backend::tracer::Tracer;
use crate::context::unwind;
use crate::diagnose::later_work;
use crate::instrument::future::Silent;
use crate::span::active::ActiveSpan;
use crate::span::body;
use crate::span::builder::SpanBuilder;
use crate::span::handle::Span;
use crate::span::owned::OwnedSpan;
use crate::span::start;

static ANONYMOUS: Site = Site::anonymous();
/// What to write where a value does its work later.
const REMEDY: &str = "`in_span!` or `enter_span_async`";

static OURS: Tracer = Tracer::of(Library::OURS);

fn enter(tracer: &Tracer, name: impl Into<Cow<'static, str>>) -> ActiveSpan {
    if !process_backend::is_on() {
        return ActiveSpan::OFF;
    }
    // The user's own conversion: one that panics costs the span.
    let Some(name) = unwind::shielded(|| name.into()) else {
        return ActiveSpan::OFF;
    };
    let mut name = Some(name);
    let mut by = |builder: &mut SpanBuilder| builder.tracer(tracer);
    let mut named = |builder: &mut SpanBuilder| {
        if let Some(name) = name.take() {
            builder.set_name(name);
        }
    };
    // The name has been evaluated already.
    start::enter_with(&ANONYMOUS, &mut [&mut by, &mut named], &mut [])
}

/// Runs `body` in a span of this name, below the current one.
///
/// For async code write [`in_span!`](crate::in_span), which puts a returned future or stream into the
/// span, or [`enter_span_async`]. This function cannot see what its value is: the span of
/// `enter_span("fetch", |_| async { .. })` ends before anything of the future runs. In debug builds that
/// is warned about, once for each call site, by the warnings of `enter-span-pipeline` and in
/// [`diagnose`](crate::diagnose()), if the value is an async block, a closure or a boxed future.
///
/// The span ends when `body` returns or panics. The handle is for attributes and the like; while
/// nothing is traced, it does nothing and the call costs one load.
///
/// A function cannot see an `Err` in a generic value: say it with
/// [`Span::set_outcome`], or use [`in_span!`](crate::in_span), which sees it and takes all the
/// options of the attribute. The span is recorded under the instrumentation scope `enter_span`.
///
/// ```
/// use enter_span::enter_span;
///
/// let sum = enter_span("sum", |span| {
///     let sum = 1 + 2;
///     span.set_attribute("sum", sum);
///     sum
/// });
/// assert_eq!(sum, 3);
/// ```
#[cfg_attr(debug_assertions, track_caller)]
pub fn enter_span<R>(name: impl Into<Cow<'static, str>>, body: impl FnOnce(Span) -> R) -> R {
    OURS.enter_span(name, body)
}

/// Runs the future that `body` makes in a span of this name.
///
/// The span starts, and finds its parent, when it is first polled; it is current whenever the
/// future is polled, and while it is dropped. It ends when the future is ready. A future that is
/// dropped before is marked with `enter_span.outcome = "cancelled"`.
///
/// The handle comes by value, so that the future is `Send` wherever its parts are. As with
/// [`enter_span`](crate::enter_span()), an `Err` is not seen.
///
/// ```
/// use enter_span::enter_span_async;
///
/// # async fn fetch() -> usize { 3 }
/// # async fn run() {
/// let rows = enter_span_async("fetch", |span| async move {
///     let rows = fetch().await;
///     span.set_attribute("rows", rows);
///     rows
/// })
/// .await;
/// # }
/// ```
pub async fn enter_span_async<F: Future>(
    name: impl Into<Cow<'static, str>>,
    body: impl FnOnce(Span) -> F,
) -> F::Output {
    OURS.enter_span_async(name, body).await
}

/// Starts a span of this name, below the current one, which ends when its owner says so.
///
/// It is not current by itself: see [`OwnedSpan`]. With a kind, attributes, links and the crate's own
/// instrumentation scope there is [`start_span!`](crate::start_span!).
///
/// ```
/// use enter_span::start_span;
///
/// let span = start_span("upload");
/// span.set_attribute("bytes", 512);
/// span.end();
/// ```
pub fn start_span(name: impl Into<Cow<'static, str>>) -> OwnedSpan {
    OURS.start_span(name)
}

impl Tracer {
    /// As [`enter_span`](crate::enter_span()), under this tracer's library: for async code there are
    /// [`in_span!`](crate::in_span), with `tracer = ..`, and
    /// [`enter_span_async`](Tracer::enter_span_async).
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn enter_span<R>(
        &self,
        name: impl Into<Cow<'static, str>>,
        body: impl FnOnce(Span) -> R,
    ) -> R {
        let mut active = enter(self, name);
        let span = active.handle();
        if !active.is_off() {
            later_work::check::<R>(REMEDY);
        }
        body::run(active, || body(span))
    }

    /// As [`enter_span_async`](crate::enter_span_async()), under this tracer's library.
    pub async fn enter_span_async<F: Future>(
        &self,
        name: impl Into<Cow<'static, str>>,
        body: impl FnOnce(Span) -> F,
    ) -> F::Output {
        let mut active = enter(self, name);
        let span = active.handle();
        Silent::new(active, async { body(span).await }).await
    }

    /// As [`start_span`](crate::start_span()), under this tracer's library.
    pub fn start_span(&self, name: impl Into<Cow<'static, str>>) -> OwnedSpan {
        OwnedSpan::new(enter(self, name))
    }
}
