//! The recorder as an OpenTelemetry provider, so that tests take the same way as applications.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceId,
    Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};

use super::entry::{Entry, Event};
use super::state::RecorderState;
use crate::context::clock::wall_now;
use crate::context::identity;

/// An OpenTelemetry provider whose spans go to a recorder.
#[derive(Clone)]
pub struct RecorderProvider {
    state: Arc<RecorderState>,
}

/// A tracer of a [`RecorderProvider`].
pub struct RecorderTracer {
    state: Arc<RecorderState>,
    scope: InstrumentationScope,
}

/// A span of a [`RecorderTracer`].
pub struct RecorderSpan {
    state: Arc<RecorderState>,
    identity: SpanContext,
    /// Its place in the record, if it is recorded and has not ended.
    place: Option<usize>,
}

impl RecorderProvider {
    pub(super) fn new(state: Arc<RecorderState>) -> Self {
        RecorderProvider { state }
    }
}

impl TracerProvider for RecorderProvider {
    type Tracer = RecorderTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> RecorderTracer {
        RecorderTracer {
            state: Arc::clone(&self.state),
            scope,
        }
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Tracer for RecorderTracer {
    type Span = RecorderSpan;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> RecorderSpan {
        let parent = parent.span().span_context().clone();
        let sampled = if parent.is_valid() {
            parent.is_sampled()
        } else {
            self.state.samples(&builder.name)
        };
        let identity = child_of(&parent, sampled);
        RecorderSpan {
            place: sampled.then(|| self.record(builder, &identity, parent)),
            identity,
            state: Arc::clone(&self.state),
        }
    }
}

fn child_of(parent: &SpanContext, sampled: bool) -> SpanContext {
    let trace_id = if parent.is_valid() {
        parent.trace_id()
    } else {
        TraceId::from(u128::from(next_id()))
    };
    SpanContext::new(
        trace_id,
        SpanId::from(next_id()),
        parent.trace_flags().with_sampled(sampled),
        false,
        parent.trace_state().clone(),
    )
}

impl RecorderTracer {
    fn record(&self, builder: SpanBuilder, identity: &SpanContext, parent: SpanContext) -> usize {
        let version = self.scope.version().map(str::to_owned);
        let links = builder.links.into_iter().flatten();
        let span = Entry {
            name: builder.name.into_owned(),
            kind: name_of(builder.span_kind),
            library: (self.scope.name().to_owned(), version),
            identity: identity::SpanContext(identity.clone()),
            parent: identity::SpanContext(parent),
            attributes: builder.attributes.unwrap_or_default(),
            events: Vec::new(),
            links: links
                .map(|link: Link| identity::SpanContext(link.span_context))
                .collect(),
            status: crate::span::handle::Status::Unset,
            start: builder.start_time.unwrap_or_else(wall_now),
            end: None,
        };
        let mut record = self.state.record();
        record.entries.push(span);
        record.entries.len() - 1
    }
}

fn name_of(kind: Option<SpanKind>) -> &'static str {
    match kind {
        Some(SpanKind::Client) => "client",
        Some(SpanKind::Server) => "server",
        Some(SpanKind::Producer) => "producer",
        Some(SpanKind::Consumer) => "consumer",
        Some(SpanKind::Internal) | None => "internal",
    }
}

impl RecorderSpan {
    fn change(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(place) = self.place {
            self.state.record().entries.get_mut(place).map(change);
        }
    }
}

impl Span for RecorderSpan {
    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        _: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        let name = name.into().into_owned();
        self.change(|span| span.events.push(Event { name, attributes }));
    }

    fn span_context(&self) -> &SpanContext {
        &self.identity
    }

    fn is_recording(&self) -> bool {
        self.place.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.change(|span| span.attributes.push(attribute));
    }

    fn set_status(&mut self, status: Status) {
        self.change(|span| {
            span.status = match status {
                Status::Unset => crate::span::handle::Status::Unset,
                Status::Error { description } => crate::span::handle::Status::Error(description),
                Status::Ok => crate::span::handle::Status::Ok,
            }
        });
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        let name = new_name.into().into_owned();
        self.change(|span| span.name = name);
    }

    fn add_link(&mut self, linked: SpanContext, _: Vec<KeyValue>) {
        self.change(|span| span.links.push(identity::SpanContext(linked)));
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.change(|span| span.end = Some(timestamp));
        self.place = None;
    }
}

impl Drop for RecorderSpan {
    fn drop(&mut self) {
        self.end();
    }
}
