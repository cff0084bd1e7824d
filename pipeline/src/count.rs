//! What became of the spans.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the spans that a pipeline has recorded.
///
/// At a quiet moment, when nothing is ended and nothing is on its way to an exporter,
/// `recorded == exported + dropped.total()`; else what is missing is `queued`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans that have ended and were sampled.
    pub recorded: u64,
    /// Spans that every exporter has taken.
    pub exported: u64,
    /// Spans that were not exported, by cause.
    pub dropped: Dropped,
    /// Spans that wait for export.
    pub queued: u64,
}

/// Spans that were not exported, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The queue held as many spans, or bytes, as its limits allow.
    pub queue_full: u64,
    /// An exporter answered with an error, or panicked.
    pub export_failed: u64,
    /// An exporter did not answer in time.
    pub export_timed_out: u64,
    /// They ended after the shutdown.
    pub after_shutdown: u64,
}

impl Dropped {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.queue_full + self.export_failed + self.export_timed_out + self.after_shutdown
    }
}

/// The part of the counts that the worker keeps.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) exported: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) timed_out: AtomicU64,
}

impl Ledger {
    pub(crate) fn add(counter: &AtomicU64, spans: usize) {
        counter.fetch_add(spans as u64, Ordering::Relaxed);
    }
}
