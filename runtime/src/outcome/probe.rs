//! Chooses by type how the outcome of a returned value is read.
//!
//! Only generated code uses this. Methods of the user's may be in scope there: hence the long names. Method
//! look-up tries the receiver with all its references first and removes one at a time, so the first trait
//! below that fits is taken. This is a choice by type without specialization, and it sees through aliases.
//! In generic code without bounds only the last one fits.
//!
//! The choice costs nothing at run time. A value whose type is still open, such as that of a block that diverges,
//! must not be probed: the probe would settle the type.

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use futures_core::Stream;

use crate::context::unwind;
use crate::outcome::failure::{Failure, Outcome};

/// A returned value, looked at.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// What is to be read of a value when its span ends. Code of the user's own has not run yet.
pub enum ReturnCheck<'a> {
    Nothing,
    Ask(&'a dyn FailureSource),
}

/// A value from which the failure is read when its span ends. It is not `Outcome`, because the compiler lists
/// the implementations of that trait for users.
pub trait FailureSource {
    fn failure(&self) -> Option<Failure<'_>>;

    /// What there is to read, known where the function is compiled.
    #[inline]
    fn check(&self) -> ReturnCheck<'_>
    where
        Self: Sized,
    {
        ReturnCheck::Ask(self)
    }
}

impl<'a> ReturnCheck<'a> {
    #[inline]
    pub fn of(source: &'a impl FailureSource) -> Self {
        source.check()
    }

    pub fn when(is_failure: bool, source: &'a dyn FailureSource) -> Self {
        if is_failure {
            ReturnCheck::Ask(source)
        } else {
            ReturnCheck::Nothing
        }
    }
}

/// An error of a named type.
pub trait ReadError<'a, T, E> {
    fn __enter_span_read(&self) -> ErrorSource<'a, T, E>;
}

impl<'a, T, E: Error> ReadError<'a, T, E> for &&&&&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> ErrorSource<'a, T, E> {
        ErrorSource(self.0)
    }
}

pub struct ErrorSource<'a, T, E>(&'a Result<T, E>);

impl<T, E: Error> FailureSource for ErrorSource<'_, T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        self.0.as_ref().err().map(Failure::of)
    }
}

/// `Box<dyn Error + Send + Sync>`, `anyhow::Error`, `eyre::Report`.
pub trait ReadSendError<'a, T, E> {
    fn __enter_span_read(&self) -> SendErrorSource<'a, T, E>;
}

impl<'a, T, E: AsRef<dyn Error + Send + Sync>> ReadSendError<'a, T, E>
    for &&&&&Probe<'a, Result<T, E>>
{
    fn __enter_span_read(&self) -> SendErrorSource<'a, T, E> {
        SendErrorSource(self.0)
    }
}

pub struct SendErrorSource<'a, T, E>(&'a Result<T, E>);

impl<T, E: AsRef<dyn Error + Send + Sync>> FailureSource for SendErrorSource<'_, T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        let error = self.0.as_ref().err()?;
        Some(Failure::of_dyn(error.as_ref(), type_name::<E>()))
    }
}

/// `Box<dyn Error>`.
pub trait ReadDynError<'a, T, E> {
    fn __enter_span_read(&self) -> DynErrorSource<'a, T, E>;
}

impl<'a, T, E: AsRef<dyn Error>> ReadDynError<'a, T, E> for &&&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> DynErrorSource<'a, T, E> {
        DynErrorSource(self.0)
    }
}

pub struct DynErrorSource<'a, T, E>(&'a Result<T, E>);

impl<T, E: AsRef<dyn Error>> FailureSource for DynErrorSource<'_, T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        let error = self.0.as_ref().err()?;
        Some(Failure::of_dyn(error.as_ref(), type_name::<E>()))
    }
}

/// An error that is only text.
pub trait ReadDisplay<'a, T, E> {
    fn __enter_span_read(&self) -> DisplaySource<'a, T, E>;
}

impl<'a, T, E: fmt::Display> ReadDisplay<'a, T, E> for &&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> DisplaySource<'a, T, E> {
        DisplaySource(self.0)
    }
}

pub struct DisplaySource<'a, T, E>(&'a Result<T, E>);

impl<T, E: fmt::Display> FailureSource for DisplaySource<'_, T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        let error = self.0.as_ref().err()?;
        Some(Failure::new(type_name::<E>()).message(error))
    }
}

/// An error that has nothing but its type.
pub trait ReadResult<'a, T, E> {
    fn __enter_span_read(&self) -> ResultSource<'a, T, E>;
}

impl<'a, T, E> ReadResult<'a, T, E> for &&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> ResultSource<'a, T, E> {
        ResultSource(self.0)
    }
}

pub struct ResultSource<'a, T, E>(&'a Result<T, E>);

impl<T, E> FailureSource for ResultSource<'_, T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        let is_failure = self.0.is_err();
        is_failure.then(|| Failure::new(type_name::<E>()))
    }
}

/// A type of the user's.
pub trait ReadOutcome<'a, T> {
    fn __enter_span_read(&self) -> OutcomeSource<'a, T>;
}

impl<'a, T: Outcome> ReadOutcome<'a, T> for &Probe<'a, T> {
    fn __enter_span_read(&self) -> OutcomeSource<'a, T> {
        OutcomeSource(self.0)
    }
}

