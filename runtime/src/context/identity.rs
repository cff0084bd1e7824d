//! Our names for OpenTelemetry's identities, so that annotated code needs no version of it.
//!
//! Conversions both ways are in `otel.rs`.

use std::fmt;

use opentelemetry::trace::TraceContextExt as _;

/// The identity of a trace: 16 bytes, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub(crate) opentelemetry::trace::TraceId);

/// The identity of a span within its trace: 8 bytes, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub(crate) opentelemetry::trace::SpanId);

/// What identifies a span everywhere: trace id, span id, flags and trace state.
///
/// Ruled by OpenTelemetry's trace specification and W3C Trace Context. It records nothing and
/// keeps nothing alive.
#[derive(Clone, PartialEq, Eq)]
pub struct SpanContext(pub(crate) opentelemetry::trace::SpanContext);

/// A captured context: the current span and everything that travels with it.
///
/// It holds the identity of its span and keeps no span open.
#[derive(Clone)]
pub struct Context(pub(crate) opentelemetry::Context);

impl TraceId {
    /// The id as 16 bytes, the most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }
}

impl SpanId {
    /// The id as 8 bytes, the most significant first.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_bytes()
    }
}

impl SpanContext {
    /// The trace that the span belongs to.
    pub fn trace_id(&self) -> TraceId {
        TraceId(self.0.trace_id())
    }

    /// The span's own id.
    pub fn span_id(&self) -> SpanId {
        SpanId(self.0.span_id())
    }

    /// Whether both ids are there. One that is not valid stands for no span.
    pub fn is_valid(&self) -> bool {
        self.0.is_valid()
    }

    /// Whether the trace is sampled, as the `traceparent` header says it.
    pub fn is_sampled(&self) -> bool {
        self.0.is_sampled()
    }

    /// Whether it came from another process.
    pub fn is_remote(&self) -> bool {
        self.0.is_remote()
    }
}

/// It says the same before and after a panic.
impl std::panic::UnwindSafe for Context {}
impl std::panic::RefUnwindSafe for Context {}

impl Context {
    /// The context of the moment: of the span that runs here, if there is one.
    pub fn current() -> Self {
        Context(crate::context::stack::current().unwrap_or_default())
    }

    /// The identity of the context's span; not valid if it has none.
    pub fn span_context(&self) -> SpanContext {
        SpanContext(self.0.span().span_context().clone())
    }
}

/// Whether a span is current in `context`. One that is not valid is none, as where `root` was said.
#[inline]
pub(crate) fn has_span(context: &opentelemetry::Context) -> bool {
    context.span().span_context().is_valid()
}

macro_rules! shown_as_hex {
    ($($id:ident),+) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }
    )+};
}

shown_as_hex!(TraceId, SpanId);

impl fmt::Debug for SpanContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SpanContext")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .field("sampled", &self.is_sampled())
            .field("remote", &self.is_remote())
            .finish()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Context")
            .field(&self.span_context())
            .finish()
    }
}
