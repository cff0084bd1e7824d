//! How much a pipeline holds, and when spans are exported.

use std::time::Duration;

use crate::queue::budget::Size;

/// How much a pipeline keeps in memory, and when it exports.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Limits, Pipeline};
///
/// let limits = Limits::default()
///     .with_queue_spans(1_000)
///     .with_interval(Duration::from_millis(200));
/// let builder = Pipeline::builder().with_limits(limits);
/// # drop(builder);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Spans that may wait, or be on their way: `OTEL_BSP_MAX_QUEUE_SIZE`. The default is 16,384. Of
    /// several exporters, each may hold its part of that: of two, half.
    pub queue_spans: usize,
    /// Bytes of memory that they may take. The default is 64 MiB. Counted is what an allocator gives for
    /// texts, lists and records, with a sixth for what lies between them, so that a full queue stays
    /// within its budget. Beside it, each exporter has a copy of the batch that it is at, or that waits to
    /// be sent again.
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
    /// How long a batch is sent again after its first failure, if its failures may pass. The default is 5
    /// minutes; 0 is no other try, and [`Duration::MAX`] no limit. Only OTLP says which failures may pass.
    ///
    /// Pauses grow from a quarter of a second to 30 seconds; one that the receiver asks for is cut to this
    /// time. Nothing else is sent to the receiver meanwhile. What ends meanwhile waits in the queue; when three
    /// quarters of an exporter's share are used, the oldest spans go first ([`Dropped::evicted`]), or into the spool
    /// if there is one; and so does a batch whose time is over. Without a spool, an
    /// outage of a minute at 2,000 spans a second, with the pause that may follow it, needs a queue of
    /// 240,000 spans.
    ///
    /// [`Dropped::evicted`]: crate::Dropped::evicted
    pub retry_time: Duration,
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
            retry_time: Duration::from_secs(5 * 60),
        }
    }
}

impl Limits {
    /// Sets the most spans that wait or are on their way to an exporter. The default is 16,384.
    ///
    /// ```
    /// use enter_span_pipeline::Limits;
    ///
    /// assert_eq!(Limits::default().with_queue_spans(1_000).queue_spans, 1_000);
    /// ```
    #[must_use]
    pub fn with_queue_spans(mut self, queue_spans: usize) -> Self {
        self.queue_spans = queue_spans;
        self
    }

    /// Sets the most bytes of memory that waiting spans take. The default is 64 MiB.
    ///
    /// ```
    /// use enter_span_pipeline::Limits;
    ///
    /// assert_eq!(Limits::default().with_queue_bytes(8 << 20).queue_bytes, 8 << 20);
    /// ```
    #[must_use]
    pub fn with_queue_bytes(mut self, queue_bytes: usize) -> Self {
        self.queue_bytes = queue_bytes;
        self
    }

    /// Sets the most spans in one batch. The default is 512.
    ///
    /// ```
    /// use enter_span_pipeline::Limits;
    ///
    /// assert_eq!(Limits::default().with_batch_spans(100).batch_spans, 100);
    /// ```
    #[must_use]
    pub fn with_batch_spans(mut self, batch_spans: usize) -> Self {
        self.batch_spans = batch_spans;
        self
    }

    /// Sets the most bytes in one batch, about. The default is 2 MiB.
    ///
    /// ```
    /// use enter_span_pipeline::Limits;
    ///
    /// assert_eq!(Limits::default().with_batch_bytes(1 << 20).batch_bytes, 1 << 20);
    /// ```
    #[must_use]
    pub fn with_batch_bytes(mut self, batch_bytes: usize) -> Self {
        self.batch_bytes = batch_bytes;
        self
    }

    /// Sets the longest time that spans wait before they are exported. The default is one second, the least
    /// one millisecond.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use enter_span_pipeline::Limits;
    ///
    /// let limits = Limits::default().with_interval(Duration::from_secs(5));
    /// assert_eq!(limits.interval, Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the time that an exporter has for a batch, a flush or its shutdown. The default is 30 seconds;
    /// [`Duration::MAX`] is no limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use enter_span_pipeline::Limits;
    ///
    /// let limits = Limits::default().with_export_timeout(Duration::from_secs(10));
    /// assert_eq!(limits.export_timeout, Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn with_export_timeout(mut self, export_timeout: Duration) -> Self {
        self.export_timeout = export_timeout;
        self
    }

    /// Sets how long a batch is sent again after its first failure, if its failures may pass. The default is 5
    /// minutes; 0 is no other try, and [`Duration::MAX`] no limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use enter_span_pipeline::Limits;
    ///
    /// let limits = Limits::default().with_retry_time(Duration::from_secs(60));
    /// assert_eq!(limits.retry_time, Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn with_retry_time(mut self, retry_time: Duration) -> Self {
        self.retry_time = retry_time;
        self
    }

    pub(crate) fn queue(&self) -> Size {
        Size {
            spans: self.queue_spans,
            bytes: self.queue_bytes,
        }
    }

    pub(crate) fn batch(&self) -> Size {
        Size {
            spans: self.batch_spans,
            bytes: self.batch_bytes,
        }
    }

    /// What may wait for one of so many exporters: if all the others hold theirs, there is room left.
    pub(crate) fn share(&self, exporters: usize) -> Size {
        Size {
            spans: self.queue_spans / exporters.max(1),
            bytes: self.queue_bytes / exporters.max(1),
        }
    }
}
