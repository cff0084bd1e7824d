//! The handle: what a body can say to its span. It cannot end it.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use opentelemetry::trace::{SpanId as OtelSpanId, Status as OtelStatus, TraceContextExt as _};
use opentelemetry::{Context as OtelContext, KeyValue};

use crate::attribute::attributes::{AttributeSink, Attributes};
use crate::attribute::key::AttributeKey;
use crate::attribute::value::{Slot, ToAttribute, Value};
use crate::backend::process_backend;
use crate::context::identity::{Context, SpanContext, SpanId, TraceId, has_span};
use crate::context::stack;
use crate::context::unwind;
use crate::outcome::failure::{Failure, FailureReport, Outcome};
use crate::outcome::policy::ErrorPolicy;
use crate::span::local_root;
use crate::span::root_table;
use crate::span::scope_mirror;
use crate::span::to_parent::{Parent, ToLinks, ToParent};

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
pub struct Span {
    context: Option<OtelContext>,
    kind: HandleKind,
    /// The local root, where it is known.
    root: Option<OtelSpanId>,
}

/// What the context of a handle is to it.
#[derive(Clone, Copy, Default)]
enum HandleKind {
    /// The one in which its span is current.
    #[default]
    Attachable,
    /// The same, and its span is never made current.
    Leaf,
    /// It has no span of its own, and its children attach to this.
    NoSpan,
}

impl Span {
    /// The span that this code runs in: ours, or one of any other OpenTelemetry code.
    ///
    /// Where there is none, and while the process is off, a handle that does nothing.
    pub fn current() -> Self {
        if !process_backend::is_on() {
            return Span::none();
        }
        match stack::current() {
            Some(context) if has_span(&context) => Span::of(context),
            _ => Span::none(),
        }
    }

    /// The outermost span of this process's part of the trace: a request's, however deep this is.
    ///
    /// Below a remote parent it is the first span of this process. Where others made the outer
    /// spans, it is the one of theirs that ours hang on.
    ///
    /// ```
    /// use enter_span::{Span, enter_span};
    ///
    /// #[enter_span]
    /// fn authenticate(user: &str) {
    ///     // Stands on the span of the request.
    ///     Span::root().set_attribute("user.id", user);
    /// }
    ///
    /// authenticate("u7");
    /// ```
    pub fn root() -> Self {
        if !process_backend::is_on() {
            return Span::none();
        }
        let current = stack::current();
        let root = current.and_then(|current| local_root::root(&current));
        root.map_or_else(Span::none, Span::of)
    }

    pub(crate) fn none() -> Self {
        Span::default()
    }

    fn new(context: Option<OtelContext>, kind: HandleKind) -> Self {
        let span_id = |context: &OtelContext| context.span().span_context().span_id();
        let root = context.as_ref().map(span_id).and_then(root_table::recall);
        Span {
            context,
            kind,
            root,
        }
    }

    /// Has this thread know the root, for what starts below the span here.
    fn remember_root(&self) {
        if let (Some(context), Some(root)) = (&self.context, self.root) {
            root_table::remember(context.span().span_context().span_id(), root);
        }
    }

    pub(crate) fn of(context: OtelContext) -> Self {
        Span::new(Some(context), HandleKind::Attachable)
    }

    pub(crate) fn of_leaf(context: OtelContext) -> Self {
        Span::new(Some(context), HandleKind::Leaf)
    }

    /// For a span that does not start: it records nothing, and its children attach to what is current here.
    pub(crate) fn absent_here() -> Self {
        if process_backend::is_on() {
            Span::new(stack::current(), HandleKind::NoSpan)
        } else {
            Span::none()
        }
    }

    /// The same for one whose parent is explicit.
    pub(crate) fn absent_in(context: OtelContext) -> Self {
        Span::new(Some(context), HandleKind::NoSpan)
    }

    /// The context in which its own span is current.
    fn own(&self) -> Option<&OtelContext> {
        match self.kind {
            HandleKind::Attachable | HandleKind::Leaf => self.context.as_ref(),
            HandleKind::NoSpan => None,
        }
    }

