//! What all spans of a pipeline share, and the decision whether one is recorded.

use std::sync::Arc;

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::buffer::Queue;
use crate::clock::Clock;
use crate::id;
use crate::limit::SpanLimits;
use crate::sampling::Sampler;

pub(crate) struct Core {
    pub(crate) queue: Arc<Queue>,
    pub(crate) sampler: Sampler,
    pub(crate) limits: SpanLimits,
    pub(crate) clock: Arc<Clock>,
}

/// A span that has been decided on.
pub(crate) struct Decision {
    pub(crate) identity: SpanContext,
    pub(crate) parent: Parent,
    pub(crate) is_recorded: bool,
    /// What the sampler adds.
    pub(crate) attributes: Vec<KeyValue>,
}

/// What a span hangs on; not valid for a root.
pub(crate) struct Parent {
    pub(crate) id: SpanId,
    pub(crate) is_remote: bool,
}

/// Bit 1 of the trace flags: the trace id is random (W3C Trace Context, level 2).
const RANDOM: u8 = 2;

impl Core {
    /// Decides on a span below `context`. A sampler that has to be asked is asked by `ask`, which
    /// shows it what it may look at.
    pub(crate) fn decide(
        &self,
        context: &Context,
        ask: impl FnOnce(&dyn ShouldSample, Option<&Context>, TraceId) -> SamplingResult,
    ) -> Decision {
        let Sampler::Custom(sampler) = &self.sampler else {
            let (identity, parent) = self.follow_known(context);
            return Decision {
                is_recorded: identity.is_sampled(),
                identity,
                parent,
                attributes: Vec::new(),
            };
        };
        let above = context.span();
        let place = Place::below(above.span_context());
        let known = above.span_context().is_valid().then_some(context);
        let answer = ask(&**sampler, known, place.trace_id);
        let is_sampled = answer.decision == SamplingDecision::RecordAndSample;
        Decision {
            is_recorded: answer.decision != SamplingDecision::Drop,
            identity: place.identity(is_sampled, answer.trace_state),
            parent: place.parent,
            attributes: answer.attributes,
        }
    }

    /// The same where the sampler runs no code of the user's; else `None`.
    pub(crate) fn follow(&self, context: &Context) -> Option<(SpanContext, Parent)> {
        let is_known = !matches!(self.sampler, Sampler::Custom(_));
        is_known.then(|| self.follow_known(context))
    }

    fn follow_known(&self, context: &Context) -> (SpanContext, Parent) {
        let above = context.span();
        let parent = above.span_context();
        let place = Place::below(parent);
        let is_sampled = self.sampler.samples(parent, place.trace_id);
        let identity = place.identity(is_sampled, parent.trace_state().clone());
        (identity, place.parent)
    }
}

/// Where a span stands.
struct Place {
    trace_id: TraceId,
    random: u8,
    parent: Parent,
}

impl Place {
    #[inline]
    fn below(parent: &SpanContext) -> Self {
        let is_root = !parent.is_valid();
        Place {
            trace_id: match is_root {
                true => id::trace_id(),
                false => parent.trace_id(),
            },
            random: match is_root {
                true => RANDOM,
                false => parent.trace_flags().to_u8() & RANDOM,
            },
            parent: Parent {
                id: match is_root {
                    true => SpanId::INVALID,
                    false => parent.span_id(),
                },
                is_remote: parent.is_remote(),
            },
        }
    }

    #[inline]
    fn identity(&self, is_sampled: bool, state: TraceState) -> SpanContext {
        let flags = TraceFlags::new(self.random).with_sampled(is_sampled);
        SpanContext::new(self.trace_id, id::span_id(), flags, false, state)
    }
}
