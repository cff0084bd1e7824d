//! Warns, where a function is written, that its work is not in its span.
//!
//! The choice by type is made as in `probe.rs`.

use crate::future::BoxedFuture;
use crate::probe::Probe;
use crate::stream::BoxedStream;

/// A boxed future behind an alias, which `future` would put into the span.
pub trait WarnBoxedFuture {
    #[deprecated(
        note = "this function returns a future, and only the making of it is in the span: add `future` to the arguments of `#[enter_span]`"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: BoxedFuture> WarnBoxedFuture for &&Probe<'_, T> {}

/// A boxed stream behind an alias, which `stream` would put into the span.
pub trait WarnBoxedStream {
    #[deprecated(
        note = "this function returns a stream, and only the making of it is in the span: add `stream` to the arguments of `#[enter_span]`"
    )]
    fn __enter_span_check_form(&self) {}
}

impl<T: BoxedStream> WarnBoxedStream for &Probe<'_, T> {}

/// Everything else has its whole work inside the span.
pub trait WarnNothing {
    fn __enter_span_check_form(&self) {}
}

impl<T> WarnNothing for Probe<'_, T> {}
