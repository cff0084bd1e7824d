//! A local trace as a rule of the application's sees it: a view that ends with the call.

use std::time::{Duration, SystemTime};

use enter_span::native::{EndedSpan, SpanSource, StatusCode};
use opentelemetry::trace::{Link, SpanId, SpanKind, TraceId};
use opentelemetry::{KeyValue, Value};

use crate::host::clock::Reading;
use crate::keep::pending_trace::times;
use crate::queue::span_list::SpanList;

/// The spans of this process below one local root, as a rule of [`Keep::by`](crate::Keep::by) sees them.
///
/// A local root is a span without a local parent: the first one of a trace, one below a remote parent, each
/// invocation, each linked root.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::Keep;
///
/// let keep = Keep::by(|trace| {
///     let is_order = trace.root().is_some_and(|root| root.name() == "POST /orders");
///     let is_slow = trace.duration().is_some_and(|time| time > Duration::from_secs(1));
///     let is_wide = trace.spans().count() > 500;
///     let is_chosen = trace.trace_id().to_bytes()[15] == 0;
///     is_order && (is_slow || is_wide || trace.has_error()) || is_chosen
/// });
/// # drop(keep);
/// ```
pub struct LocalTrace<'a> {
    pub(super) trace_id: TraceId,
    pub(super) spans: &'a SpanList,
    /// Its place in the list.
    pub(super) root: Option<usize>,
    pub(super) reading: &'a Reading,
}

/// A span of a [`LocalTrace`].
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use enter_span_pipeline::{Keep, LocalSpan};
/// use opentelemetry::trace::SpanKind;
///
/// fn is_of_interest(span: LocalSpan<'_>) -> bool {
///     let is_call = span.kind() == SpanKind::Client && span.scope() == "acme-bank";
///     let is_stuck = span.outcome() == Some("cancelled") && span.duration() > Duration::from_secs(1);
///     let is_refused = span.is_error() && span.status_description().contains("refused");
///     let is_tested = span.attribute("test.id").is_some() || span.attributes().len() > 50;
///     let is_joined = span.links().len() > 10 && span.span_id() != span.parent_span_id();
///     let is_odd = span.start_time() > SystemTime::now();
///     span.name() == "pay" && is_call || is_stuck || is_refused || is_tested || is_joined || is_odd
/// }
///
/// let keep = Keep::by(|trace| trace.spans().any(is_of_interest));
/// # drop(keep);
/// ```
#[derive(Clone, Copy)]
pub struct LocalSpan<'a> {
    span: &'a EndedSpan,
    attributes: &'a [KeyValue],
    reading: &'a Reading,
}

impl LocalTrace<'_> {
    /// The trace id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The local root. `None` if it has not ended: the trace was too old or too large to wait for it.
    pub fn root(&self) -> Option<LocalSpan<'_>> {
        self.spans().nth(self.root?)
    }

    /// All spans that have ended until now, in the order in which they arrived.
    pub fn spans(&self) -> impl Iterator<Item = LocalSpan<'_>> {
        let all = self.spans.records(0..self.spans.len());
        all.map(|(span, attributes)| LocalSpan {
            span,
            attributes,
            reading: self.reading,
        })
    }

    /// How long the local root took. `None` if it has not ended.
    pub fn duration(&self) -> Option<Duration> {
        Some(self.root()?.duration())
    }

    /// Whether any span has the status `Error`.
    pub fn has_error(&self) -> bool {
        self.spans().any(|span| span.is_error())
    }
}

impl<'a> LocalSpan<'a> {
    /// The name.
    pub fn name(&self) -> &'a str {
        self.span.name()
    }

    /// The name of the instrumentation scope: of a crate, unless it says otherwise.
    pub fn scope(&self) -> &'a str {
        scope_of(self.span)
    }

    /// The id.
    pub fn span_id(&self) -> SpanId {
        self.span.parentage.span_id
    }

    /// The id of the parent, local or remote. Not valid without one.
    pub fn parent_span_id(&self) -> SpanId {
        self.span.parentage.parent
    }

    /// The kind.
    pub fn kind(&self) -> SpanKind {
        self.span.kind.clone()
    }

    /// Whether the status is `Error`.
    pub fn is_error(&self) -> bool {
        self.span.status == StatusCode::Error
    }

    /// The description of the status. Empty if there is none.
    pub fn status_description(&self) -> &'a str {
        let details = self.span.details.as_deref();
        details.map_or("", |details| &details.description)
    }

    /// `cancelled` or `abandoned` if the span ended that way: its attribute `enter_span.outcome`.
    pub fn outcome(&self) -> Option<&'a str> {
        match self.attribute("enter_span.outcome")? {
            Value::String(outcome) => Some(outcome.as_str()),
            _ => None,
        }
    }

    /// When it started.
    pub fn start_time(&self) -> SystemTime {
        times(self.span, self.reading).0
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        let (start, end) = times(self.span, self.reading);
        end.duration_since(start).unwrap_or_default()
    }

    /// The value of an attribute. `code.*`, which come from the place in source, are not here.
    pub fn attribute(&self, key: &str) -> Option<&'a Value> {
        let mut all = self.attributes.iter();
        let found = all.find(|one| one.key.as_str() == key);
        found.map(|one| &one.value)
    }

    /// All attributes but `code.*`.
    pub fn attributes(&self) -> &'a [KeyValue] {
        self.attributes
    }

    /// The links.
    pub fn links(&self) -> &'a [Link] {
        let details = self.span.details.as_deref();
        details.map_or(&[], |details| &details.links)
    }
}

/// The name of the instrumentation scope.
pub(super) fn scope_of(span: &EndedSpan) -> &str {
    match &span.source {
        SpanSource::Site(site) => site.library().name(),
        SpanSource::Library(both) => both.1.name(),
        SpanSource::Scope(scope) => scope.name(),
        SpanSource::Unknown => "",
    }
}

impl std::fmt::Debug for LocalTrace<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LocalTrace")
            .field("trace_id", &self.trace_id)
            .field("spans", &self.spans.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for LocalSpan<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LocalSpan")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
