//! The thread's context stack, clocks, panics that unwind through us, and our names for OpenTelemetry's identities.

pub(crate) mod clock;
pub(crate) mod identity;
pub(crate) mod remote_tracestate;
pub(crate) mod stack;
pub(crate) mod unwind;
