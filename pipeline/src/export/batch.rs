//! Spans on their way to all exporters.
//!
//! A batch that an exporter refuses is not halved and sent again: the error is a text, which does not
//! contain whether the size was the cause, nor which part was taken. `BatchBuilder` cuts by bytes before.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use opentelemetry_sdk::trace::SpanData;

#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
use crate::export::encode::{EncodedRequest, Encoder};
use crate::host::clock::{Clock, Reading};
use crate::queue::budget::Size;
use crate::queue::span_queue::{DrainedList, SpanQueue};
use crate::stats::counts::{DropCause, Ledger};

/// Shared by all exporters that are not done with it. When the last one drops it, it is counted, and its
/// room is free again. So each span is counted once.
pub(crate) struct Batch {
    size: Size,
    content: Mutex<Content>,
    /// The first cause that cost all of it.
    dropped: OnceLock<DropCause>,
    /// Of the exporter that dropped most, where none dropped all of it: which spans, none says.
    parts: Mutex<Vec<(DropCause, usize)>>,
    queue: Arc<SpanQueue>,
    ledger: Arc<Ledger>,
    clock: Arc<Clock>,
    text: Option<usize>,
}

/// Lists of spans until the last exporter has read them. Each reads them on its own thread, since memory
/// that one thread allocates and another frees is expensive. It locks them for no more than that.
struct Content {
    lists: Vec<DrainedList>,
    /// Of the clocks, at the first exporter: all of them see the same times.
    reading: Option<Reading>,
    /// Exporters that have not read it yet.
    exporters: usize,
}

/// What an exporter does with the spans that it reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Another one comes after it.
    Copy,
    Drain,
}

impl Batch {
    fn new(
        lists: Vec<DrainedList>,
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
                lists,
                reading: None,
                exporters,
            }),
            dropped,
            parts: Mutex::default(),
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

    /// For an exporter of the SDK's kind: a copy, or for the last one the spans themselves.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let mut spans = Vec::with_capacity(self.size.spans);
        self.read(|lists, reading, turn| {
            for list in lists {
                match turn {
                    Turn::Copy => list.items.clone().convert(reading, self.text, &mut spans),
                    Turn::Drain => list.items.convert(reading, self.text, &mut spans),
                }
            }
        });
        spans
    }

    /// The requests of OTLP, which the exporter sends one by one. No request if it has no span.
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub(crate) fn encode(&self, encoder: &mut Encoder) -> Vec<EncodedRequest> {
        self.read(|lists, reading, _| {
            let lists = lists.iter().map(|list| &list.items);
            encoder.encode(lists, reading, self.text)
        })
    }

    /// The turn of one exporter. Behind the last one, the lists go back to their threads.
    fn read<R>(&self, work: impl FnOnce(&mut [DrainedList], &Reading, Turn) -> R) -> R {
        let mut content = self.content();
        let content = &mut *content;
        let turn = content.pass();
        let reading = content.reading.get_or_insert_with(|| self.clock.read());
        let result = work(&mut content.lists, reading, turn);
        if turn == Turn::Drain {
            self.return_lists(content);
        }
        result
    }

    fn return_lists(&self, content: &mut Content) {
        for mut list in content.lists.drain(..) {
            list.items.clear();
            self.queue.buffers.return_list(list);
        }
    }

    /// An exporter will not take it.
    pub(crate) fn skip(&self, cause: DropCause) {
        self.drop_for(cause);
        let mut content = self.content();
        if content.pass() == Turn::Drain {
            self.return_lists(&mut content);
        }
    }

    /// It is not exported, by one exporter at least.
    pub(crate) fn drop_for(&self, cause: DropCause) {
        // The first cause stays.
        let _ = self.dropped.set(cause);
    }

    /// So many of its spans are not exported, by one exporter at least.
    pub(crate) fn drop_parts(&self, parts: Vec<(DropCause, usize)>) {
        match &parts[..] {
            [] => {}
            [(cause, spans)] if *spans >= self.size.spans => self.drop_for(*cause),
            _ => {
                let mut most = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
                if total(&parts) > total(&most) {
                    *most = parts;
                }
            }
        }
    }
}

fn total(parts: &[(DropCause, usize)]) -> usize {
    parts.iter().map(|(_, spans)| spans).sum()
}

impl Content {
    /// One exporter less is to come.
    fn pass(&mut self) -> Turn {
        self.exporters = self.exporters.saturating_sub(1);
        match self.exporters {
            0 => Turn::Drain,
            _ => Turn::Copy,
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.queue.buffers.release(self.size);
        let parts = self.parts.get_mut().unwrap_or_else(PoisonError::into_inner);
        let parts = match self.dropped.get() {
            Some(cause) => vec![(*cause, self.size.spans)],
            None => std::mem::take(parts),
        };
        for &(cause, spans) in &parts {
            self.ledger.count(spans, Some(cause));
        }
        self.ledger
            .count(self.size.spans.saturating_sub(total(&parts)), None);
        // Without an exporter, the worker drops it, and warns nobody.
        if parts
            .iter()
            .any(|(cause, _)| *cause != DropCause::NoExporter)
        {
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
