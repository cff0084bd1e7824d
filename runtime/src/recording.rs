//! A span of ours while it is recorded: what it has been told, until it ends.
//!
//! It is an OpenTelemetry span too, so that `Context::current().span()` in anybody's code writes
//! to the same place.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, Value};

use crate::backend::Record;
#[cfg(feature = "open-spans")]
use crate::open_spans::Listed;
use crate::outcome::{ErrorDetail, Failure, Report};
use crate::thread::Payload;

/// The process's choices that a span is recorded under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) detail: ErrorDetail,
    pub(crate) exception_events: bool,
}

/// A span that is being recorded, shared by its scope and the context that it is current in.
pub(crate) struct Recording {
    identity: SpanContext,
    policy: Policy,
    open: Mutex<Open>,
}

/// What a span has been told.
pub(crate) struct Open {
    /// `None` from the end on.
    record: Option<Box<dyn Record>>,
    status: Option<Status>,
    has_exception: bool,
    #[cfg(feature = "open-spans")]
    listed: Option<Listed>,
}

impl Recording {
    pub(crate) fn new(open: Open, policy: Policy) -> Self {
        Recording {
            identity: open.identity(),
            policy,
            open: Mutex::new(open),
        }
    }

    /// For its next use.
    #[inline]
    pub(crate) fn reuse(&mut self, open: Open, policy: Policy) {
        self.identity = open.identity();
        self.policy = policy;
        let place = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        *place = open;
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open().record.is_some()
    }

    pub(crate) fn identity(&self) -> &SpanContext {
        &self.identity
    }

    /// `parent`, with this span as the current one. An invalid identity would poison the children, so
    /// such a span is recorded without them.
    #[inline]
    pub(crate) fn below(self: &Arc<Self>, parent: &Context) -> Context {
        match self.identity.is_valid() {
            true => parent.with_span(Current(Arc::clone(self))),
            false => parent.clone(),
        }
    }

    /// Keeps its line in the list of what is open, until it ends.
    #[cfg(feature = "open-spans")]
    pub(crate) fn keep(&self, listed: Listed) {
        let mut open = self.open();
        // One that has ended in the meantime is not listed.
        open.listed = Some(listed).filter(|_| open.record.is_some());
    }

    /// Only the backend's own record runs under this lock; what it leaves if it panics is its own.
    #[inline]
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is told after the end is lost.
    fn change(&self, change: impl FnOnce(&mut Open)) {
        change(&mut self.open());
    }

    #[inline]
    pub(crate) fn set_attribute(&self, attribute: KeyValue) {
        self.open().set_attribute(attribute);
    }

    /// Ends the span. Once only: whoever comes second finds it closed.
    #[inline]
    pub(crate) fn end(&self, ending: Ending) {
        self.end_at(None, ending);
    }

    /// Now, if no time is given.
    #[inline]
    fn end_at(&self, time: Option<SystemTime>, ending: Ending) {
        let ended = self.open().take();
        if let Some(ended) = ended {
            ended.end(time, ending, self.policy);
        }
    }
}

/// How a scope ended. What the body said by hand wins over it.
pub(crate) enum Ending {
    Silent,
    /// Its future was dropped before it was ready.
    Cancelled,
    /// It was still open when a span above it ended, which ends its children.
    Abandoned,
    Failed(Report),
}

impl Ending {
    pub(crate) fn failed(failure: &Failure<'_>, detail: ErrorDetail) -> Self {
        Ending::Failed(Report::of(failure, detail))
    }

    pub(crate) fn panicked(payload: &Payload, detail: ErrorDetail) -> Self {
        Ending::Failed(Report::of_panic(payload, detail))
    }
}

impl Open {
    #[inline]
    pub(crate) fn new(record: Box<dyn Record>) -> Self {
        Open {
            record: Some(record),
            status: None,
            has_exception: false,
            #[cfg(feature = "open-spans")]
            listed: None,
        }
    }

    #[inline]
    pub(crate) fn identity(&self) -> SpanContext {
        let record = self.record.as_ref();
        record.map_or(SpanContext::NONE, |record| record.identity())
    }

    #[inline]
    pub(crate) fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(record) = &mut self.record {
            if !attribute.key.as_str().is_empty() {
                record.set_attribute(attribute);
            }
        }
    }

    /// What is to be ended, once.
    #[inline]
    fn take(&mut self) -> Option<Self> {
        let record = self.record.take()?;
        Some(Open {
            record: Some(record),
            status: self.status.take(),
            has_exception: self.has_exception,
            #[cfg(feature = "open-spans")]
            listed: self.listed.take(),
        })
    }

    #[inline]
    pub(crate) fn end(mut self, time: Option<SystemTime>, ending: Ending, policy: Policy) {
        #[cfg(feature = "open-spans")]
        drop(self.listed.take());
        match ending {
            Ending::Silent => {}
            Ending::Cancelled => self.set_default("enter_span.outcome", "cancelled"),
            Ending::Abandoned => self.set_default("enter_span.outcome", "abandoned"),
            Ending::Failed(report) => self.fail(report, time, policy),
        }
        if let Some(record) = self.record {
            record.end(time, self.status);
        }
    }

    fn set_default(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(record) = &mut self.record {
            record.set_default(key, value.into());
        }
    }

    #[cold]
    fn fail(&mut self, report: Report, time: Option<SystemTime>, policy: Policy) {
        if matches!(self.status, Some(Status::Ok | Status::Unset)) {
            return;
        }
        if report.event && policy.exception_events && !self.has_exception {
            self.add_event(Cow::Borrowed("exception"), time, report.exception());
        }
        self.set_default("error.type", report.kind);
        let description = report.message.unwrap_or_default();
        self.status.get_or_insert(Status::error(description));
    }

    fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        if let Some(record) = &mut self.record {
            self.has_exception |= name == "exception";
            record.add_event(name, time, attributes);
        }
    }

    fn add_link(&mut self, linked: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(record) = &mut self.record {
            record.add_link(linked, attributes);
        }
    }

    fn update_name(&mut self, name: Cow<'static, str>) {
        #[cfg(feature = "open-spans")]
        if let Some(listed) = &self.listed {
            listed.rename(name.clone());
        }
        if let Some(record) = &mut self.record {
            record.update_name(name);
        }
    }
}

/// A recording in its place in OpenTelemetry's context.
struct Current(Arc<Recording>);

impl opentelemetry::trace::Span for Current {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        let name = name.into();
        self.0.change(|open| open.add_event(name, None, attributes));
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        let name = name.into();
        self.0
            .change(|open| open.add_event(name, Some(timestamp), attributes));
    }

    fn span_context(&self) -> &SpanContext {
        &self.0.identity
    }

    fn is_recording(&self) -> bool {
        self.0.is_open()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.0.set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.0.change(|open| open.status = Some(status));
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        let name = new_name.into();
        self.0.change(|open| open.update_name(name));
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.0
            .change(|open| open.add_link(span_context, attributes));
    }

    fn end(&mut self) {
        self.0.end(Ending::Silent);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.0.end_at(Some(timestamp), Ending::Silent);
    }
}
