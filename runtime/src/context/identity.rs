//! Our names for OpenTelemetry's identities, so that annotated code needs no version of it.
//!
//! Conversions both ways are in `otel.rs`.

use std::cmp::Ordering;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

use opentelemetry::trace::TraceContextExt as _;

/// The identity of a trace: 16 bytes, written as 32 lower-case hexadecimal digits.
///
/// It is parsed from these digits and nothing else, as in the `traceparent` header of W3C Trace Context. Ids are
/// ordered as their texts are. All zeros is the id of no trace.
///
/// ```
/// use enter_span::TraceId;
///
/// let id: TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse()?;
/// assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(format!("{id:#x}"), "0x4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(id < TraceId::from_bytes([0xff; 16]));
/// # Ok::<(), enter_span::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub(crate) opentelemetry::trace::TraceId);

/// The identity of a span within its trace: 8 bytes, written as 16 lower-case hexadecimal digits.
///
/// It is parsed from these digits and nothing else, as in the `traceparent` header of W3C Trace Context. Ids are
/// ordered as their texts are. All zeros is the id of no span.
///
/// ```
/// use enter_span::SpanId;
///
/// let id: SpanId = "00f067aa0ba902b7".parse()?;
/// assert_eq!(id.to_string(), "00f067aa0ba902b7");
/// assert_eq!(format!("{id:x}"), "00f067aa0ba902b7");
/// assert!(id < SpanId::from_bytes([0xff; 8]));
/// # Ok::<(), enter_span::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub(crate) opentelemetry::trace::SpanId);

/// What identifies a span everywhere: trace id, span id, flags and trace state.
///
/// Ruled by OpenTelemetry's trace specification and W3C Trace Context. It records nothing and
/// keeps nothing alive.
///
/// ```
/// use std::collections::HashSet;
///
/// use enter_span::Context;
///
/// let mut seen = HashSet::new();
/// assert!(seen.insert(Context::current().span_context()));
/// assert!(!seen.insert(Context::default().span_context()), "neither has a span");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SpanContext(pub(crate) opentelemetry::trace::SpanContext);

/// A captured context: the current span and everything that travels with it.
///
/// It holds the identity of its span and keeps no span open. The default is empty: without a span, without
/// baggage.
///
/// ```
/// use enter_span::Context;
///
/// assert!(!Context::default().span_context().is_valid());
/// ```
#[derive(Clone, Default)]
pub struct Context(pub(crate) opentelemetry::Context);

/// A text that is not a [`TraceId`] or a [`SpanId`].
///
/// ```
/// use enter_span::SpanId;
///
/// let error = "00F067AA0BA902B7".parse::<SpanId>().unwrap_err();
/// assert_eq!(error.to_string(), "not an id; expected 16 lower-case hexadecimal digits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    expected_digits: usize,
}

impl TraceId {
    /// The id of these 16 bytes, the most significant first.
    ///
    /// ```
    /// use enter_span::TraceId;
    ///
    /// let bytes = [7; 16];
    /// assert_eq!(TraceId::from_bytes(bytes).to_bytes(), bytes);
    /// ```
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        TraceId(opentelemetry::trace::TraceId::from_bytes(bytes))
    }

    /// The id as 16 bytes, the most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }
}

impl SpanId {
    /// The id of these 8 bytes, the most significant first.
    ///
    /// ```
    /// use enter_span::SpanId;
    ///
    /// let bytes = [7; 8];
    /// assert_eq!(SpanId::from_bytes(bytes).to_bytes(), bytes);
    /// ```
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        SpanId(opentelemetry::trace::SpanId::from_bytes(bytes))
    }

    /// The id as 8 bytes, the most significant first.
    pub const fn to_bytes(self) -> [u8; 8] {
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

    /// Whether both ids are there. An invalid identity is that of no span.
    pub fn is_valid(&self) -> bool {
        self.0.is_valid()
    }

    /// Whether the trace is sampled: the flag of the `traceparent` header.
    pub fn is_sampled(&self) -> bool {
        self.0.is_sampled()
    }

    /// Whether it came from another process.
    pub fn is_remote(&self) -> bool {
        self.0.is_remote()
    }
}

/// A panic cannot leave it half-changed: it is never changed.
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

/// Whether a span is current in `context`. An invalid one does not count: `root` leaves one there.
#[inline]
pub(crate) fn has_span(context: &opentelemetry::Context) -> bool {
    context.span().span_context().is_valid()
}

macro_rules! hexadecimal {
    ($($id:ident: $number:ident),+) => {$(
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

        /// All digits, also leading zeros. With `#`, `0x` stands before them.
        impl fmt::LowerHex for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad_integral(true, "0x", &self.to_string())
            }
        }

        impl FromStr for $id {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let error = ParseIdError { expected_digits: 2 * size_of::<$number>() };
                let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if text.len() != error.expected_digits || !text.bytes().all(is_digit) {
                    return Err(error);
                }
                let number = $number::from_str_radix(text, 16).map_err(|_| error)?;
                Ok($id::from_bytes(number.to_be_bytes()))
            }
        }

        impl Ord for $id {
            fn cmp(&self, other: &Self) -> Ordering {
                self.to_bytes().cmp(&other.to_bytes())
            }
        }

        impl PartialOrd for $id {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    )+};
}

hexadecimal!(TraceId: u128, SpanId: u64);

impl fmt::Display for ParseIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.expected_digits;
        write!(
            formatter,
            "not an id; expected {digits} lower-case hexadecimal digits"
        )
    }
}

impl Error for ParseIdError {}

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
