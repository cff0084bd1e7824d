//! The `tracestate` of a remote span, as it was received.
//!
//! A value of the context. `propagation/tracestate.rs` reads and writes the header.

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
