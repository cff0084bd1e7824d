//! Runs code of the application's, as samplers, exporters and functions for warnings, so that its panic
//! ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::Context;

/// If it panics, its result is lost and nothing else.
pub(crate) fn shielded<R>(work: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(work));
    let discard = |payload| {
        // It may panic again in its own destructor.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
    };
    result.map_err(discard).ok()
}

/// The same for what makes no spans of its own.
pub(crate) fn silenced<R>(work: impl FnOnce() -> R) -> Option<R> {
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    shielded(work)
}
