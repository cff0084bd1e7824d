//! A recording in its place in OpenTelemetry's context.
//!
//! It is an OpenTelemetry span, so that `Context::current().span()` in anybody's code writes to the same place.
//! OpenTelemetry's API cannot give back the type that it was given, so the scope has an `Arc` of its own, whose other
//! half is in the context.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::span::recording::Recording;
use crate::span::recording_state::Ending;
use crate::span::{entered_mirror, recorded_root};

/// `parent`, with the span of a recording as the current one. An invalid identity would poison the children, so
/// such a span is recorded without them.
#[inline]
pub(crate) fn below(parent: &Context, recording: &Arc<Recording>) -> Context {
    if recording.identity().is_valid() {
        parent.with_span(ContextSpan(Arc::clone(recording)))
    } else {
        parent.clone()
    }
}

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
        self.0.identity()
    }

    fn is_recording(&self) -> bool {
        entered_mirror::answer(&self.0);
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
