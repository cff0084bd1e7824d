//! How much a pipeline and a span hold, and when spans are exported.

use std::time::Duration;

use crate::budget::Room;

/// How much a pipeline holds, and when it exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Spans that may wait, or be on their way: `OTEL_BSP_MAX_QUEUE_SIZE`. The default is 16,384. Of
    /// several exporters, each may hold its part of that: of two, half.
    pub queue_spans: usize,
    /// Bytes that they may hold, about. The default is 64 MiB. Beside them, each exporter has a copy of
    /// the batch that it is at.
    pub queue_bytes: usize,
    /// Spans in one batch: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`. The default is 512.
    pub batch_spans: usize,
    /// Bytes in one batch, about; a larger span has a batch of its own. The default is 2 MiB, which a
    /// common gRPC receiver, with its 4 MiB, takes. A batch that is refused as too large all the same is
    /// not tried again in parts: an exporter's error is a text, and does not say which part was taken.
    pub batch_bytes: usize,
    /// How long spans wait at most before they are exported: `OTEL_BSP_SCHEDULE_DELAY`. The default is
    /// one second.
    pub interval: Duration,
    /// How long an exporter has for a batch, a flush or its shutdown: `OTEL_BSP_EXPORT_TIMEOUT`, where 0
    /// is no limit, which is [`Duration::MAX`] here. The default is 30 seconds.
    pub export_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            queue_spans: 16_384,
            queue_bytes: 64 << 20,
            batch_spans: 512,
            batch_bytes: 2 << 20,
            interval: Duration::from_secs(1),
            export_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    pub(crate) fn queue(&self) -> Room {
        Room {
            spans: self.queue_spans,
            bytes: self.queue_bytes,
        }
    }

    pub(crate) fn batch(&self) -> Room {
        Room {
            spans: self.batch_spans,
            bytes: self.batch_bytes,
        }
    }

    /// What may wait for one of so many exporters: if all the others hold theirs, there is room left.
    pub(crate) fn share(&self, exporters: usize) -> Room {
        Room {
            spans: self.queue_spans / exporters.max(1),
            bytes: self.queue_bytes / exporters.max(1),
        }
    }
}

/// How much a span holds. What is over is dropped, or cut, and the drops are counted on the span.
///
/// The defaults are OpenTelemetry's, 128 of each and texts of any length, within 64 KiB a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanLimits {
    /// Attributes of a span: `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`.
    pub attributes: usize,
    /// Characters of a text, in an attribute or in a list there:
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
    /// Bytes of all of these, about. The default is 64 KiB. A text that does not fit is cut to half of
    /// what is left, so that smaller ones still do; what else does not fit is dropped. The name and
    /// the description of the status are cut to half of it.
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
