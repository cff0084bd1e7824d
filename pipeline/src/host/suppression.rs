//! Threads that make no spans: those that export.
//!
//! OpenTelemetry's own suppression travels in contexts, which code that starts a new trace leaves
//! behind, as instrumentation by `tracing` does.

use std::cell::Cell;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// From now on this thread makes no spans.
pub(crate) fn make_quiet() {
    IS_QUIET.set(true);
}

#[inline]
pub(crate) fn is_quiet() -> bool {
    IS_QUIET.get()
}
