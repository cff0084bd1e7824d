//! Warns, where a function is written, that work which it returns is not in its span.
//!
//! The choice by type is made as in `probe.rs`. Every future and every stream finds a warning here, but
//! for those that only wait.

use std::convert::Infallible;
use std::future::{Future, IntoFuture};

use futures_core::Stream;

use crate::instrument::future::BoxedFuture;
use crate::instrument::stream::BoxedStream;
use crate::outcome::probe::{OnlyWaits, Probe};

/// A value that is never there, and every type that is still open: what diverges has one.
pub trait WarnNever {
    fn __enter_span_check_form(&self) {}
}

impl WarnNever for &&&&&&&&Probe<'_, Infallible> {}

/// What most functions give, which the compiler need not ask about further.
pub trait WarnNoResult {
    fn __enter_span_check_form(&self) {}
}

impl<T, E> WarnNoResult for &&&&&&&Probe<'_, Result<T, E>> {}

/// A boxed future behind an alias, which `future` puts into the span.
pub trait WarnBoxedFuture {
    #[deprecated(
        note = "the returned value is a boxed future, and its work is not in the span: write `future` in the arguments of `#[enter_span]`, await it in the body, or write `call_only` if only the call is meant"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: BoxedFuture> WarnBoxedFuture for &&&&&&Probe<'_, T> {}

/// A boxed stream behind an alias, which `stream` puts into the span.
pub trait WarnBoxedStream {
    #[deprecated(
        note = "the returned value is a boxed stream, and its work is not in the span: write `stream` in the arguments of `#[enter_span]`, or `call_only` if only the call is meant"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: BoxedStream> WarnBoxedStream for &&&&&Probe<'_, T> {}

/// A future that has no work of its own.
pub trait WarnOnlyWaits {
    fn __enter_span_check_form(&self) {}
}

impl<T: OnlyWaits> WarnOnlyWaits for &&&&Probe<'_, T> {}

/// A future of a type that has a name, or that only the caller knows.
pub trait WarnFuture {
    #[deprecated(
        note = "the returned value is a future, and its work is not in the span: return it as `impl Future` or in a box, await it in the body, or write `call_only` if only the call is meant"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: Future> WarnFuture for &&&Probe<'_, T> {}

/// What becomes a future when it is awaited.
pub trait WarnIntoFuture {
    #[deprecated(
        note = "the returned value becomes a future when it is awaited, and that work is not in the span: return it as `impl IntoFuture`, await it in the body, or write `call_only` if only the call is meant"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: IntoFuture> WarnIntoFuture for &&Probe<'_, T> {}

/// A stream of a type that has a name, or that only the caller knows.
pub trait WarnStream {
    #[deprecated(
        note = "the returned value is a stream, and its work is not in the span: return it as `impl Stream` or in a box, or write `call_only` if only the call is meant"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: Stream> WarnStream for &Probe<'_, T> {}

/// Everything else has its whole work inside the span.
pub trait WarnNothing {
    fn __enter_span_check_form(&self) {}
}

impl<T> WarnNothing for Probe<'_, T> {}
