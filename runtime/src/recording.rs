//! A span of ours while it is recorded: what it has been told, until it ends.
//!
//! It is an OpenTelemetry span too, so that `Context::current().span()` in anybody's code writes
//! to the same place. Attributes are kept here and handed to the provider once, at the end: the
//! OpenTelemetry SDK appends where the specification says that the last value wins.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use opentelemetry::global::ObjectSafeSpan;
use opentelemetry::trace::{SpanContext, Status};
use opentelemetry::{Key, KeyValue, Value};

#[cfg(feature = "open-spans")]
use crate::open_spans::Listed;
use crate::outcome::{ErrorDetail, Failure, Report};
use crate::site::Site;
use crate::thread::{self, Payload};

/// What the provider made. It is called under the lock of its recording, and ended outside of it.
pub(crate) type ProviderSpan = Box<dyn ObjectSafeSpan + Send + Sync>;

/// Keys that are upserted. A span with more hands the further ones straight to its provider,
/// which counts them against its own limit (128 unless configured otherwise).
const MOST_UPSERTED: usize = 1024;

/// The process's choices that a span is recorded under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) detail: ErrorDetail,
    pub(crate) exception_events: bool,
}

/// One reading of the wall clock and a monotonic one beside it: a span never ends before it starts.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) start: SystemTime,
    running: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Clock {
            start: SystemTime::now(),
            running: Instant::now(),
        }
    }

    fn now(&self) -> SystemTime {
        self.start + self.running.elapsed()
    }
}

/// A span that is being recorded, shared by its scope and the context that it is current in.
pub(crate) struct Recording {
    identity: SpanContext,
    clock: Clock,
    policy: Policy,
    /// Invariant: `None` from the end on.
    open: Mutex<Option<Open>>,
}

struct Open {
    span: ProviderSpan,
    attributes: Vec<KeyValue>,
    /// Keys that went into the start, where the provider keeps them.
    started_with: Vec<Key>,
    status: Option<Status>,
    has_exception: bool,
    #[cfg(feature = "open-spans")]
    listed: Option<Listed>,
}

impl Recording {
    pub(crate) fn new(
        span: ProviderSpan,
        clock: Clock,
        policy: Policy,
        started_with: Vec<Key>,
    ) -> Self {
        Recording {
            identity: span.span_context().clone(),
            clock,
            policy,
            open: Mutex::new(Some(Open {
                span,
                attributes: Vec::new(),
                started_with,
                status: None,
                has_exception: false,
                #[cfg(feature = "open-spans")]
                listed: None,
            })),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open().is_some()
    }

    #[cfg(feature = "open-spans")]
    pub(crate) fn identity(&self) -> &SpanContext {
        &self.identity
    }

    /// Keeps its line in the list of what is open, until it ends.
    #[cfg(feature = "open-spans")]
    pub(crate) fn keep(&self, listed: Listed) {
        self.change(|open| open.listed = Some(listed));
    }

    /// Only the provider's own span runs under this lock; what it leaves if it panics is its own.
    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Open)) {
        if let Some(open) = self.open().as_mut() {
            change(open);
        }
    }

    /// A provider's span that panics costs the attribute.
    pub(crate) fn set_attribute(&self, attribute: KeyValue) {
        let _ = thread::shielded(|| self.change(|open| open.set_attribute(attribute)));
    }

    /// Ends the span. Once only: whoever comes second finds it closed.
    pub(crate) fn end(&self, ending: Ending) {
        let now = self.clock.now();
        self.end_at(now, ending);
    }

    fn end_at(&self, time: SystemTime, ending: Ending) {
        let Some(mut open) = self.open().take() else {
            return;
        };
        #[cfg(feature = "open-spans")]
        drop(open.listed.take());
        open.conclude(ending, time, self.policy);
        thread::alive(|| open.hand_over(time));
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
    fn set_attribute(&mut self, attribute: KeyValue) {
        if attribute.key.as_str().is_empty() {
            return;
        }
        let known = self.attributes.iter().position(|a| a.key == attribute.key);
        match known {
            Some(known) => self.attributes[known] = attribute,
            // The provider has it already and may append: two values under one key are invalid.
            None if self.has_started_with(&attribute.key) => {}
            None if self.attributes.len() < MOST_UPSERTED => self.attributes.push(attribute),
            None => self.span.set_attribute(attribute),
        }
    }

    fn has_started_with(&self, key: &Key) -> bool {
        Site::CODE_KEYS.contains(&key.as_str()) || self.started_with.contains(key)
    }

    /// What says how the span ended comes first: the provider drops what is over its limit.
    fn set_default(&mut self, key: &'static str, value: impl Into<Value>) {
        let attribute = KeyValue::new(key, value);
        let known = self.attributes.iter().any(|a| a.key == attribute.key);
        if !known && !self.has_started_with(&attribute.key) {
            self.attributes.insert(0, attribute);
        }
    }

    fn conclude(&mut self, ending: Ending, time: SystemTime, policy: Policy) {
        match ending {
            Ending::Silent => {}
            Ending::Cancelled => self.set_default("enter_span.outcome", "cancelled"),
            Ending::Abandoned => self.set_default("enter_span.outcome", "abandoned"),
            Ending::Failed(report) => self.fail(report, time, policy),
        }
    }

    fn fail(&mut self, report: Report, time: SystemTime, policy: Policy) {
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

    fn add_event(&mut self, name: Cow<'static, str>, time: SystemTime, attributes: Vec<KeyValue>) {
        self.has_exception |= name == "exception";
        self.span.add_event_with_timestamp(name, time, attributes);
    }

    fn update_name(&mut self, name: Cow<'static, str>) {
        #[cfg(feature = "open-spans")]
        if let Some(listed) = &self.listed {
            listed.rename(name.clone());
        }
        self.span.update_name(name);
    }

    fn hand_over(mut self, time: SystemTime) {
        for attribute in self.attributes {
            self.span.set_attribute(attribute);
        }
        if let Some(status) = self.status {
            self.span.set_status(status);
        }
        self.span.end_with_timestamp(time);
    }
}

/// A recording in its place in OpenTelemetry's context.
pub(crate) struct Current(pub(crate) Arc<Recording>);

impl opentelemetry::trace::Span for Current {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        let now = self.0.clock.now();
        self.0
            .change(|open| open.add_event(name.into(), now, attributes));
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        self.0
            .change(|open| open.add_event(name.into(), timestamp, attributes));
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
            .change(|open| open.span.add_link(span_context, attributes));
    }

    fn end(&mut self) {
        self.0.end(Ending::Silent);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.0.end_at(timestamp, Ending::Silent);
    }
}
