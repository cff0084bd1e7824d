//! A span of ours while it is recorded: what it has been told, until it ends.
//!
//! It is an OpenTelemetry span too, so that `Context::current().span()` in anybody's code writes
//! to the same place.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue, Value};

use crate::backend::record::Record;
use crate::backend::size::{Content, Name};
use crate::backend::{ForeignSpan, StartResult};
use crate::context::unwind::Payload;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_spans::Listed;
use crate::outcome::failure::{ErrorDetail, Failure, FailureReport};
use crate::outcome::policy::ErrorPolicy;

/// A span that is being recorded, shared by its scope and the context that it is current in.
pub(crate) struct Recording {
    identity: SpanContext,
    open: Mutex<RecordingState>,
}

/// What a span has been told.
pub(crate) struct RecordingState {
    storage: Storage,
    /// Used again by the next span, also where another one is kept elsewhere.
    record: Record,
    policy: ErrorPolicy,
    status: Option<Status>,
    has_exception: bool,
    #[cfg(feature = "open-spans")]
    listed: Option<Listed>,
}

/// What has begun.
pub(crate) enum StartState {
    Nothing,
    Unrecorded,
    Recorded,
}

/// Where a span is kept until it ends.
enum Storage {
    /// It has ended.
    Nobody,
    Record,
    Foreign(Box<dyn ForeignSpan>),
}

/// An end that is yet to be told to who keeps the span.
pub(crate) struct PendingEnd {
    kept: Box<dyn ForeignSpan>,
    time: Option<SystemTime>,
    status: Option<Status>,
}

impl PendingEnd {
    /// Code of others runs here.
    #[cold]
    pub(crate) fn say(self) {
        self.kept.end(self.time, self.status);
    }
}

impl Recording {
    /// One whose span has ended.
    #[cold]
    pub(crate) fn empty() -> Self {
        Recording {
            identity: SpanContext::NONE,
            open: Mutex::new(RecordingState::empty()),
        }
    }

    #[cold]
    pub(crate) fn of(open: RecordingState) -> Self {
        Recording {
            identity: open.identity(),
            open: Mutex::new(open),
        }
    }

    /// With a span that begins in it, while nobody else knows of it.
    #[inline(always)]
    pub(crate) fn begin<R>(&mut self, begin: impl FnOnce(&mut RecordingState) -> R) -> R {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        let begun = begin(open);
        // In one piece for each case, so that it is written in its place.
        match &open.storage {
            Storage::Nobody => self.identity = SpanContext::NONE,
            Storage::Record => self.identity = open.record.identity(),
            Storage::Foreign(kept) => self.identity = kept.identity(),
        }
        begun
    }

    #[inline]
    pub(crate) fn open_mut(&mut self) -> &mut RecordingState {
        self.open.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open().is_open()
    }

    #[inline]
    pub(crate) fn identity(&self) -> &SpanContext {
        &self.identity
    }

    /// What a span that is not recorded says of itself, once.
    pub(crate) fn take_declined(&mut self) -> SpanContext {
        self.open_mut().take_declined()
    }

    /// `parent`, with this span as the current one. An invalid identity would poison the children, so
    /// such a span is recorded without them.
    #[inline]
    pub(crate) fn below(self: &Arc<Self>, parent: &Context) -> Context {
        if self.identity.is_valid() {
            parent.with_span(Current(Arc::clone(self)))
        } else {
            parent.clone()
        }
    }

    /// Keeps its line in the list of what is open, until it ends.
    #[cfg(feature = "open-spans")]
    pub(crate) fn keep(&self, listed: Listed) {
        let mut open = self.open();
        // One that has ended in the meantime is not listed.
        open.listed = Some(listed).filter(|_| open.is_open());
    }

    /// Only the backend's own code runs under this lock; what it leaves if it panics is its own.
    #[inline]
    pub(crate) fn open(&self) -> MutexGuard<'_, RecordingState> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is told after the end is lost.
    fn change(&self, change: impl FnOnce(&mut RecordingState)) {
        change(&mut self.open());
    }

    #[inline]
    pub(crate) fn set_attribute(&self, KeyValue { key, value, .. }: KeyValue) {
        self.open().set_attribute(key, value);
    }

    /// Ends the span. Once only: whoever comes second finds it closed.
    #[inline]
    pub(crate) fn end(&self, ending: Ending) {
        self.end_at(None, ending);
    }