    /// Whether the span is recorded at this moment: it has started under a provider that records
    /// it, and has not ended.
    pub fn is_traced(&self) -> bool {
        self.own()
            .is_some_and(|context| context.span().is_recording())
    }

    /// Calls `change` only for a span that is traced, and never with a value still to be made.
    fn if_traced(&self, change: impl FnOnce(opentelemetry::trace::SpanRef<'_>)) -> &Self {
        if let Some(context) = self.own().filter(|_| self.is_traced()) {
            // A provider's own code runs here, and is not to reach the body.
            let _ = unwind::shielded(|| change(context.span()));
        }
        self
    }

    /// Sets an attribute. The same key again replaces the value; `None` writes nothing.
    ///
    /// The key is text, which takes any value, or a [`Key`](crate::Key), which takes values of its
    /// own type only. It must not be empty.
    ///
    /// The provider limits how many are kept (OpenTelemetry's default is 128) and counts the rest.
    /// `code.function.name`, `code.file.path` and `code.line.number` keep their values. With another
    /// provider than `enter-span-pipeline`, so does a key that was given in `start(..)`, and of more
    /// than 1024 keys the further ones are not replaced but given to it again.
    ///
    /// ```
    /// use enter_span::Span;
    /// use enter_span_semconv as semconv;
    ///
    /// let span = Span::current();
    /// span.set_attribute("order.items", 3);
    /// span.set_attribute(semconv::HTTP_RESPONSE_STATUS_CODE, 200);
    /// ```
    #[doc(alias = "record")]
    pub fn set_attribute<K, V>(&self, key: K, value: V) -> &Self
    where
        K: AttributeKey<V>,
        V: ToAttribute,
    {
        self.set_attribute_with(key, || value)
    }

    /// Sets an attribute whose value is computed only if the span is traced.
    ///
    /// If computing it panics, the attribute is lost and nothing else is.
    pub fn set_attribute_with<K, V>(&self, key: K, value: impl FnOnce() -> V) -> &Self
    where
        K: AttributeKey<V>,
        V: ToAttribute,
    {
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
            Some(value) => self.record_attribute(key.into_name(""), value),
            None => self,
        }
    }

    fn record_attribute(&self, key: Cow<'static, str>, Value(value): Value) -> &Self {
        if let Some(context) = self.own() {
            scope_mirror::set_attribute(context, &key, &value);
        }
        let attribute = KeyValue::new(key, value);
        self.if_traced(|span| span.set_attribute(attribute))
    }

    /// Sets several attributes, in order: those of a struct, by `#[derive(Attributes)]`, or a list of
    /// pairs. See [`Attributes`].
    ///
    /// ```
    /// use enter_span::{Attributes, Span};
    ///
    /// #[derive(Attributes)]
    /// #[attributes(prefix = "order")]
    /// struct Order {
    ///     id: u64,
    ///     coupon: Option<String>,
    /// }
    ///
    /// let order = Order { id: 7, coupon: None };
    /// Span::current().set_attributes(&order);
    /// Span::current().set_attributes([("rows", 3), ("bytes", 4096)]);
    /// ```
    pub fn set_attributes(&self, attributes: impl Attributes) -> &Self {
        if self.is_traced() {
            let mut write = |key, value| _ = self.record_attribute(key, value);
            attributes.write_attributes(&mut AttributeSink::new(&mut write));
        }
        self
    }

