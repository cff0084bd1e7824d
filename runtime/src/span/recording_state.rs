//! The data of one span while it is recorded, and how it ends.
//!
//! Not thread-safe: a leaf keeps it for itself, and `recording.rs` has it under a lock for all others.

use std::borrow::Cow;
use std::mem;
use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceId};
use opentelemetry::{KeyValue, Value};

use crate::attribute::value::Scalar;
use crate::backend::ForeignSpan;
use crate::backend::record::Record;
use crate::backend::size::{Content, Name};
#[cfg(feature = "open-spans")]
use crate::diagnose::open_list::{BegunSpan, ListPlace};
use crate::outcome::failure::FailureReport;
use crate::outcome::policy::ErrorPolicy;

/// The data of a span that is being recorded.
pub(crate) struct RecordingState {
    storage: Storage,
    /// Used again by the next span, also where another one is kept elsewhere.
    record: Record,
    /// Whether a failure adds an event.
    exception_events: bool,
    status: Option<Status>,
    has_exception: bool,
    list_place: ListPlace,
}

/// Where a span is kept until it ends.
enum Storage {
    /// It has ended, or was never recorded.
    Nowhere,
    Record,
    Foreign(Box<dyn ForeignSpan>),
}

/// The end of a foreign span, which runs outside of the lock.
pub(crate) struct PendingEnd {
    span: Box<dyn ForeignSpan>,
    time: Option<SystemTime>,
    status: Option<Status>,
}

