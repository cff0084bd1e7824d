//! What all spans of a pipeline share, and the decision whether one is recorded.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult};

use crate::buffer::Queue;
use crate::clock::Clock;
use crate::id;
use crate::limit::SpanLimits;
use crate::sampling::{Asked, Sampler};

pub(crate) struct Core {
    pub(crate) queue: Arc<Queue>,
    pub(crate) sampler: Sampler,
    pub(crate) limits: SpanLimits,
    pub(crate) clock: Arc<Clock>,
}

/// A span that has been decided on.
pub(crate) struct Decision {
    pub(crate) identity: SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) is_recorded: bool,
    /// What the sampler adds.
    pub(crate) attributes: Vec<KeyValue>,
}

/// Bit 1 of the trace flags: the trace id is random (W3C Trace Context, level 2).
const RANDOM: u8 = 2;

impl Core {
    pub(crate) fn decide(&self, asked: &Asked<'_>) -> Decision {
        let above = asked.context.span();
        let parent = above.span_context();
        let (trace_id, random, parent_id) = match parent.is_valid() {
            true => (
                parent.trace_id(),
                parent.trace_flags().to_u8() & RANDOM,
                parent.span_id(),
            ),
            false => (id::trace_id(), RANDOM, SpanId::INVALID),
        };
        let SamplingResult {
            decision,
            attributes,
            trace_state,
        } = self.sampler.decide(asked, parent, trace_id);
        let is_sampled = decision == SamplingDecision::RecordAndSample;
        let flags = TraceFlags::new(random).with_sampled(is_sampled);
        Decision {
            identity: SpanContext::new(trace_id, id::span_id(), flags, false, trace_state),
            parent: parent_id,
            parent_is_remote: parent.is_remote(),
            is_recorded: decision != SamplingDecision::Drop,
            attributes,
        }
    }
}
