//! How much a span holds that is recorded here.

/// How much a span holds. What is over is dropped, or cut, and the drops are counted on the span.
///
/// What says how the span ended has room before anything else: the status, `error.type`,
/// `enter_span.outcome` and an `exception` event. Other events, links and attributes give way for it, the
/// last ones first.
///
/// The defaults are OpenTelemetry's, 128 of each and texts of any length, within 64 KiB a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanLimits {
    /// Attributes of a span: `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`.
    pub attributes: usize,
    /// Characters of a text, in an attribute or in a list there, also of `code.*`:
    /// `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`.
    pub text: Option<usize>,
    /// Events of a span: `OTEL_SPAN_EVENT_COUNT_LIMIT`.
    pub events: usize,
    /// Links of a span: `OTEL_SPAN_LINK_COUNT_LIMIT`.
    pub links: usize,
    /// Attributes of an event: `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`.
    pub event_attributes: usize,
    /// Attributes of a link: `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`.
    pub link_attributes: usize,
    /// Bytes of memory that all of these take, about. The default is 64 KiB. A text that does not fit is
    /// cut to half of what is left, so that smaller ones still do; what else does not fit is dropped. The
    /// name and the description of the status are cut to half of it.
    pub bytes: usize,
}

impl Default for SpanLimits {
    fn default() -> Self {
        SpanLimits {
            attributes: 128,
            text: None,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
            bytes: 64 << 10,
        }
    }
}