pub struct OutcomeSource<'a, T>(&'a T);

impl<T: Outcome> FailureSource for OutcomeSource<'_, T> {
    fn failure(&self) -> Option<Failure<'_>> {
        self.0.failure()
    }
}

/// Everything else.
pub trait ReadAny {
    fn __enter_span_read(&self) -> NoSource;
}

impl<T> ReadAny for Probe<'_, T> {
    fn __enter_span_read(&self) -> NoSource {
        NoSource
    }
}

pub struct NoSource;

impl FailureSource for NoSource {
    fn failure(&self) -> Option<Failure<'_>> {
        None
    }

    #[inline]
    fn check(&self) -> ReturnCheck<'_> {
        ReturnCheck::Nothing
    }
}

/// The same choice where `err` was asked for: a type without outcome is then an error.
pub trait Strict<'a, T> {
    fn __enter_span_require_outcome(&self)
    where
        T: Outcome;
}

impl<'a, T> Strict<'a, T> for Probe<'a, T> {
    fn __enter_span_require_outcome(&self)
    where
        T: Outcome,
    {
    }
}

/// A `Result` needs no `Display` of its error to have an outcome.
pub trait StrictResult {
    fn __enter_span_require_outcome(&self);
}

impl<T, E> StrictResult for &Probe<'_, Result<T, E>> {
    fn __enter_span_require_outcome(&self) {}
}

/// The part that `ret` shows: the `Ok` value of a `Result`.
pub trait SuccessOfResult<'a, T> {
    fn __enter_span_success(&self) -> Option<&'a T>;
}

impl<'a, T, E> SuccessOfResult<'a, T> for &Probe<'a, Result<T, E>> {
    fn __enter_span_success(&self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

/// The part that `ret` shows: any other value itself.
pub trait SuccessOfAny<'a, T> {
    fn __enter_span_success(&self) -> Option<&'a T>;
}

impl<'a, T> SuccessOfAny<'a, T> for Probe<'a, T> {
    fn __enter_span_success(&self) -> Option<&'a T> {
        Some(self.0)
    }
}

/// A future that has no work of its own: what it waits for is done elsewhere, by a task or by time.
pub trait OnlyWaits {}

#[cfg(feature = "tokio")]
mod tokio {
    use super::OnlyWaits;

    impl<T> OnlyWaits for tokio::task::JoinHandle<T> {}
    impl<T> OnlyWaits for tokio::sync::oneshot::Receiver<T> {}
    impl OnlyWaits for tokio::sync::futures::Notified<'_> {}
    impl OnlyWaits for tokio::time::Sleep {}
}

impl<T: OnlyWaits + ?Sized> OnlyWaits for &mut T {}
impl<T: OnlyWaits + ?Sized> OnlyWaits for Box<T> {}
impl<P: Deref<Target: OnlyWaits>> OnlyWaits for Pin<P> {}

/// A block that never gives a value.
pub struct Diverged;

/// A value that has to be awaited before it is one.
pub struct Awaited;

/// Values that come one by one.
pub struct Streamed;

/// A value that is there.
pub struct Returned;

/// Whether a block diverged. This settles a type that is open, as that of `exit(1)`.
pub trait KindOfNever {
    fn __enter_span_kind(&self) -> Diverged;
}

impl KindOfNever for &&&&Probe<'_, Infallible> {
    fn __enter_span_kind(&self) -> Diverged {
        Diverged
    }
}

/// Whether a block gave a future that has no work of its own.
pub trait KindOfWaiting {
    fn __enter_span_kind(&self) -> Returned;
}

impl<T: OnlyWaits> KindOfWaiting for &&&Probe<'_, T> {
    fn __enter_span_kind(&self) -> Returned {
        Returned
    }
}

/// Whether a block gave a future.
pub trait KindOfFuture {
    fn __enter_span_kind(&self) -> Awaited;
}

impl<T: Future> KindOfFuture for &&Probe<'_, T> {
    fn __enter_span_kind(&self) -> Awaited {
        Awaited
    }
}

/// Whether a block gave a stream.
pub trait KindOfStream {
    fn __enter_span_kind(&self) -> Streamed;
}

impl<T: Stream> KindOfStream for &Probe<'_, T> {
    fn __enter_span_kind(&self) -> Streamed {
        Streamed
    }
}

/// Whether a block gave anything else.
pub trait KindOfValue {
    fn __enter_span_kind(&self) -> Returned;
}

impl<T> KindOfValue for Probe<'_, T> {
    fn __enter_span_kind(&self) -> Returned {
        Returned
    }
}

/// `err = |error| ..`, which needs an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`, so `err = |error| ..` has nothing to judge",
    label = "not a `Result`",
    note = "return a `Result`, or remove `err`"
)]
pub trait Judged {
    type Error;

    /// A judgement that panics finds a failure.
    fn is_failure(&self, judge: impl FnOnce(&Self::Error) -> bool) -> bool;
}

impl<T, E> Judged for Result<T, E> {
    type Error = E;

    fn is_failure(&self, judge: impl FnOnce(&E) -> bool) -> bool {
        match self {
            Ok(_) => false,
            Err(error) => unwind::shielded(|| judge(error)).unwrap_or(true),
        }
    }
}
