//! What all spans of a pipeline share, and the decision whether one is recorded.

use std::sync::Arc;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::buffer::Queue;
use crate::clock::Clock;
use crate::id;
use crate::limit::SpanLimits;
use crate::record::Record;
use crate::sampling::{Answer, Sampler};

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
    /// Hands over a span that has ended.
    pub(crate) fn push(record: Box<Record>) {
        // The queue may keep the box, which holds it too.
        let queue = Arc::clone(&record.core().queue);
        queue.push(record);
    }

    /// Decides on a span below `context`. A sampler that has to be asked is asked by `ask`, which
    /// shows it what it may look at.
    pub(crate) fn decide(
        &self,
        context: &Context,
        ask: impl FnOnce(&dyn ShouldSample, Option<&Context>, TraceId) -> SamplingResult,
    ) -> Decision {
        let above = context.span();
        let parent = above.span_context();
        let is_root = !parent.is_valid();
        let (trace_id, random, parent_id) = match is_root {
            true => (id::trace_id(), RANDOM, SpanId::INVALID),
            false => (
                parent.trace_id(),
                parent.trace_flags().to_u8() & RANDOM,
                parent.span_id(),
            ),
        };
        let (is_recorded, is_sampled, attributes, state) = match self.sampler.on(parent, trace_id) {
            Answer::Sampled(is_sampled) => {
                let state = parent.trace_state().clone();
                (is_sampled, is_sampled, Vec::new(), state)
            }
            Answer::Ask(sampler) => {
                let answer = ask(sampler, (!is_root).then_some(context), trace_id);
                let is_recorded = answer.decision != SamplingDecision::Drop;
                let is_sampled = answer.decision == SamplingDecision::RecordAndSample;
                (
                    is_recorded,
                    is_sampled,
                    answer.attributes,
                    answer.trace_state,
                )
            }
        };
        let flags = TraceFlags::new(random).with_sampled(is_sampled);
        Decision {
            identity: SpanContext::new(trace_id, id::span_id(), flags, false, state),
            parent: parent_id,
            parent_is_remote: parent.is_remote(),
            is_recorded,
            attributes,
        }
    }
}
