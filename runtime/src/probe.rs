//! Finds, where a function is written, what its returned value can say.
//!
//! Only generated code uses this, in whose scope methods of the user's may be: hence their names. Method look-up tries the receiver with all its references first
//! and takes one off at a time, so among the traits below the one that stands first and fits is
//! taken: a choice by type, without specialization, that sees through aliases. In generic code
//! without bounds nothing more special than the last one fits.

use std::any::type_name;
use std::error::Error;
use std::fmt;
use std::future::Future;

use crate::outcome::{Failure, Outcome};

/// A returned value, looked at.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// What was found. Code of the user's own has not run yet.
pub enum Reading<'a> {
    Nothing,
    Failed(Failure<'a>),
    Ask(&'a dyn Outcome),
}

fn failed<'a, T, E>(
    result: &'a Result<T, E>,
    failure: impl FnOnce(&'a E) -> Failure<'a>,
) -> Reading<'a> {
    match result {
        Ok(_) => Reading::Nothing,
        Err(error) => Reading::Failed(failure(error)),
    }
}

/// An error of a named type.
pub trait ReadError<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T, E: Error> ReadError<'a> for &&&&&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> Reading<'a> {
        failed(self.0, Failure::of)
    }
}

/// `Box<dyn Error + Send + Sync>`, `anyhow::Error`, `eyre::Report`.
pub trait ReadSendError<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T, E: AsRef<dyn Error + Send + Sync>> ReadSendError<'a> for &&&&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> Reading<'a> {
        failed(self.0, |error| {
            Failure::of_dyn(error.as_ref(), type_name::<E>())
        })
    }
}

/// `Box<dyn Error>`.
pub trait ReadDynError<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T, E: AsRef<dyn Error>> ReadDynError<'a> for &&&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> Reading<'a> {
        failed(self.0, |error| {
            Failure::of_dyn(error.as_ref(), type_name::<E>())
        })
    }
}

/// An error that is only text.
pub trait ReadDisplay<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T, E: fmt::Display> ReadDisplay<'a> for &&&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> Reading<'a> {
        failed(self.0, |error| {
            Failure::new(type_name::<E>()).message(error)
        })
    }
}

/// An error that has nothing but its type.
pub trait ReadResult<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T, E> ReadResult<'a> for &&Probe<'a, Result<T, E>> {
    fn __enter_span_read(&self) -> Reading<'a> {
        failed(self.0, |_| Failure::new(type_name::<E>()))
    }
}

/// A type of the user's.
pub trait ReadOutcome<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T: Outcome> ReadOutcome<'a> for &Probe<'a, T> {
    fn __enter_span_read(&self) -> Reading<'a> {
        Reading::Ask(self.0)
    }
}

/// Everything else.
pub trait ReadAny<'a> {
    fn __enter_span_read(&self) -> Reading<'a>;
}

impl<'a, T> ReadAny<'a> for Probe<'a, T> {
    fn __enter_span_read(&self) -> Reading<'a> {
        Reading::Nothing
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

/// A value that has to be awaited before it is one.
pub struct Awaited;

/// A value that is there.
pub struct Returned;

/// Whether a block gave a future.
pub trait KindOfFuture {
    fn __enter_span_kind(&self) -> Awaited;
}

impl<T: Future> KindOfFuture for &Probe<'_, T> {
    fn __enter_span_kind(&self) -> Awaited {
        Awaited
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
