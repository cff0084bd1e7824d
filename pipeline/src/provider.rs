//! The pipeline as OpenTelemetry's provider: ours and everybody's spans take the same way.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
    TraceFlags, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SamplingDecision;

use crate::buffer::Queue;
use crate::clock::Clock;
use crate::id;
use crate::limit::SpanLimits;
use crate::record::Record;
use crate::sampling::{Asked, Decided, Sampler};

/// The provider of a pipeline. Cheap to clone; OpenTelemetry's [`TracerProvider`].
#[derive(Clone)]
pub struct Provider {
    shared: Arc<Shared>,
}

/// What all spans of a pipeline share.
struct Shared {
    queue: Arc<Queue>,
    sampler: Sampler,
    limits: SpanLimits,
}

/// A tracer of a [`Provider`].
#[derive(Clone)]
pub struct PipelineTracer {
    shared: Arc<Shared>,
    scope: Arc<InstrumentationScope>,
}

/// A span of a [`PipelineTracer`]. It ends when it is dropped, at the latest.
pub struct PipelineSpan {
    identity: SpanContext,
    /// Until it ends, if it is recorded.
    record: Option<Box<Record>>,
    shared: Arc<Shared>,
}

impl Provider {
    pub(crate) fn new(queue: Arc<Queue>, sampler: Sampler, limits: SpanLimits) -> Self {
        let shared = Arc::new(Shared {
            queue,
            sampler,
            limits,
        });
        Provider { shared }
    }
}

impl TracerProvider for Provider {
    type Tracer = PipelineTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> PipelineTracer {
        PipelineTracer {
            shared: Arc::clone(&self.shared),
            scope: Arc::new(scope),
        }
    }
}

/// Bit 1 of the trace flags: the trace id is random (W3C Trace Context, level 2).
const RANDOM: u8 = 2;

impl Tracer for PipelineTracer {
    type Span = PipelineSpan;

    fn build_with_context(&self, builder: SpanBuilder, context: &Context) -> PipelineSpan {
        let above = context.span();
        let parent = above.span_context();
        if self.shared.queue.is_closed() || context.is_telemetry_suppressed() {
            return self.span(SpanContext::NONE, None);
        }
        let trace_id = match parent.is_valid() {
            true => parent.trace_id(),
            false => id::trace_id(),
        };
        let decided = self.shared.sampler.decide(&Asked {
            context,
            parent,
            trace_id,
            name: &builder.name,
            kind: builder.span_kind.as_ref().unwrap_or(&SpanKind::Internal),
            attributes: builder.attributes.as_deref().unwrap_or_default(),
            links: builder.links.as_deref().unwrap_or_default(),
        });
        let is_sampled = decided.decision == SamplingDecision::RecordAndSample;
        let random = match parent.is_valid() {
            true => parent.trace_flags().to_u8() & RANDOM,
            false => RANDOM,
        };
        let identity = SpanContext::new(
            trace_id,
            id::span_id(),
            TraceFlags::new(random).with_sampled(is_sampled),
            false,
            decided.trace_state.clone(),
        );
        let record = (decided.decision != SamplingDecision::Drop)
            .then(|| self.record(builder, decided, &identity, parent));
        self.span(identity, record)
    }
}

impl PipelineTracer {
    fn span(&self, identity: SpanContext, record: Option<Box<Record>>) -> PipelineSpan {
        PipelineSpan {
            identity,
            record,
            shared: Arc::clone(&self.shared),
        }
    }

    fn record(
        &self,
        builder: SpanBuilder,
        decided: Decided,
        identity: &SpanContext,
        parent: &SpanContext,
    ) -> Box<Record> {
        let clock = Clock::from(builder.start_time);
        let blank = Record {
            identity: identity.clone(),
            parent: match parent.is_valid() {
                true => parent.span_id(),
                false => SpanId::INVALID,
            },
            parent_is_remote: parent.is_remote(),
            kind: builder.span_kind.unwrap_or(SpanKind::Internal),
            name: builder.name,
            clock,
            end: clock.start(),
            attributes: Vec::new(),
            dropped_attributes: 0,
            events: Default::default(),
            links: Default::default(),
            status: Status::Unset,
            scope: Arc::clone(&self.scope),
            bytes: 0,
        };
        let mut record = match self.shared.queue.spare() {
            Some(mut record) => {
                let attributes = std::mem::take(&mut record.attributes);
                *record = Record {
                    attributes,
                    ..blank
                };
                record
            }
            None => Box::new(blank),
        };
        let limits = &self.shared.limits;
        let given = builder.attributes.into_iter().flatten();
        for attribute in given.chain(decided.attributes) {
            record.set_attribute(attribute, limits);
        }
        for event in builder.events.into_iter().flatten() {
            record.add_event(event.name, event.timestamp, event.attributes, limits);
        }
        for link in builder.links.into_iter().flatten() {
            record.add_link(link, limits);
        }
        record
    }
}

impl Span for PipelineSpan {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        if let Some(record) = &mut self.record {
            let now = record.clock.now();
            record.add_event(name.into(), now, attributes, &self.shared.limits);
        }
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        if let Some(record) = &mut self.record {
            record.add_event(name.into(), timestamp, attributes, &self.shared.limits);
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.identity
    }

    fn is_recording(&self) -> bool {
        self.record.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(record) = &mut self.record {
            record.set_attribute(attribute, &self.shared.limits);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(record) = &mut self.record {
            record.set_status(status);
        }
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        if let Some(record) = &mut self.record {
            record.name = new_name.into();
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(record) = &mut self.record {
            record.add_link(Link::new(span_context, attributes, 0), &self.shared.limits);
        }
    }

    fn end(&mut self) {
        if let Some(record) = &self.record {
            let now = record.clock.now();
            self.end_with_timestamp(now);
        }
    }

    /// Once only, and never before its start. One that is recorded and not sampled goes nowhere.
    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        let Some(mut record) = self.record.take() else {
            return;
        };
        record.end = timestamp.max(record.clock.start());
        if self.identity.is_sampled() {
            self.shared.queue.push(record);
        }
    }
}

impl Drop for PipelineSpan {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provider").finish_non_exhaustive()
    }
}

impl fmt::Debug for PipelineTracer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tracer = formatter.debug_struct("PipelineTracer");
        tracer.field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl fmt::Debug for PipelineSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut span = formatter.debug_struct("PipelineSpan");
        span.field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
