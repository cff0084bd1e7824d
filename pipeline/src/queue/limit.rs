//! How much a pipeline holds, and when spans are exported.

use std::time::Duration;

use crate::queue::budget::Room;

/// How much a pipeline holds, and when it exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Spans that may wait, or be on their way: `OTEL_BSP_MAX_QUEUE_SIZE`. The default is 16,384. Of
    /// several exporters, each may hold its part of that: of two, half.
    pub queue_spans: usize,
    /// Bytes of memory that they may take. The default is 64 MiB. Counted is what an allocator gives for
    /// texts, lists and records, with a sixth for what lies between them, so that a full queue stays
    /// within its budget. Beside it, each exporter has a copy of the batch that it is at.
    pub queue_bytes: usize,
    /// Spans in one batch: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`. The default is 512.
    pub batch_spans: usize,
    /// Bytes in one batch, about; a larger span has a batch of its own. The default is 2 MiB, which a
    /// common gRPC receiver, with its 4 MiB, takes. A batch that is refused as too large all the same is
    /// not tried again in parts: an exporter's error is a text, and does not say which part was taken.
    pub batch_bytes: usize,
    /// How long spans wait at most before they are exported: `OTEL_BSP_SCHEDULE_DELAY`. The default is
    /// one second; less than a millisecond is one. The first span begins it: without spans nothing runs,
    /// however short it is.
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