    /// Now, if no time is given.
    #[inline]
    fn end_at(&self, time: Option<SystemTime>, ending: Ending) {
        let pending_end = self.open().end(time, ending);
        if let Some(pending_end) = pending_end {
            pending_end.say();
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
    Failed(FailureReport),
}

impl Ending {
    pub(crate) fn failed(failure: &Failure<'_>, detail: ErrorDetail) -> Self {
        Ending::Failed(FailureReport::of(failure, detail))
    }

    pub(crate) fn panicked(payload: &Payload, detail: ErrorDetail) -> Self {
        Ending::Failed(FailureReport::of_panic(payload, detail))
    }
}

impl RecordingState {
    #[cold]
    pub(crate) fn empty() -> Self {
        RecordingState {
            storage: Storage::Nobody,
            record: Record::default(),
            policy: ErrorPolicy::SILENT,
            status: None,
            has_exception: false,
            #[cfg(feature = "open-spans")]
            listed: None,
        }
    }

    /// Begins a span as `start` says, which is given the record to use.
    #[inline(always)]
    pub(crate) fn begin(
        &mut self,
        policy: ErrorPolicy,
        start: impl FnOnce(&mut Record) -> Option<StartResult>,
    ) -> Option<StartState> {
        self.storage = match start(&mut self.record)? {
            StartResult::Nothing => return Some(StartState::Nothing),
            StartResult::Unrecorded => return Some(StartState::Unrecorded),
            StartResult::Recorded => Storage::Record,
            StartResult::Foreign(kept) => Storage::Foreign(kept),
        };
        self.policy = policy;
        self.has_exception = false;
        Some(StartState::Recorded)
    }

    pub(crate) fn take_declined(&mut self) -> SpanContext {
        self.record.take_declined()
    }

    #[inline]
    fn is_open(&self) -> bool {
        !matches!(self.storage, Storage::Nobody)
    }

    #[inline]
    pub(crate) fn identity(&self) -> SpanContext {
        match &self.storage {
            Storage::Nobody => SpanContext::NONE,
            Storage::Record => self.record.identity(),
            Storage::Foreign(kept) => kept.identity(),
        }
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        match &self.storage {
            Storage::Nobody => TraceId::INVALID,
            Storage::Record => self.record.trace_id(),
            Storage::Foreign(kept) => kept.identity().trace_id(),
        }
    }

    #[inline(always)]
    pub(crate) fn set_attribute(&mut self, key: impl Name, value: impl Content) {
        if key.as_ref().is_empty() {
            return;
        }
        match &mut self.storage {
            Storage::Nobody => {}
            Storage::Record => self.record.tell(key, value),
            Storage::Foreign(kept) => kept.set_attribute(KeyValue::new(key, value)),
        }
    }

    /// Once only. What is kept elsewhere is told of it outside of the lock.
    #[inline(always)]
    pub(crate) fn end(&mut self, time: Option<SystemTime>, ending: Ending) -> Option<PendingEnd> {
        if !self.is_open() {
            return None;
        }
        #[cfg(feature = "open-spans")]
        drop(self.listed.take());
        if !matches!(ending, Ending::Silent) {
            self.conclude(time, ending);
        }
        let status = self.status.take();
        match mem::replace(&mut self.storage, Storage::Nobody) {
            Storage::Nobody => None,
            Storage::Record => {
                if let Some(status) = status {
                    self.record.set_status(status);
                }
                self.record.end(time);
                None
            }
            Storage::Foreign(kept) => Some(PendingEnd { kept, time, status }),
        }
    }

    #[cold]
    fn conclude(&mut self, time: Option<SystemTime>, ending: Ending) {
        match ending {
            Ending::Silent => {}
            Ending::Cancelled => self.set_default("enter_span.outcome", "cancelled"),
            Ending::Abandoned => self.set_default("enter_span.outcome", "abandoned"),
            Ending::Failed(report) => self.fail(report, time),
        }
    }

    fn set_default(&mut self, key: &'static str, value: impl Into<Value>) {
        match &mut self.storage {
            Storage::Nobody => {}
            Storage::Record => self.record.set_default(key, value.into()),
            Storage::Foreign(kept) => kept.set_default(key, value.into()),
        }
    }

    fn fail(&mut self, report: FailureReport, time: Option<SystemTime>) {
        if matches!(self.status, Some(Status::Ok | Status::Unset)) {
            return;
        }
        if report.event && self.policy.exception_events && !self.has_exception {
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
        let is_exception = name == "exception";
        let is_kept = match &mut self.storage {
            Storage::Nobody => false,
            Storage::Record => self.record.add_event(name, time, attributes),
            Storage::Foreign(kept) => {
                kept.add_event(name, time, attributes);
                true
            }
        };
        self.has_exception |= is_exception && is_kept;
    }

    fn add_link(&mut self, linked: SpanContext, attributes: Vec<KeyValue>) {
        match &mut self.storage {
            Storage::Nobody => {}
            Storage::Record => self.record.add_link(Link::new(linked, attributes, 0)),
            Storage::Foreign(kept) => kept.add_link(linked, attributes),
        }
    }

    fn set_status(&mut self, status: Status) {
        self.status = Some(status).filter(|_| self.is_open());
    }

    fn update_name(&mut self, name: Cow<'static, str>) {
        #[cfg(feature = "open-spans")]
        if let Some(listed) = &self.listed {
            listed.rename(name.clone());
        }
        match &mut self.storage {
            Storage::Nobody => {}
            Storage::Record => self.record.update_name(name),
            Storage::Foreign(kept) => kept.update_name(name),
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
        self.0.change(|open| open.set_status(status));
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
