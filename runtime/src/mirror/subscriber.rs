//! Calls of a subscriber, which is somebody else's code.
//!
//! A panic there costs its call. Its code may itself have spans of ours: these have no mirrors, or it would call
//! itself without end.

use std::cell::Cell;

use crate::context::unwind;

thread_local! {
    static IS_CALLED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this runs inside of a call of a subscriber by a mirror.
pub(crate) fn is_called() -> bool {
    IS_CALLED.with(Cell::get)
}

/// Calls a subscriber. `None` if it panics.
pub(crate) fn call<R>(work: impl FnOnce() -> R) -> Option<R> {
    let before = IS_CALLED.with(|is_called| is_called.replace(true));
    let result = unwind::shielded(work);
    IS_CALLED.with(|is_called| is_called.set(before));
    result
}
