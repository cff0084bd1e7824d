//! Calls of a subscriber, which is somebody else's code.
//!
//! A panic there costs its call. Its code may itself have spans of ours: these have no mirrors, or it would call
//! itself without end.

use std::cell::Cell;

use crate::context::unwind;

// It needs no destructor, so it is there while the thread dies too.
thread_local! {
    static IS_CALLED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this runs inside of a call of a subscriber by a mirror.
#[inline]
pub(crate) fn is_called() -> bool {
    IS_CALLED.try_with(Cell::get).unwrap_or(true)
}

/// Calls a subscriber. `None` if it panics.
#[inline]
pub(crate) fn call<R>(work: impl FnOnce() -> R) -> Option<R> {
    let before = set_called(true);
    let result = unwind::shielded(work);
    set_called(before);
    result
}

#[inline]
fn set_called(is_called: bool) -> bool {
    let replaced = IS_CALLED.try_with(|own| own.replace(is_called));
    replaced.unwrap_or(true)
}