    /// The same for a closure that writes them, as in generated code.
    pub(crate) fn fill_attributes(&self, fill: &mut dyn FnMut(&mut AttributeSink<'_>)) {
        let mut write = |key, value| _ = self.record_attribute(key, value);
        let _ = unwind::shielded(|| fill(&mut AttributeSink::new(&mut write)));
    }

    /// Adds an event: something that happened at this moment. Its attributes are a struct that
    /// derives [`Attributes`], a list of pairs, or `()` for none.
    ///
    /// ```
    /// use enter_span::{Attributes, Span};
    ///
    /// #[derive(Attributes)]
    /// struct Miss<'a> {
    ///     shard: u32,
    ///     key: &'a str,
    /// }
    ///
    /// let span = Span::current();
    /// span.add_event("order.shipped", ());
    /// span.add_event("cache.miss", &Miss { shard: 3, key: "a" });
    /// span.add_event("retry", (("attempt", 2), ("cause", "timeout")));
    /// ```
    pub fn add_event(
        &self,
        name: impl Into<Cow<'static, str>>,
        attributes: impl Attributes,
    ) -> &Self {
        if !self.is_traced() {
            return self;
        }
        let mut list = Vec::new();
        let mut write =
            |key, Value(value)| list.push(KeyValue::new::<Cow<'static, str>, _>(key, value));
        attributes.write_attributes(&mut AttributeSink::new(&mut write));
        let name = name.into();
        self.if_traced(|span| span.add_event(name, list))
    }

    /// Records an error as an `exception` event. The status stays as it is.
    ///
    /// What it says follows the process's [`ErrorDetail`](crate::ErrorDetail); with `Status` it is
    /// not recorded.
    pub fn record_error<E: Error + ?Sized>(&self, error: &E) -> &Self {
        let Some(policy) = self.policy() else {
            return self;
        };
        let failure = Failure::by(type_name::<E>(), &error);
        let report = FailureReport::of(&failure, policy.detail);
        if policy.exception_events && report.event {
            self.if_traced(|span| span.add_event("exception", report.exception()))
        } else {
            self
        }
    }

    /// What the installation allows errors to say, or `None` if the span is not traced.
    fn policy(&self) -> Option<ErrorPolicy> {
        let context = self.own().filter(|_| self.is_traced())?;
        process_backend::for_context(context).map(|active_backend| active_backend.policy())
    }

    /// Sets the status, for instance `Status::error("declined")`. The last call holds, also against
    /// an error that the function returns.
    pub fn set_status(&self, status: Status) -> &Self {
        self.if_traced(|span| span.set_status(status.into()))
    }

    /// Says that a block failed, if `value` did.
    ///
    /// A failure sets the status and `error.type`, and adds an `exception` event, at the process's
    /// [`ErrorDetail`](crate::ErrorDetail). A success changes nothing. The attribute and `in_span!`
    /// do this by themselves, and see more of an error: its sources, and what a `Box<dyn Error>`
    /// holds.
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
        let Some(policy) = self.policy() else {
            return self;
        };
        let report = unwind::shielded(|| {
            value
                .failure()
                .map(|f| FailureReport::of(&f, policy.detail))
        });
        match report.flatten() {
            Some(report) => self.fail(report, policy),
            None => self,
        }
    }

    fn fail(&self, report: FailureReport, policy: ErrorPolicy) -> &Self {
        self.if_traced(|span| {
            if policy.exception_events && report.event {
                span.add_event("exception", report.exception());
            }
            span.set_attribute(KeyValue::new("error.type", report.kind));
            span.set_status(OtelStatus::error(report.message.unwrap_or_default()));
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
        if let Some(context) = self.own() {
            scope_mirror::rename(context, &name);
        }
        self.if_traced(|span| span.update_name(name))
    }

    /// The span's identity, also after its end. Not valid if there is no span.
    pub fn span_context(&self) -> SpanContext {
        match self.own() {
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
        Context(self.context.clone().unwrap_or_default())
    }
}

impl ToParent for Span {
    fn to_parent(&self) -> Parent {
        self.remember_root();
        self.context.clone().map_or(Parent::Root, Parent::Span)
    }

    fn to_current(&self) -> Parent {
        match self.kind {
            HandleKind::Attachable | HandleKind::NoSpan => self.to_parent(),
            HandleKind::Leaf => Parent::Current,
        }
    }
}

impl ToLinks for Span {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.context.to_links(link);
    }
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
#[non_exhaustive]
pub enum Status {
    /// No status. The right one for a success.
    #[default]
    Unset,
    /// The work failed, with a description for people. [`Status::error`] takes any text.
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

impl From<Status> for OtelStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Unset => OtelStatus::Unset,
            Status::Error(description) => OtelStatus::Error { description },
            Status::Ok => OtelStatus::Ok,
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

/// The handle says the same before and after a panic.
impl std::panic::UnwindSafe for Span {}
impl std::panic::RefUnwindSafe for Span {}
