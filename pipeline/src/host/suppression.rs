//! Threads that make no spans: those that export.
//!
//! OpenTelemetry's own suppression travels in the context. Instrumentation that starts a root from an
//! empty context loses it: `h2` under `tracing-opentelemetry` recorded 168 spans for two exports. So the
//! threads of the worker and of the exporters are marked too.

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
