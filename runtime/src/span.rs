//! The handle: what a body can say to its span. It cannot end it.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context as OtelContext, KeyValue};

use crate::context::{Context, SpanContext, SpanId, TraceId};
use crate::installed;
use crate::outcome::{ErrorDetail, Failure, Outcome, Report};
use crate::relation::{ToLinks, ToParent};
use crate::thread;
use crate::value::{Slot, ToAttribute, Value};

/// A handle to a span, cheap to clone and free to keep.
///
/// It can be told things until the span ends, which its scope decides and no handle. After the end,
/// and where nothing is traced, every call does nothing: nothing panics, nothing is evaluated
/// needlessly.
///
/// ```
/// use enter_span::{Span, enter_span};
///
/// #[enter_span]
/// fn load(id: u64) -> usize {
///     let found = id as usize * 2;
///     Span::current().set_attribute("rows", found);
///     found
/// }
///
/// assert_eq!(load(21), 42);
/// ```
#[derive(Clone, Default)]
pub struct Span(Option<OtelContext>);

impl Span {
    /// The span that this code runs in: ours, or one of any other OpenTelemetry code.
    ///
    /// Where there is none, and while the process is off, a handle that does nothing.
    pub fn current() -> Self {
        if !installed::is_on() {
            return Span::none();
        }
        match thread::current() {
            Some(context) if context.has_active_span() => Span(Some(context)),
            _ => Span::none(),
        }
    }

    pub(crate) fn none() -> Self {
        Span(None)
    }

    pub(crate) fn of(context: OtelContext) -> Self {
        Span(Some(context))
    }

    /// Whether the span is recorded at this moment: it has started under a provider that records
    /// it, and has not ended.
    pub fn is_traced(&self) -> bool {
        let context = self.0.as_ref();
        context.is_some_and(|context| context.span().is_recording())
    }

