//! The two functions: a span for a block, by name and closure.

use std::borrow::Cow;
use std::future::Future;

use crate::entered::{self, Entered, Start};
use crate::future::InSpan;
use crate::installed;
use crate::site::Site;
use crate::span::Span;

static ANONYMOUS: Site = Site::anonymous();

fn enter(name: impl Into<Cow<'static, str>>) -> Entered {
    if !installed::is_on() {
        return Entered::OFF;
    }
    let mut name = Some(name.into());
    let mut say = |start: &mut Start| {
        if let Some(name) = name.take() {
            start.static_name(name);
        }
    };
    entered::enter_with(&ANONYMOUS, &mut [&mut say])
}

/// Runs `body` in a span of this name, below the current one.
///
/// The span ends when `body` returns or panics. The handle is for attributes and the like; while
/// nothing is traced, it does nothing and the call costs one load.
///
/// A function cannot see an `Err` in a generic value: say it with
/// [`Span::set_outcome`], or use [`in_span!`](crate::in_span), which sees it and takes all the
/// options of the attribute. The span is recorded under the instrumentation scope `enter_span`.
///
/// For a future there is [`enter_span_async`]: this function would only measure how it is made.
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
pub fn enter_span<R>(name: impl Into<Cow<'static, str>>, body: impl FnOnce(Span) -> R) -> R {
    let entered = enter(name);
    let span = entered.handle();
    entered::run(entered, || body(span))
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
    let entered = enter(name);
    let span = entered.handle();
    InSpan::new(entered, async { body(span).await }, entered::finish).await
}
