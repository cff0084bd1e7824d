//! The span of one context, current in another context that has values of its own.
//!
//! OpenTelemetry cannot take a span out of a context. So the other context gets a span that forwards
//! everything to the first.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::context::unwind;

/// `context`, with the span of `home` as the current one.
pub(crate) fn with_span_of(context: &Context, home: &Context) -> Context {
    let span = home.span();
    let identity = span.span_context().clone();
    // A dying thread gets no answer.
    let _ = ANSWER.try_with(|answer| answer.replace(Answer::Asked));
    // Another provider's code may run here.
    let is_recording = unwind::shielded(|| span.is_recording()).unwrap_or(false);
    let owner = match ANSWER.try_with(|answer| answer.replace(Answer::Unasked)) {
        Ok(Answer::Home(home)) => Some(home),
        _ => None,
    };
    if !is_recording {
        return context.with_remote_span_context(identity);
    }
    let owner = owner.filter(|owner| *owner.span().span_context() == identity);
    context.with_span(ForwardingSpan {
        identity,
        home: owner.unwrap_or_else(|| home.clone()),
    })
}

/// Forwards everything to the span of its home, which is never a forwarding span itself.
struct ForwardingSpan {
    identity: SpanContext,
    home: Context,
}

/// How a forwarding span gives its home: it answers when it is asked whether it records. Nothing else of it
/// can be reached through OpenTelemetry.
enum Answer {
    Unasked,
    Asked,
    Home(Context),
}

thread_local! {
    static ANSWER: Cell<Answer> = const { Cell::new(Answer::Unasked) };
}

impl ForwardingSpan {
    fn answer(&self) {
        let _ = ANSWER.try_with(|answer| match answer.replace(Answer::Unasked) {
            Answer::Unasked => {}
            Answer::Asked => answer.set(Answer::Home(self.home.clone())),
            Answer::Home(home) => answer.set(Answer::Home(home)),
        });
    }
}

impl opentelemetry::trace::Span for ForwardingSpan {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        self.home.span().add_event(name, attributes);
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        let span = self.home.span();
        span.add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.identity
    }

    fn is_recording(&self) -> bool {
        self.answer();
        self.home.span().is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.home.span().set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.home.span().set_status(status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        self.home.span().update_name(new_name);
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.home.span().add_link(span_context, attributes);
    }

    fn end(&mut self) {
        self.home.span().end();
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.home.span().end_with_timestamp(timestamp);
    }
}
