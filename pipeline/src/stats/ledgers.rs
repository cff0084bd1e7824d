//! All counts of a pipeline in one place, for its handle and its worker.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::queue::buffers::Tally;
use crate::queue::span_queue::Queue;
use crate::stats::counts::{Counts, Dropped, ExporterCounts, Ledger};

pub(crate) struct Accounts {
    pub(crate) queue: Arc<Queue>,
    /// Of all exporters together.
    pub(crate) all: Arc<Ledger>,
    /// Of each.
    pub(crate) each: Vec<Arc<Ledger>>,
    /// The process's, which also passes on the warnings of the process.
    pub(crate) is_installed: AtomicBool,
}

impl Accounts {
    pub(crate) fn counts(&self) -> Counts {
        let is_forked = self.queue.is_forked();
        // In this order: what is accepted meanwhile is queued, and nothing is exported before.
        let exported = self.all.counts().exported;
        let mut dropped = self.all.dropped();
        let tally = self.queue.tally();
        refuse(&mut dropped, tally);
        let done = exported + dropped.total();
        // In a forked child, some buffers may be locked for ever, and cannot be counted.
        let recorded = (tally.accepted + tally.full + tally.closed + tally.forked).max(done);
        let waiting = recorded - done;
        let queued = if is_forked { 0 } else { waiting };
        dropped.forked += waiting - queued;
        Counts {
            recorded,
            exported,
            dropped,
            queued,
            record_only: self.queue.record_only(),
        }
    }

    /// What was dropped until now, without a lock.
    pub(crate) fn dropped(&self) -> Dropped {
        let mut dropped = self.all.dropped();
        refuse(&mut dropped, self.queue.refused());
        dropped
    }

    pub(crate) fn exporters(&self) -> Vec<ExporterCounts> {
        self.each.iter().map(|ledger| ledger.counts()).collect()
    }
}

/// Adds what did not come into the buffers.
fn refuse(dropped: &mut Dropped, tally: Tally) {
    dropped.queue_full = tally.full;
    dropped.after_shutdown = tally.closed;
    dropped.forked = tally.forked;
}