    /// Calls `change` only for a span that is traced, and never with a value still to be made.
    fn if_traced(&self, change: impl FnOnce(opentelemetry::trace::SpanRef<'_>)) -> &Self {
        if self.is_traced() {
            if let Some(context) = &self.0 {
                change(context.span());
            }
        }
        self
    }

    /// Sets an attribute. The same key again replaces the value; `None` writes nothing.
    ///
    /// The key must not be empty. A key that was given in `start(..)` keeps the value that the
    /// sampler saw, and so do `code.function.name`, `code.file.path` and `code.line.number`.
    pub fn set_attribute(
        &self,
        key: impl Into<Cow<'static, str>>,
        value: impl ToAttribute,
    ) -> &Self {
        self.set_attribute_with(key, || value)
    }

    /// Sets an attribute whose value is computed only if the span is traced.
    ///
    /// If computing it panics, the attribute is lost and nothing else is.
    pub fn set_attribute_with<T: ToAttribute>(
        &self,
        key: impl Into<Cow<'static, str>>,
        value: impl FnOnce() -> T,
    ) -> &Self {
        if !self.is_traced() {
            return self;
        }
        let mut value = Some(value);
        let value = Slot::fill(&mut |slot| {
            if let Some(value) = value.take() {
                slot.set(&value());
            }
        });
        match value {
            Some(Value(value)) => {
                let attribute = KeyValue::new(key.into(), value);
                self.if_traced(|span| span.set_attribute(attribute))
            }
            None => self,
        }
    }

    /// Sets several attributes, in order.
    pub fn set_attributes<K, V>(&self, attributes: impl IntoIterator<Item = (K, V)>) -> &Self
    where
        K: Into<Cow<'static, str>>,
        V: ToAttribute,
    {
        if self.is_traced() {
            for (key, value) in attributes {
                self.set_attribute(key, value);
            }
        }
        self
    }

    /// Adds an event: something that happened at this moment.
    pub fn add_event<K, V>(
        &self,
        name: impl Into<Cow<'static, str>>,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> &Self
    where
        K: Into<Cow<'static, str>>,
        V: ToAttribute,
    {
        if !self.is_traced() {
            return self;
        }
        let attributes = collect(attributes);
        let name = name.into();
        self.if_traced(|span| span.add_event(name, attributes))
    }

    /// Records an error as an `exception` event. The status stays as it is.
    ///
    /// What it says follows the process's [`ErrorDetail`]; with `Status` it is not recorded.
    pub fn record_error<E: Error + ?Sized>(&self, error: &E) -> &Self {
        let Some(detail) = self.allowed_detail() else {
            return self;
        };
        let shown: &dyn fmt::Display = &error;
        let failure = Failure::new(type_name::<E>()).message(shown);
        let report = Report::of(&failure, detail);
        if !report.event {
            return self;
        }
        let mut attributes = vec![KeyValue::new("exception.type", report.kind)];
        attributes.extend(
            report
                .message
                .map(|text| KeyValue::new("exception.message", text)),
        );
        self.if_traced(|span| span.add_event("exception", attributes))
    }

    /// The detail that this span may show, or `None` if it is not traced.
    fn allowed_detail(&self) -> Option<ErrorDetail> {
        let context = self.0.as_ref().filter(|_| self.is_traced())?;
        installed::for_context(context).map(|installed| installed.policy().detail)
    }

    /// Sets the status. The last call holds, also against an error that the function returns.
    pub fn set_status(&self, status: Status) -> &Self {
        self.if_traced(|span| span.set_status(status.into()))
    }

    /// Says of a block what the attribute says of a function by itself: whether `value` failed.
    ///
    /// A failure sets the status and `error.type`, and adds an `exception` event, at the process's
    /// [`ErrorDetail`]. A success changes nothing.
    ///
    /// ```
    /// use enter_span::enter_span;
    ///
    /// let parsed = enter_span("parse", |span| {
    ///     let parsed = "4x".parse::<u32>();
    ///     span.set_outcome(&parsed);
    ///     parsed
    /// });
    /// assert!(parsed.is_err());
    /// ```
    pub fn set_outcome<T: Outcome + ?Sized>(&self, value: &T) -> &Self {
        let Some(detail) = self.allowed_detail() else {
            return self;
        };
        let report = thread::shielded(|| value.failure().map(|f| Report::of(&f, detail)));
        match report.flatten() {
            Some(report) => self.fail(report),
            None => self,
        }
    }

    fn fail(&self, report: Report) -> &Self {
        self.if_traced(|span| {
            let kind = report.kind;
            span.set_attribute(KeyValue::new("error.type", kind.clone()));
            if report.event {
                let mut attributes = vec![KeyValue::new("exception.type", kind)];
                let message = report.message.clone();
                attributes.extend(message.map(|text| KeyValue::new("exception.message", text)));
                span.add_event("exception", attributes);
            }
            span.set_status(opentelemetry::trace::Status::error(
                report.message.unwrap_or_default(),
            ));
        })
    }

    /// Links the span to others: causes that are not its parent. Those not valid are left out.
    pub fn add_link(&self, links: impl ToLinks) -> &Self {
        self.if_traced(|span| {
            links.to_links(&mut |SpanContext(linked)| {
                if linked.is_valid() {
                    span.add_link(linked, Vec::new());
                }
            });
        })
    }

    /// Gives the span another name. Samplers have seen the first one.
    pub fn update_name(&self, name: impl Into<Cow<'static, str>>) -> &Self {
        let name = name.into();
        self.if_traced(|span| span.update_name(name))
    }

    /// The span's identity, also after its end. Not valid if there is no span.
    pub fn span_context(&self) -> SpanContext {
        match &self.0 {
            Some(context) => SpanContext(context.span().span_context().clone()),
            None => SpanContext(opentelemetry::trace::SpanContext::NONE),
        }
    }

    /// The id of the span's trace, or `None` if there is no span.
    pub fn trace_id(&self) -> Option<TraceId> {
        let identity = self.span_context();
        identity.is_valid().then(|| identity.trace_id())
    }

    /// The span's own id, or `None` if there is no span.
    pub fn span_id(&self) -> Option<SpanId> {
        let identity = self.span_context();
        identity.is_valid().then(|| identity.span_id())
    }

    /// The context in which this span is the current one: to start a child elsewhere, or to inject.
    pub fn context(&self) -> Context {
        Context(self.0.clone().unwrap_or_default())
    }
}

impl ToParent for Span {
    fn to_parent(&self, root: Context) -> Context {
        self.0.to_parent(root)
    }
}

impl ToLinks for Span {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.0.to_links(link);
    }
}

fn collect<K, V>(attributes: impl IntoIterator<Item = (K, V)>) -> Vec<KeyValue>
where
    K: Into<Cow<'static, str>>,
    V: ToAttribute,
{
    let attribute = |(key, value): (K, V)| {
        let Value(value) = Slot::fill(&mut |slot| slot.set(&value))?;
        Some(KeyValue::new(key.into(), value))
    };
    attributes.into_iter().filter_map(attribute).collect()
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Span")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .finish()
    }
}

/// What a span says about how its work went, in OpenTelemetry's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing is said. The right status of a success.
    #[default]
    Unset,
    /// The work failed, with a description for people.
    Error(Cow<'static, str>),
    /// Somebody who operates the system judged this a success. Libraries leave this alone.
    Ok,
}

impl Status {
    /// An error with this description.
    pub fn error(description: impl Into<Cow<'static, str>>) -> Self {
        Status::Error(description.into())
    }
}

impl From<Status> for opentelemetry::trace::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::Unset => opentelemetry::trace::Status::Unset,
            Status::Error(description) => opentelemetry::trace::Status::Error { description },
            Status::Ok => opentelemetry::trace::Status::Ok,
        }
    }
}

/// Whether the current span is traced. The same as `Span::current().is_traced()`.
pub fn is_traced() -> bool {
    Span::current().is_traced()
}

/// The id of the current trace, for a log line or an error page; `None` without a span.
pub fn trace_id() -> Option<TraceId> {
    Span::current().trace_id()
}

/// The id of the current span; `None` without one.
pub fn span_id() -> Option<SpanId> {
    Span::current().span_id()
}
