//! The place of a new span in its trace.

use enter_span::native::Parentage;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

use crate::sampling::id;

/// Bit 1 of the trace flags: the trace id is random (W3C Trace Context, level 2).
const RANDOM: u8 = 2;

/// The place of a span below `parent`, or of a root if that is not valid. It is not sampled yet.
#[inline(always)]
pub(crate) fn below(parent: &SpanContext) -> Parentage {
    if !parent.is_valid() {
        let (trace_id, span_id) = id::of_root();
        return Parentage {
            trace_id,
            span_id,
            flags: TraceFlags::new(RANDOM),
            parent: SpanId::INVALID,
            parent_is_remote: parent.is_remote(),
        };
    }
    Parentage {
        trace_id: parent.trace_id(),
        span_id: id::span_id(),
        flags: TraceFlags::new(parent.trace_flags().to_u8() & RANDOM),
        parent: parent.span_id(),
        parent_is_remote: parent.is_remote(),
    }
}

#[inline]
pub(crate) fn sampled(parentage: Parentage, is_sampled: bool) -> Parentage {
    Parentage {
        flags: parentage.flags.with_sampled(is_sampled),
        ..parentage
    }
}
