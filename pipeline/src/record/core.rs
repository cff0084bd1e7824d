//! What all spans of a pipeline share, and the decision whether one is recorded.

use std::sync::Arc;

use enter_span::native::{self, CounterReading, EndedSpan, Parentage, RecordConfig, RecordSink};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::host::clock::Clock;
use crate::host::suppression;
use crate::host::unwind::shielded;
use crate::queue::span_queue::SpanQueue;
use crate::sampling::muting::Muting;
use crate::sampling::parentage;
use crate::sampling::sampler::Sampler;
use crate::stats::declined::{Declined, Reason};

pub(crate) struct Core {
    pub(crate) config: Arc<RecordConfig>,
    pub(crate) queue: Arc<SpanQueue>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) sampler: Sampler,
    /// Whether the sampler goes by the parent, if there is one: asked for each span.
    pub(crate) is_parent_based: bool,
    pub(crate) muting: Muting,
    pub(crate) declined: Declined,
}

/// Where records go when they end: nothing whose destructor is the application's, since the last one may
/// drop anywhere.
pub(crate) struct QueueSink {
    pub(crate) queue: Arc<SpanQueue>,
    pub(crate) clock: Arc<Clock>,
}

impl RecordSink for QueueSink {
    #[inline]
    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn root_above(&self, mark: usize, parent: &Context) -> Option<SpanId> {
        native::root_above(mark, parent)
    }

    fn read_counter(&self) -> CounterReading {
        self.clock.glance()
    }

    /// One that is recorded and not sampled goes nowhere.
    fn take(&self, span: &mut EndedSpan, attributes: &mut Vec<KeyValue>, bytes: usize) {
        if !span.parentage.flags.is_sampled() {
            self.queue.count_record_only();
            return clear(span, attributes);
        }
        span.end = self.clock.now();
        if !self.queue.push(span, attributes, bytes) {
            self.queue.lose(span);
            clear(span, attributes);
        }
    }
}

#[cold]
#[inline(never)]
fn clear(span: &mut EndedSpan, attributes: &mut Vec<KeyValue>) {
    attributes.clear();
    span.clear();
}

/// A span that has been decided on.
pub(crate) struct Decision {
    pub(crate) parentage: Parentage,
    pub(crate) state: TraceState,
    pub(crate) is_recorded: bool,
    /// What the sampler adds.
    pub(crate) attributes: Vec<KeyValue>,
}

impl Core {
    /// What its provider answers with when it is asked who it is.
    pub(crate) fn mark(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// Whether no span is made at all, or none on this thread.
    #[inline]
    pub(crate) fn is_off(&self) -> bool {
        let is_closed = self.queue.buffers.is_closed();
        if is_closed {
            self.declined.count(Reason::Closed);
        }
        is_closed || suppression::is_quiet()
    }

    /// The same, where nobody is to count it.
    pub(crate) fn is_over(&self) -> bool {
        self.queue.buffers.is_closed() || suppression::is_quiet()
    }

    /// Whether this instrumentation scope makes no spans.
    #[inline]
    pub(crate) fn is_muted(&self, scope: &str) -> bool {
        let is_muted = self.muting.mutes(scope);
        if is_muted {
            self.declined.count(Reason::Muted);
        }
        is_muted
    }

    /// Decides on a span below `context`. A sampler that has to be asked is asked by `ask`, which
    /// shows it what it may look at; if it panics, there is no decision, and no span.
    pub(crate) fn decide(
        &self,
        context: &Context,
        attributes: &[KeyValue],
        ask: impl FnOnce(&dyn ShouldSample, Option<&Context>, TraceId) -> SamplingResult,
    ) -> Option<Decision> {
        let above = context.span();
        let parent = above.span_context();
        let Sampler::Custom(sampler) = &self.sampler else {
            return Some(Decision::at(self.follow_run(parent, attributes), context));
        };
        let parentage = parentage::below(parent);
        let known = parent.is_valid().then_some(context);
        let answer = shielded(|| ask(&**sampler, known, parentage.trace_id))?;
        let is_sampled = answer.decision == SamplingDecision::RecordAndSample;
        if answer.decision == SamplingDecision::Drop {
            self.declined.count(Reason::Sampler);
        }
        Some(Decision {
            parentage: parentage::sampled(parentage, is_sampled),
            state: answer.trace_state,
            is_recorded: answer.decision != SamplingDecision::Drop,
            attributes: answer.attributes,
        })
    }

    /// Where the sampler need not be asked, but may look at what the span says.
    fn follow_run(&self, parent: &SpanContext, attributes: &[KeyValue]) -> Parentage {
        let Some(is_sampled) = self.sampler.samples_run(parent, attributes) else {
            return self.follow(parent);
        };
        if !is_sampled {
            self.declined.count(Reason::Sampler);
        }
        parentage::sampled(parentage::below(parent), is_sampled)
    }

    /// Decides on a span below `parent`, if the sampler goes by that alone.
    pub(crate) fn decide_by_place(&self, parent: &SpanContext) -> Option<Parentage> {
        let goes_by_place = match &self.sampler {
            Sampler::Custom(_) => false,
            Sampler::Runs { .. } => !Sampler::decides_on_runs_below(parent),
            _ => true,
        };
        goes_by_place.then(|| self.follow(parent))
    }

    /// Whether the sampler runs code of the user's.
    #[inline]
    pub(crate) fn has_to_ask(&self) -> bool {
        !self.is_parent_based && matches!(self.sampler, Sampler::Custom(_))
    }

    /// The same where the sampler need not be asked.
    #[inline(always)]
    pub(crate) fn follow(&self, parent: &SpanContext) -> Parentage {
        let parentage = parentage::below(parent);
        let is_below = { parentage.parent } != SpanId::INVALID;
        let is_sampled = if is_below && self.is_parent_based {
            parent.is_sampled()
        } else {
            self.sampler.samples(parent, parentage.trace_id)
        };
        if !is_sampled {
            self.count_declined(parent);
        }
        parentage::sampled(parentage, is_sampled)
    }

    #[inline(never)]
    fn count_declined(&self, parent: &SpanContext) {
        if let Some(reason) = Reason::below(parent) {
            self.declined.count(reason);
        }
    }
}

impl Decision {
    /// That of a place which is sampled or not, below what is current in `context`.
    pub(crate) fn at(parentage: Parentage, context: &Context) -> Self {
        Decision {
            parentage,
            state: context.span().span_context().trace_state().clone(),
            is_recorded: parentage.flags.is_sampled(),
            attributes: Vec::new(),
        }
    }

    pub(crate) fn identity(self) -> SpanContext {
        self.parentage.identity(self.state)
    }
}

/// The last one to let it go may be any thread of the application, at the start of a span.
impl Drop for Core {
    fn drop(&mut self) {
        let sampler = std::mem::take(&mut self.sampler);
        shielded(|| drop(sampler));
    }
}
