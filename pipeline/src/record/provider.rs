//! The pipeline as OpenTelemetry's provider: spans of other instrumentation take the same way as ours.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use enter_span::native::{self, Record, SpanSource, SpanStart, Timestamp};
use opentelemetry::trace::{
    Event, Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
    Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};

use crate::record::core::Core;
use crate::record::record_pool;
use crate::stats::declined::Reason;

/// The provider of a pipeline. Cheap to clone; OpenTelemetry's [`TracerProvider`].
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
/// use opentelemetry::trace::{Tracer as _, TracerProvider as _};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// let tracer = pipeline.provider().tracer("other-instrumentation");
/// tracer.in_span("order", |_| {});
/// pipeline.flush(Duration::from_secs(5))?;
/// assert_eq!(pipeline.counts().exported, 1);
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Clone)]
pub struct PipelineProvider {
    core: Arc<Core>,
}

/// A tracer of a [`PipelineProvider`].
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
/// use enter_span_pipeline::PipelineTracer;
/// use opentelemetry::trace::{Tracer as _, TracerProvider as _};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// let tracer: PipelineTracer = pipeline.provider().tracer("other-instrumentation");
/// drop(tracer.span_builder("order").start(&tracer));
/// pipeline.flush(Duration::from_secs(5))?;
/// assert_eq!(pipeline.counts().exported, 1);
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Clone)]
pub struct PipelineTracer {
    core: Arc<Core>,
    scope: Arc<InstrumentationScope>,
    is_muted: bool,
}

/// A span of a [`PipelineTracer`]. It ends when it is dropped, at the latest.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
/// use enter_span_pipeline::PipelineSpan;
/// use opentelemetry::KeyValue;
/// use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// let tracer = pipeline.provider().tracer("other-instrumentation");
/// let mut span: PipelineSpan = tracer.start("order");
/// span.set_attribute(KeyValue::new("order.id", 7));
/// span.end();
/// pipeline.flush(Duration::from_secs(5))?;
/// assert_eq!(pipeline.counts().exported, 1);
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
pub struct PipelineSpan {
    identity: SpanContext,
    /// Until it ends, if it is recorded.
    record: Option<Box<Record>>,
    /// Its local root and its pipeline, after its end: spans may still start below it.
    ended_root: Option<(SpanId, usize)>,
}

impl PipelineProvider {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        PipelineProvider { core }
    }
}

impl TracerProvider for PipelineProvider {
    type Tracer = PipelineTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> PipelineTracer {
        native::answer(&scope, self.core.mark());
        PipelineTracer {
            core: Arc::clone(&self.core),
            is_muted: self.core.muting.mutes(scope.name()),
            scope: Arc::new(scope),
        }
    }
}

impl Tracer for PipelineTracer {
    type Span = PipelineSpan;

    fn build_with_context(&self, builder: SpanBuilder, context: &Context) -> PipelineSpan {
        let core = &self.core;
        if context.is_telemetry_suppressed() || core.is_off() {
            return PipelineSpan::unrecorded(SpanContext::NONE);
        }
        if self.is_muted {
            core.declined.count(Reason::Muted);
            return PipelineSpan::transparent(context);
        }
        let start = match builder.start_time {
            Some(time) => Timestamp::Wall(time),
            None => Timestamp::Ticks(core.clock.now()),
        };
        let kind = builder.span_kind.unwrap_or(SpanKind::Internal);
        let attributes = builder.attributes.unwrap_or_default();
        let links = builder.links.unwrap_or_default();
        let decision = core.decide(context, &attributes, |sampler, parent, trace_id| {
            sampler.should_sample(parent, trace_id, &builder.name, &kind, &attributes, &links)
        });
        let Some(decision) = decision else {
            return PipelineSpan::transparent(context);
        };
        if !decision.is_recorded {
            return PipelineSpan::unrecorded(decision.identity());
        }
        let span_start = SpanStart {
            parentage: decision.parentage,
            kind,
            name: builder.name,
            source: SpanSource::Scope(Arc::clone(&self.scope)),
            start,
        };
        let mut record = record_pool::take();
        record.begin(&core.config, span_start, &decision.state, context);
        let identity = decision.parentage.identity(decision.state);
        let attributes = [attributes, decision.attributes];
        fill(&mut record, attributes, builder.events, links);
        PipelineSpan::of(identity, Some(record))
    }
}

fn fill(
    record: &mut Record,
    attributes: [Vec<KeyValue>; 2],
    events: Option<Vec<Event>>,
    links: Vec<Link>,
) {
    for attribute in attributes.into_iter().flatten() {
        record.set_attribute(attribute);
    }
    for event in events.into_iter().flatten() {
        record.add_event(event.name, Some(event.timestamp), event.attributes);
    }
    for link in links {
        record.add_link(link);
    }
}

impl PipelineSpan {
    /// Its children attach to its parent. Without a parent, they are roots.
    fn transparent(context: &Context) -> Self {
        PipelineSpan::unrecorded(context.span().span_context().clone())
    }

    fn unrecorded(identity: SpanContext) -> Self {
        PipelineSpan::of(identity, None)
    }

    fn of(identity: SpanContext, record: Option<Box<Record>>) -> Self {
        PipelineSpan {
            identity,
            record,
            ended_root: None,
        }
    }

    fn event(&mut self, name: Cow<'static, str>, time: Option<SystemTime>, with: Vec<KeyValue>) {
        if let Some(record) = &mut self.record {
            record.add_event(name, time, with);
        }
    }

    /// Once only.
    fn finish(&mut self, time: Option<SystemTime>) {
        if let Some(mut record) = self.record.take() {
            record.end(time);
            self.ended_root = Some(record.root());
            record_pool::keep(record);
        }
    }
}

impl Span for PipelineSpan {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        self.event(name.into(), None, attributes);
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        self.event(name.into(), Some(timestamp), attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.identity
    }

    fn is_recording(&self) -> bool {
        let root = self.record.as_ref().map(|record| record.root());
        if let Some(root) = root.or(self.ended_root) {
            native::answer_root(|| root);
        }
        self.record.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(record) = &mut self.record {
            record.set_attribute(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(record) = &mut self.record {
            record.set_status(status);
        }
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        if let Some(record) = &mut self.record {
            record.update_name(new_name.into());
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(record) = &mut self.record {
            record.add_link(Link::new(span_context, attributes, 0));
        }
    }

    fn end(&mut self) {
        self.finish(None);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.finish(Some(timestamp));
    }
}

impl Drop for PipelineSpan {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for PipelineProvider {
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