impl PendingEnd {
    /// A provider's code runs here.
    #[cold]
    pub(crate) fn end(self) {
        self.span.end(self.time, self.status);
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

impl RecordingState {
    #[cold]
    pub(crate) fn empty() -> Self {
        RecordingState {
            storage: Storage::Nowhere,
            record: Record::default(),
            exception_events: false,
            status: None,
            has_exception: false,
            list_place: ListPlace::default(),
        }
    }

    /// The record that a backend may use for the next span.
    #[inline(always)]
    pub(crate) fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    /// A span has started in the record.
    #[inline(always)]
    pub(crate) fn start_record(&mut self, policy: ErrorPolicy) {
        self.storage = Storage::Record;
        self.begin(policy);
    }

    /// A provider's span has started.
    pub(crate) fn start_foreign(&mut self, span: Box<dyn ForeignSpan>, policy: ErrorPolicy) {
        self.storage = Storage::Foreign(span);
        self.record.forget();
        self.begin(policy);
    }

    #[inline(always)]
    fn begin(&mut self, policy: ErrorPolicy) {
        self.exception_events = policy.exception_events;
        self.has_exception = false;
    }

    /// Lists the span among the open ones, unless it has ended in the meantime.
    #[cfg(feature = "open-spans")]
    #[inline]
    pub(crate) fn list(&mut self, begun: BegunSpan<'_>) {
        let start = match self.storage {
            Storage::Nowhere => return,
            Storage::Record => self.record.counted_start(),
            Storage::Foreign(_) => None,
        };
        self.list_place.open(begun, start);
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.storage, Storage::Nowhere)
    }

    #[inline]
    pub(crate) fn identity(&self) -> SpanContext {
        match &self.storage {
            Storage::Nowhere => SpanContext::NONE,
            Storage::Record => self.record.identity(),
            Storage::Foreign(span) => span.identity(),
        }
    }

    /// The local root that is recorded of it, also after its end.
    pub(crate) fn root(&self) -> (SpanId, usize) {
        self.record.root()
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        match &self.storage {
            Storage::Nowhere => TraceId::INVALID,
            Storage::Record => self.record.trace_id(),
            Storage::Foreign(span) => span.identity().trace_id(),
        }
    }

    #[inline(always)]
    pub(crate) fn set_scalar(&mut self, key: &'static str, scalar: Scalar) {
        if matches!(self.storage, Storage::Record) {
            self.record.set_scalar(key, scalar);
        } else {
            self.set_scalar_elsewhere(key, scalar);
        }
    }

    #[cold]
    #[inline(never)]
    fn set_scalar_elsewhere(&mut self, key: &'static str, scalar: Scalar) {
        self.set_attribute(key, scalar);
    }

    #[inline(always)]
    pub(crate) fn set_attribute(&mut self, key: impl Name, value: impl Content) {
        if key.as_ref().is_empty() {
            return;
        }
        match &mut self.storage {
            Storage::Nowhere => {}
            Storage::Record => self.record.set(key, value),
            Storage::Foreign(span) => span.set_attribute(KeyValue::new(key, value)),
        }
    }

    /// Ends a span of which there is nothing more to say; or leaves it as it is, and gives `false`.
    #[inline(always)]
    pub(crate) fn end_plain(&mut self) -> bool {
        let is_plain = matches!((&self.storage, &self.status), (Storage::Record, None));
        if is_plain {
            self.storage = Storage::Nowhere;
            self.list_place.close();
            self.record.end(None);
        }
        is_plain
    }

    /// Ends the span, once. The caller ends a foreign span, outside of the lock.
    pub(crate) fn end(&mut self, time: Option<SystemTime>, ending: Ending) -> Option<PendingEnd> {
        if !self.is_open() {
            return None;
        }
        self.list_place.close_and_leave();
        if !matches!(ending, Ending::Silent) {
            self.conclude(time, ending);
        }
        if matches!(self.storage, Storage::Record) {
            self.storage = Storage::Nowhere;
            if self.status.is_some() {
                self.record_status();
            }
            self.record.end(time);
            None
        } else {
            self.end_elsewhere(time)
        }
    }

    #[cold]
    fn record_status(&mut self) {
        if let Some(status) = self.status.take() {
            self.record.set_status(status);
        }
    }

    #[cold]
    fn end_elsewhere(&mut self, time: Option<SystemTime>) -> Option<PendingEnd> {
        let status = self.status.take();
        match mem::replace(&mut self.storage, Storage::Nowhere) {
            Storage::Foreign(span) => Some(PendingEnd { span, time, status }),
            Storage::Nowhere | Storage::Record => None,
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
            Storage::Nowhere => {}
            Storage::Record => self.record.set_default(key, value.into()),
            Storage::Foreign(span) => span.set_default(key, value.into()),
        }
    }

    pub(crate) fn fail(&mut self, report: FailureReport, time: Option<SystemTime>) {
        if matches!(self.status, Some(Status::Ok | Status::Unset)) {
            return;
        }
        if report.event && self.exception_events && !self.has_exception {
            self.add_event(Cow::Borrowed("exception"), time, report.exception());
        }
        self.set_default("error.type", report.kind);
        let description = report.message.unwrap_or_default();
        self.status.get_or_insert(Status::error(description));
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        let is_exception = name == "exception";
        let is_kept = match &mut self.storage {
            Storage::Nowhere => false,
            Storage::Record => self.record.add_event(name, time, attributes),
            Storage::Foreign(span) => {
                span.add_event(name, time, attributes);
                true
            }
        };
        self.has_exception |= is_exception && is_kept;
    }

    pub(crate) fn add_link(&mut self, linked: SpanContext, attributes: Vec<KeyValue>) {
        match &mut self.storage {
            Storage::Nowhere => {}
            Storage::Record => self.record.add_link(Link::new(linked, attributes, 0)),
            Storage::Foreign(span) => span.add_link(linked, attributes),
        }
    }

    pub(crate) fn set_status(&mut self, status: Status) {
        self.status = Some(status).filter(|_| self.is_open());
    }

    /// An error; without a description, with the one that it has.
    pub(crate) fn mark_failed(&mut self, description: Option<String>) {
        let status = match (description, self.status.take()) {
            (Some(description), _) => Status::error(description),
            (None, Some(known @ Status::Error { .. })) => known,
            (None, _) => Status::error(""),
        };
        self.set_status(status);
    }

    /// Another role. A provider's span has the one of its start.
    pub(crate) fn set_kind(&mut self, kind: SpanKind) {
        if matches!(self.storage, Storage::Record) {
            self.record.set_kind(kind);
        }
    }

    pub(crate) fn update_name(&mut self, name: Cow<'static, str>) {
        #[cfg(feature = "open-spans")]
        self.list_place.rename(name.clone());
        match &mut self.storage {
            Storage::Nowhere => {}
            Storage::Record => self.record.update_name(name),
            Storage::Foreign(span) => span.update_name(name),
        }
    }
}

/// Without the list of open spans.
#[cfg(not(feature = "open-spans"))]
#[derive(Default)]
struct ListPlace(());

#[cfg(not(feature = "open-spans"))]
impl ListPlace {
    #[inline(always)]
    fn close(&self) {}

    #[inline(always)]
    fn close_and_leave(&mut self) {}
}
