//! What became of what is in a spool.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the spans in the folder of a spool. Only with the feature `spool`.
///
/// Processes can share a folder, and files outlive the process. So these counts are of the files that this
/// pipeline has sent or removed, and that any process has written. Of all pipelines that use a folder together,
/// `spooled == sent + refused + expired + evicted + waiting` at a quiet moment, unless files were broken or
/// removed by somebody else.
///
/// ```
/// use enter_span_pipeline::{Console, Pipeline};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// let spool = pipeline.counts().spool;
/// assert_eq!((spool.sent, spool.waiting), (0, 0), "this pipeline has no spool");
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolCounts {
    /// Spans in files that the receiver has taken.
    pub sent: u64,
    /// Spans in files that the receiver has refused for good, or rejected.
    pub refused: u64,
    /// Spans in files that were too old.
    pub expired: u64,
    /// Spans in the oldest files, which were removed to make room.
    pub evicted: u64,
    /// Files that were not whole, or had changed.
    pub broken_files: u64,
    /// Spans in the folder, as far as this pipeline knows.
    pub waiting: u64,
}

/// What became of the spans of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpoolFate {
    Sent,
    Refused,
    Expired,
    Evicted,
    /// A file, and not a span.
    Broken,
}

#[derive(Debug, Default)]
pub(crate) struct SpoolLedger {
    /// By fate.
    done: [AtomicU64; 5],
    waiting: AtomicU64,
}

impl SpoolLedger {
    pub(crate) fn count(&self, fate: SpoolFate, spans: usize) {
        self.done[fate as usize].fetch_add(spans as u64, Ordering::Relaxed);
    }

    #[cfg(all(feature = "spool", unix))]
    pub(crate) fn set_waiting(&self, spans: u64) {
        self.waiting.store(spans, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> SpoolCounts {
        let get = |fate: SpoolFate| self.done[fate as usize].load(Ordering::Relaxed);
        SpoolCounts {
            sent: get(SpoolFate::Sent),
            refused: get(SpoolFate::Refused),
            expired: get(SpoolFate::Expired),
            evicted: get(SpoolFate::Evicted),
            broken_files: get(SpoolFate::Broken),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }
}

impl SpoolCounts {
    /// Those of another exporter.
    pub(crate) fn add(&mut self, other: SpoolCounts) {
        self.sent += other.sent;
        self.refused += other.refused;
        self.expired += other.expired;
        self.evicted += other.evicted;
        self.broken_files += other.broken_files;
        self.waiting += other.waiting;
    }
}
