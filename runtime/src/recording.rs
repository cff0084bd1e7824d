//! A span of ours while it is recorded: what it has been told, until it ends.
//!
//! It is an OpenTelemetry span too, so that `Context::current().span()` in anybody's code writes
//! to the same place.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::backend::Record;
#[cfg(feature = "open-spans")]
use crate::open_spans::Listed;
use crate::outcome::{ErrorDetail, Failure, Report};
use crate::thread::{self, Payload};

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
    /// Invariant: `None` from the end on.
    open: Mutex<Option<Open>>,
}

/// A span that has not ended.
pub(crate) struct Open {
    record: Box<dyn Record>,
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
            open: Mutex::new(Some(open)),
        }
    }

    /// For its next use.
    pub(crate) fn reuse(&mut self, open: Open, policy: Policy) {
        self.identity = open.identity();
        self.policy = policy;
        let place = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        *place = Some(open);
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open().is_some()
    }

    pub(crate) fn identity(&self) -> &SpanContext {
        &self.identity
    }

    /// `parent`, with this span as the current one. An invalid identity would poison the children, so
    /// such a span is recorded without them.
    pub(crate) fn below(self: &Arc<Self>, parent: &Context) -> Context {
        match self.identity.is_valid() {
            true => parent.with_span(Current(Arc::clone(self))),
            false => parent.clone(),
        }
    }

    /// Keeps its line in the list of what is open, until it ends.
    #[cfg(feature = "open-spans")]
    pub(crate) fn keep(&self, listed: Listed) {
        self.change(|open| open.listed = Some(listed));
    }

    /// Only the backend's own record runs under this lock; what it leaves if it panics is its own.
    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Open)) {
        if let Some(open) = self.open().as_mut() {
            change(open);
        }
    }

    pub(crate) fn set_attribute(&self, attribute: KeyValue) {
        self.change(|open| open.set_attribute(attribute));
    }

    /// Ends the span. Once only: whoever comes second finds it closed.
    pub(crate) fn end(&self, ending: Ending) {
        self.end_at(None, ending);
    }

    /// Now, if no time is given.
    fn end_at(&self, time: Option<SystemTime>, ending: Ending) {
        let open = self.open().take();
        if let Some(open) = open {
            open.end(time, ending, self.policy);
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
    pub(crate) fn new(record: Box<dyn Record>) -> Self {
        Open {
            record,
            status: None,
            has_exception: false,
            #[cfg(feature = "open-spans")]
            listed: None,
        }
    }

    pub(crate) fn identity(&self) -> SpanContext {
        self.record.identity()
    }

    pub(crate) fn set_attribute(&mut self, attribute: KeyValue) {
        if !attribute.key.as_str().is_empty() {
            self.record.set_attribute(attribute);
        }
    }

    pub(crate) fn end(mut self, time: Option<SystemTime>, ending: Ending, policy: Policy) {
        #[cfg(feature = "open-spans")]
        drop(self.listed.take());
        self.conclude(ending, time, policy);
        self.record.end(time, self.status);
    }

    fn conclude(&mut self, ending: Ending, time: Option<SystemTime>, policy: Policy) {
        const OUTCOME: &str = "enter_span.outcome";
        match ending {
            Ending::Silent => {}
            Ending::Cancelled => self.record.set_default(OUTCOME, "cancelled".into()),
            Ending::Abandoned => self.record.set_default(OUTCOME, "abandoned".into()),
            Ending::Failed(report) => self.fail(report, time, policy),
        }
    }

    fn fail(&mut self, report: Report, time: Option<SystemTime>, policy: Policy) {
        if matches!(self.status, Some(Status::Ok | Status::Unset)) {
            return;
        }
        if report.event && policy.exception_events && !self.has_exception {
            self.add_event(Cow::Borrowed("exception"), time, report.exception());
        }
        self.record.set_default("error.type", report.kind.into());
        let description = report.message.unwrap_or_default();
        self.status.get_or_insert(Status::error(description));
    }

    fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        self.has_exception |= name == "exception";
        self.record.add_event(name, time, attributes);
    }

    fn update_name(&mut self, name: Cow<'static, str>) {
        #[cfg(feature = "open-spans")]
        if let Some(listed) = &self.listed {
            listed.rename(name.clone());
        }
        self.record.update_name(name);
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
        // A provider's span that panics costs the attribute, and not the rest of this one.
        let _ = thread::shielded(|| self.0.set_attribute(attribute));
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
            .change(|open| open.record.add_link(span_context, attributes));
    }

    fn end(&mut self) {
        self.0.end(Ending::Silent);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.0.end_at(Some(timestamp), Ending::Silent);
    }
}
