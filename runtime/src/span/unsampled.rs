//! What a trace that is not sampled costs: one identity that is attached, and nothing else.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};

/// A span that is not recorded is attached only if headers and children must learn from it that
/// the trace is not sampled: at the root, below a remote parent, below one that is sampled.
pub(super) fn must_be_attached(parent: &Context, identity: &SpanContext) -> bool {
    let above = parent.span();
    let same = identity.span_id() == above.span_context().span_id();
    identity.is_valid() && !same && !is_known_unsampled(parent)
}

/// Whether everything below `parent` knows already that it is in a trace that is not sampled.
#[inline]
pub(super) fn is_known_unsampled(parent: &Context) -> bool {
    let above = parent.span();
    let parent = above.span_context();
    // What most say first: one that is sampled is asked for nothing else.
    !parent.is_sampled() && parent.is_valid() && !parent.is_remote() && !above.is_recording()
}
