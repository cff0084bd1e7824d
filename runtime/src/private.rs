//! Not public API: what generated code names. It changes without notice.

pub use crate::attribute::attributes::AttributeSink;
pub use crate::backend::process_backend::is_on;
pub use crate::backend::site::{Kind, Library, Module, Site};
pub use crate::instrument::future::{BoxedFuture, InSpan, OpenFuture, Silent};
pub use crate::instrument::stream::{BoxedStream, OpenStream};
pub use crate::outcome::failure::ErrorDetail;
pub use crate::outcome::probe::{
    Awaited, Diverged, Judged, Probe, ReturnCheck, Returned, Streamed,
};
pub use crate::span::active::ActiveSpan;
pub use crate::span::body::{finish, run, run_held, run_leaf, run_leaf_held, run_open};
pub use crate::span::builder::{SpanBuilder as Start, holds};
pub use crate::span::current::Current;
pub use crate::span::guard::Guard;
pub use crate::span::start::{enter, enter_with};

/// The traits that a probe is asked through.
pub mod reading {
    pub use crate::instrument::alias_warning::{
        WarnBoxedFuture, WarnBoxedStream, WarnFuture, WarnIntoFuture, WarnNever, WarnNoResult,
        WarnNothing, WarnOnlyWaits, WarnStream,
    };
    pub use crate::outcome::probe::{
        KindOfFuture, KindOfNever, KindOfStream, KindOfValue, KindOfWaiting, ReadAny, ReadDisplay,
        ReadDynError, ReadError, ReadOutcome, ReadResult, ReadSendError, Strict, StrictResult,
        SuccessOfAny, SuccessOfResult,
    };
}

use std::convert::Infallible;
use std::future::{Future, IntoFuture};

use futures_core::Stream;

use crate::backend::tracer::Tracer;
use crate::span::handle::Span;
use crate::span::owned::OwnedSpan;

/// Never called. In code that is never run, it says how a future must hold an argument.
pub fn hold<T>(_: T) {}

/// The same for an argument whose type has a name. As the receiver of a method it is borrowed; and
/// if that name is an alias of a reference, it is borrowed *through*.
pub trait Hold {
    fn __enter_span_hold(&mut self) {}
}

impl<T: ?Sized> Hold for T {}

/// Never called. In code that is never run, it says what a future returns.
pub fn never<T>() -> T {
    unreachable!("generated code does not run this")
}

/// Says what a future gives.
#[inline(always)]
pub fn gives<T, F: Future<Output = T>>(future: F) -> F {
    future
}

/// The same for what becomes a future.
#[inline(always)]
pub fn becomes<T, F: IntoFuture<Output = T>>(value: F) -> F::IntoFuture {
    value.into_future()
}

/// For `start_span!`.
#[inline]
pub fn own(active: ActiveSpan) -> OwnedSpan {
    OwnedSpan::new(active)
}

/// For `tracer!`.
pub const fn tracer(
    package: Option<&'static str>,
    version: Option<&'static str>,
    module: &'static str,
) -> Tracer {
    Tracer::of(Library::of(package, version, module))
}

/// A [`Tracer`] for the crate that contains this call, by its name and version; or for a library of the
/// name that is given, a `&'static str`.
///
/// It is constant, so it can stand in a `static`. It records where the process, or what is carried
/// by the context, records.
///
/// ```
/// use enter_span::Tracer;
///
/// static TRACER: Tracer = enter_span::tracer!();
/// static OF_A_PART: Tracer = enter_span::tracer!("shop.bank");
///
/// assert_eq!(TRACER.enter_span("sum", |_| 1 + 2), 3);
/// assert_eq!(OF_A_PART.enter_span("sum", |_| 1 + 2), 3);
/// ```
#[macro_export]
macro_rules! tracer {
    ($name:expr) => {
        $crate::private::tracer(
            ::core::option::Option::Some($name),
            ::core::option::Option::None,
            "",
        )
    };
    () => {
        $crate::private::tracer(
            ::core::option_env!("CARGO_PKG_NAME"),
            ::core::option_env!("CARGO_PKG_VERSION"),
            ::core::module_path!(),
        )
    };
}

/// Runs a body that has no span of its own.
#[inline(always)]
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Gives a closure its argument's type.
#[inline]
pub fn call<R>(body: impl FnOnce(Span) -> R, span: Span) -> R {
    body(span)
}

/// The same for an async closure, which the future keeps.
pub async fn call_async<R>(body: impl AsyncFnOnce(Span) -> R, span: Span) -> R {
    body(span).await
}

impl Diverged {
    pub fn finish<D>(self, _: ActiveSpan, never: Infallible, _: D) -> !
    where
        D: FnOnce(ActiveSpan, &Infallible),
    {
        match never {}
    }
}

impl Awaited {
    pub fn finish<F, D>(self, active: ActiveSpan, future: F, finish: D) -> InSpan<F, D>
    where
        F: Future,
        D: FnOnce(ActiveSpan, &F::Output),
    {
        InSpan::new(active, future, finish)
    }
}

impl Streamed {
    /// What is read of a value has nothing to read here: the items are not looked at.
    pub fn finish<S, D>(self, active: ActiveSpan, stream: S, _: D) -> OpenStream<S>
    where
        S: Stream,
        D: FnOnce(ActiveSpan, &()),
    {
        OpenStream::new(active, stream)
    }
}

/// The type itself. The compiler infers no `R` from what is expected of a `Same<R>`, so a mismatch is
/// reported for the whole block, and once.
type Same<T> = <T as Itself>::Type;

pub trait Itself {
    type Type;
}

impl<T> Itself for T {
    type Type = T;
}

impl Returned {
    pub fn finish<R>(
        self,
        active: ActiveSpan,
        value: R,
        finish: impl FnOnce(ActiveSpan, &R),
    ) -> Same<R> {
        if !active.is_off() {
            finish(active, &value);
        }
        value
    }
}
