//! Where a span stands in its trace.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::id;

/// Where a span stands, and whether it is sampled.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) flags: TraceFlags,
    /// Not valid for a root.
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
}

/// Bit 1 of the trace flags: the trace id is random (W3C Trace Context, level 2).
const RANDOM: u8 = 2;

impl Place {
    #[inline]
    pub(crate) fn below(parent: &SpanContext) -> Self {
        let is_root = !parent.is_valid();
        let (trace_id, random, id) = match is_root {
            true => (id::trace_id(), RANDOM, SpanId::INVALID),
            false => {
                let random = parent.trace_flags().to_u8() & RANDOM;
                (parent.trace_id(), random, parent.span_id())
            }
        };
        Place {
            trace_id,
            span_id: id::span_id(),
            flags: TraceFlags::new(random),
            parent: id,
            parent_is_remote: parent.is_remote(),
        }
    }

    #[inline]
    pub(crate) fn sampled(self, is_sampled: bool) -> Self {
        Place {
            flags: self.flags.with_sampled(is_sampled),
            ..self
        }
    }

    #[inline]
    pub(crate) fn identity(&self, state: TraceState) -> SpanContext {
        SpanContext::new(self.trace_id, self.span_id, self.flags, false, state)
    }
}
