//! The `tracestate` of a remote span, as it was received.
//!
//! OpenTelemetry's `TraceState` refuses keys that W3C Trace Context, level 2, allows, and rewrites white space and
//! empty members. So the text is kept beside it, where it would not give the text back.
//! `propagation/tracestate.rs` reads and writes the header.

use opentelemetry::trace::{TraceId, TraceState};

/// Carried by a context whose span is remote, and by all below it. `None` hides that of another trace.
#[derive(Clone, Default)]
pub(crate) struct RemoteTracestate(pub(crate) Option<ReceivedTracestate>);

/// OpenTelemetry's type, and the text that it was read from.
#[derive(Clone)]
pub(crate) struct ReceivedTracestate {
    pub(crate) trace_id: TraceId,
    pub(crate) state: TraceState,
    pub(crate) text: String,
}
