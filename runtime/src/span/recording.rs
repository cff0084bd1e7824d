//! A span of ours while it is recorded, shared by its scope and the context that it is current in.
//!
//! It is an OpenTelemetry span too, so that `Context::current().span()` in anybody's code writes
//! to the same place. OpenTelemetry's API cannot give back the type that it was given, so the scope has an
//! `Arc` of its own, whose other half is in the context. What is recorded is in `recording_state.rs`.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};

use crate::backend::ForeignSpan;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_list::BegunSpan;
use crate::outcome::policy::ErrorPolicy;
use crate::span::recorded_mirror::RecordedMirror;
use crate::span::recorded_root;
use crate::span::recording_state::{Ending, RecordingState};

/// A span that is being recorded, shared by its scope and the context that it is current in.
pub(crate) struct Recording {
    identity: SpanContext,
    state: Mutex<RecordingState>,
    pub(crate) mirror: RecordedMirror,
}

impl Recording {
    /// One whose span has ended.
    #[cold]
    pub(crate) fn empty() -> Self {
        Recording {
            identity: SpanContext::NONE,
            state: Mutex::new(RecordingState::empty()),
            mirror: RecordedMirror::new(),
        }
    }

    #[cold]
    pub(crate) fn of(state: RecordingState) -> Self {
        Recording {
            identity: state.identity(),
            state: Mutex::new(state),
            mirror: RecordedMirror::new(),
        }
    }

    /// A span has started in the record, and no other scope or context has this yet.
    #[inline(always)]
    pub(crate) fn start_record(&mut self, policy: ErrorPolicy) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.start_record(policy);
        state.record_mut().write_identity(&mut self.identity);
        self.mirror.reset();
    }

    /// The same for a provider's span.
    pub(crate) fn start_foreign(&mut self, span: Box<dyn ForeignSpan>, policy: ErrorPolicy) {
        self.state_mut().start_foreign(span, policy);
        self.mirror.reset();
        self.identity = self.state_mut().identity();
    }

    /// Lists a span that has started among the open ones.
    #[cfg(feature = "open-spans")]
    #[inline]
    pub(crate) fn list(&mut self, begun: impl FnOnce(&SpanContext) -> BegunSpan<'_>) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.list(begun(&self.identity));
    }

    #[inline]
    pub(crate) fn state_mut(&mut self) -> &mut RecordingState {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn identity(&self) -> &SpanContext {
        &self.identity
    }

    #[inline]
    pub(crate) fn ids(&self) -> (TraceId, SpanId) {
        (self.identity.trace_id(), self.identity.span_id())
    }

    /// `parent`, with this span as the current one. An invalid identity would poison the children, so
    /// such a span is recorded without them.
    #[inline]
    pub(crate) fn context_below(self: &Arc<Self>, parent: &Context) -> Context {
        if self.identity.is_valid() {
            parent.with_span(ContextSpan(Arc::clone(self)))
        } else {
            parent.clone()
        }
    }

    /// Only the backend's own code runs under this lock; what it leaves if it panics is its own.
    #[inline]
    pub(crate) fn state(&self) -> MutexGuard<'_, RecordingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the span, once only: a second end does nothing.
    #[inline]
    pub(crate) fn end(&self, ending: Ending) {
        self.end_at(None, ending);
    }

    /// Now, if no time is given.
    #[inline]
    fn end_at(&self, time: Option<SystemTime>, ending: Ending) {
        let pending_end = self.state().end(time, ending);
        if let Some(pending_end) = pending_end {
            pending_end.end();
        }
    }
}

/// A recording in its place in OpenTelemetry's context.
struct ContextSpan(Arc<Recording>);

impl opentelemetry::trace::Span for ContextSpan {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        let name = name.into();
        self.0.state().add_event(name, None, attributes);
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        let name = name.into();
        self.0.state().add_event(name, Some(timestamp), attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.0.identity
    }

    fn is_recording(&self) -> bool {
        self.0.mirror.answer();
        let state = self.0.state();
        recorded_root::answer_root(|| state.root());
        state.is_open()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        let KeyValue { key, value, .. } = attribute;
        self.0.state().set_attribute(key, value);
    }

    fn set_status(&mut self, status: Status) {
        self.0.state().set_status(status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        let name = new_name.into();
        self.0.state().update_name(name);
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.0.state().add_link(span_context, attributes);
    }

    fn end(&mut self) {
        self.0.end(Ending::Silent);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.0.end_at(Some(timestamp), Ending::Silent);
    }
}
