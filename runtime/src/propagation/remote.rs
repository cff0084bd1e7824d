//! A span of another process, and how far it is believed.

use std::fmt;

use opentelemetry::Context as OtelContext;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::TraceContextExt as _;

use crate::context::identity::{Context, SpanContext};
use crate::span::to_parent::{Parent, RemoteParent, ToLinks, ToParent};

/// A span of another process, as it was [extracted](crate::propagation::extract): its identity and
/// its baggage.
///
/// It can be given as `parent = ..` and to `links(..)`. Below it, its baggage is current and nothing else of
/// this process's context, and what is
/// [injected](crate::propagation::inject) has its `tracestate`, to the letter. One that is not valid,
/// since nothing was sent or nothing usable, is a parent that makes a new root, and no link.
///
/// ```
/// use enter_span::propagation::{Remote, extract};
/// use enter_span::{enter_span, trace_id};
///
/// #[enter_span(kind = server, parent = caller)]
/// fn handle(caller: &Remote) {}
///
/// let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let caller = extract(&headers);
/// assert!(caller.is_valid());
/// handle(&caller);
/// ```
#[derive(Clone)]
pub struct Remote {
    /// Made from nothing: never with what happens to be current.
    context: OtelContext,
    trust: Trust,
}

/// How far a [`Remote`] is believed. Anybody can send a `traceparent`, and its sampled flag decides
/// what we pay for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trust {
    /// In full: spans below it are in its trace, sampled as it says, and have its baggage. For callers
    /// of our own.
    #[default]
    Parent,
    /// That it is there: a span below it is a root of its own, which is linked to it and sampled by our
    /// own choice, without its baggage. For the public.
    Link,
    /// Not at all: a span below it is a root of its own, without its baggage.
    Ignore,
}

impl Remote {
    pub(super) fn new(context: OtelContext) -> Self {
        Remote {
            context,
            trust: Trust::Parent,
        }
    }

    /// The same, believed so far.
    ///
    /// ```
    /// use enter_span::propagation::{Trust, extract};
    ///
    /// let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    /// let stranger = extract(&headers).with_trust(Trust::Link);
    /// enter_span::in_span!("GET /", kind = server, parent = stranger, || { /* a new trace */ });
    /// ```
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Remote { trust, ..self }
    }

    /// How far it is believed. The default is [`Trust::Parent`].
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Whether there is a span, of valid ids.
    pub fn is_valid(&self) -> bool {
        self.context.has_active_span()
    }

    /// The identity of the span, however far it is believed; not valid if there is none.
    pub fn span_context(&self) -> SpanContext {
        Context(self.context.clone()).span_context()
    }

    /// The context that a span below it starts in, as far as it is believed: for code that takes
    /// OpenTelemetry's.
    pub fn context(&self) -> Context {
        match self.trust {
            Trust::Parent => Context(self.context.clone()),
            Trust::Link | Trust::Ignore => Context(self.below(&OtelContext::new())),
        }
    }

    /// What its baggage says under this key, however far it is believed.
    pub fn baggage(&self, key: &str) -> Option<&str> {
        let value = self.context.baggage().get(key)?;
        Some(value.as_str())
    }
}

impl Remote {
    /// The context that a span below it starts in, where `current` is current.
    pub(crate) fn below(&self, current: &OtelContext) -> OtelContext {
        self.remote_parent().into_context(current)
    }

    fn remote_parent(&self) -> RemoteParent {
        let (context, links) = match self.trust {
            Trust::Parent => (self.context.clone(), Vec::new()),
            Trust::Link => (OtelContext::new(), vec![self.span_context().0]),
            Trust::Ignore => (OtelContext::new(), Vec::new()),
        };
        RemoteParent { context, links }
    }
}

impl ToParent for Remote {
    fn to_parent(&self) -> Parent {
        Parent::Remote(self.remote_parent())
    }
}

impl ToLinks for Remote {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        match self.trust {
            Trust::Parent | Trust::Link => link(self.span_context()),
            Trust::Ignore => {}
        }
    }
}

/// Without what the baggage and the `tracestate` say.
impl fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Remote")
            .field("span_context", &self.span_context())
            .field("baggage", &self.context.baggage().len())
            .field("trust", &self.trust)
            .finish()
    }
}
