//! Runs code of the application, such as samplers, exporters and warning functions, so that its panic ends
//! here.

pub(crate) use enter_span::native::shielded;
use opentelemetry::Context;

/// The same, and the code makes no spans.
pub(crate) fn silenced<R>(work: impl FnOnce() -> R) -> Option<R> {
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    shielded(work)
}
