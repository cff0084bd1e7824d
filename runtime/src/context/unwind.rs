//! Panics: caught, resumed, discarded. Nothing else in the runtime catches a panic and lets it go on.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `work` and hands a panic back instead of letting it pass.
///
/// What a panicking body leaves half-done is its caller's to see, as without us: the panic goes on.
#[inline(always)]
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, Payload> {
    panic::catch_unwind(AssertUnwindSafe(work))
}

/// Runs code of the user's for the sake of telemetry only. If it panics, its result is lost.
pub fn shielded<R>(work: impl FnOnce() -> R) -> Option<R> {
    catch(work).map_err(discard).ok()
}

/// A payload may panic in its own `Drop`.
#[cold]
pub(crate) fn discard(payload: Payload) {
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

pub(crate) fn resume(payload: Payload) -> ! {
    panic::resume_unwind(payload)
}

/// The text of a panic, where it has one.
pub(crate) fn panic_message(payload: &Payload) -> Option<&str> {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
