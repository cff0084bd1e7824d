//! Spans on their way to all exporters.
//!
//! A batch that an exporter refuses is not halved and sent again: the error is a text, which does not
//! contain whether the size was the cause, nor which part was taken. `BatchBuilder` cuts by bytes before.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use crate::host::clock::Clock;
use crate::queue::budget::Size;
use crate::queue::span_queue::{DrainedList, SpanQueue};
use crate::stats::counts::{DropCause, Ledger};

/// Shared by all exporters that are not done with it. When the last one drops it, it is counted, and its
/// room is free again. So each span is counted once.
pub(crate) struct Batch {
    size: Size,
    content: Mutex<Content>,
    /// The first that was met.
    dropped: OnceLock<DropCause>,
    queue: Arc<SpanQueue>,
    ledger: Arc<Ledger>,
    clock: Arc<Clock>,
    text: Option<usize>,
}

/// Lists of spans until the first exporter takes them. They are converted on its thread, since memory
/// that one thread allocates and another frees is expensive.
struct Content {
    parts: Vec<DrainedList>,
    spans: Vec<SpanData>,
    /// Exporters that have not taken it yet.
    exporters: usize,
}

impl Batch {
    fn new(
        parts: Vec<DrainedList>,
        size: Size,
        exporters: usize,
        builder: &BatchBuilder<'_>,
    ) -> Arc<Self> {
        let dropped = match exporters {
            0 => OnceLock::from(DropCause::NoExporter),
            _ => OnceLock::new(),
        };
        Arc::new(Batch {
            size,
            content: Mutex::new(Content {
                parts,
                spans: Vec::new(),
                exporters,
            }),
            dropped,
            queue: Arc::clone(builder.queue),
            ledger: Arc::clone(builder.ledger),
            clock: Arc::clone(builder.clock),
            text: builder.text,
        })
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy for one exporter; the last one gets the spans themselves.
    pub(crate) fn take(&self) -> Vec<SpanData> {
        let mut content = self.content();
        content.exporters = content.exporters.saturating_sub(1);
        let parts = std::mem::take(&mut content.parts);
        if !parts.is_empty() {
            content.spans.reserve_exact(self.size.spans);
            let reading = self.clock.read();
            for mut part in parts {
                part.items.convert(&reading, self.text, &mut content.spans);
                self.queue.buffers.return_list(part);
            }
        }
        match content.exporters {
            0 => std::mem::take(&mut content.spans),
            _ => content.spans.clone(),
        }
    }

    /// An exporter will not take it.
    pub(crate) fn skip(&self, cause: DropCause) {
        self.drop_for(cause);
        let mut content = self.content();
        content.exporters = content.exporters.saturating_sub(1);
    }

    /// It is not exported, by one exporter at least.
    pub(crate) fn drop_for(&self, cause: DropCause) {
        // The first cause stays.
        let _ = self.dropped.set(cause);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.queue.buffers.release(self.size);
        let dropped = self.dropped.get().copied();
        self.ledger.count(self.size.spans, dropped);
        // Without an exporter, the worker drops it, and warns nobody.
        if dropped.is_some_and(|cause| cause != DropCause::NoExporter) {
            self.queue.report_drops();
        }
    }
}

/// Joins drained lists to batches.
pub(crate) struct BatchBuilder<'a> {
    pub(crate) queue: &'a Arc<SpanQueue>,
    pub(crate) ledger: &'a Arc<Ledger>,
    pub(crate) clock: &'a Arc<Clock>,
    /// What a batch holds. A larger span has one of its own.
    pub(crate) limit: Size,
    pub(crate) exporters: usize,
    /// Characters of a text.
    pub(crate) text: Option<usize>,
}

impl BatchBuilder<'_> {
    pub(crate) fn batches(&self, all: Vec<DrainedList>, mut send: impl FnMut(Arc<Batch>)) {
        let (mut parts, mut total) = (Vec::new(), Size::default());
        for drained in all {
            let size = drained.size;
            let fits = total.spans + size.spans <= self.limit.spans
                && total.bytes + size.bytes <= self.limit.bytes;
            if !fits && !parts.is_empty() {
                let full = (std::mem::take(&mut parts), std::mem::take(&mut total));
                send(Batch::new(full.0, full.1, self.exporters, self));
            }
            total.spans += size.spans;
            total.bytes += size.bytes;
            parts.push(drained);
        }
        if !parts.is_empty() {
            send(Batch::new(parts, total, self.exporters, self));
        }
    }
}
