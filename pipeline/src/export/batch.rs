//! Spans on their way to all exporters together.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use crate::host::clock::Clock;
use crate::queue::budget::Room;
use crate::queue::span_queue::{Drained, Queue};
use crate::stats::counts::{Cause, Ledger};

/// Held by every exporter that is not done with it. When the last one lets it go, it is entered in
/// the books, and its room is free again.
pub(crate) struct Batch {
    room: Room,
    content: Mutex<Content>,
    /// The first that was met.
    dropped: OnceLock<Cause>,
    queue: Arc<Queue>,
    ledger: Arc<Ledger>,
    clock: Arc<Clock>,
    text: Option<usize>,
}

/// As it came until the first exporter asks, on whose thread it is converted: memory that one thread
/// allocates and another frees is dear.
struct Content {
    parts: Vec<Drained>,
    spans: Vec<SpanData>,
    /// Exporters that have not asked yet.
    takers: usize,
}

impl Batch {
    fn new(parts: Vec<Drained>, room: Room, takers: usize, maker: &Maker<'_>) -> Arc<Self> {
        let dropped = match takers {
            0 => OnceLock::from(Cause::NoExporter),
            _ => OnceLock::new(),
        };
        Arc::new(Batch {
            room,
            content: Mutex::new(Content {
                parts,
                spans: Vec::new(),
                takers,
            }),
            dropped,
            queue: Arc::clone(maker.queue),
            ledger: Arc::clone(maker.ledger),
            clock: Arc::clone(maker.clock),
            text: maker.text,
        })
    }

    pub(crate) fn room(&self) -> Room {
        self.room
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy for one exporter; the last one gets the spans themselves.
    pub(crate) fn take(&self) -> Vec<SpanData> {
        let mut content = self.content();
        content.takers = content.takers.saturating_sub(1);
        let parts = std::mem::take(&mut content.parts);
        if !parts.is_empty() {
            content.spans.reserve_exact(self.room.spans);
            let reading = self.clock.read();
            for mut part in parts {
                part.items.convert(&reading, self.text, &mut content.spans);
                self.queue.give_back(part);
            }
        }
        match content.takers {
            0 => std::mem::take(&mut content.spans),
            _ => content.spans.clone(),
        }
    }

    /// An exporter will not ask for it.
    pub(crate) fn pass(&self, cause: Cause) {
        self.drop_for(cause);
        let mut content = self.content();
        content.takers = content.takers.saturating_sub(1);
    }

    /// It is not exported, by one exporter at least.
    pub(crate) fn drop_for(&self, cause: Cause) {
        // The first cause stays.
        let _ = self.dropped.set(cause);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.queue.release(self.room);
        let dropped = self.dropped.get().copied();
        self.ledger.enter(self.room.spans, dropped);
        // Where there is no exporter, it is the worker who drops, and tells nobody.
        if dropped.is_some_and(|cause| cause != Cause::NoExporter) {
            self.queue.tell_of_drops();
        }
    }
}

/// Joins what was drained to batches.
pub(crate) struct Maker<'a> {
    pub(crate) queue: &'a Arc<Queue>,
    pub(crate) ledger: &'a Arc<Ledger>,
    pub(crate) clock: &'a Arc<Clock>,
    /// What a batch holds. A larger span has one of its own.
    pub(crate) most: Room,
    pub(crate) takers: usize,
    /// Characters of a text.
    pub(crate) text: Option<usize>,
}

impl Maker<'_> {
    pub(crate) fn batches(&self, all: Vec<Drained>, mut hand_over: impl FnMut(Arc<Batch>)) {
        let (mut parts, mut room) = (Vec::new(), Room::default());
        for drained in all {
            let size = drained.size;
            let fits = room.spans + size.spans <= self.most.spans
                && room.bytes + size.bytes <= self.most.bytes;
            if !fits && !parts.is_empty() {
                let full = (std::mem::take(&mut parts), std::mem::take(&mut room));
                hand_over(Batch::new(full.0, full.1, self.takers, self));
            }
            room.spans += size.spans;
            room.bytes += size.bytes;
            parts.push(drained);
        }
        if !parts.is_empty() {
            hand_over(Batch::new(parts, room, self.takers, self));
        }
    }
}
