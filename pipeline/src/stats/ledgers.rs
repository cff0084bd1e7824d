//! All counts of a pipeline in one place, for its handle and its worker.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::queue::push_result::QueueCounts;
use crate::queue::span_queue::SpanQueue;
use crate::stats::counts::{Counts, Dropped, ExporterCounts, Ledger};
use crate::stats::keep_counts::KeepLedger;
use crate::stats::spool_counts::SpoolCounts;

pub(crate) struct Ledgers {
    pub(crate) queue: Arc<SpanQueue>,
    /// Of all exporters together.
    pub(crate) all: Arc<Ledger>,
    /// Of each.
    pub(crate) each: Vec<Arc<Ledger>>,
    /// Of the decisions about traces.
    pub(crate) keep: Arc<KeepLedger>,
    /// The process's, which also passes on the warnings of the process.
    pub(crate) is_installed: AtomicBool,
}

impl Ledgers {
    pub(crate) fn counts(&self) -> Counts {
        let is_forked = self.queue.buffers.is_forked();
        // In this order: what is accepted meanwhile is queued, and nothing is exported before.
        let ExporterCounts {
            exported, spooled, ..
        } = self.all.counts();
        let not_kept = self.all.not_kept();
        let mut dropped = self.all.dropped();
        let undecided = self.keep.undecided();
        let counts = self.queue.buffers.counts();
        refuse(&mut dropped, counts);
        let done = exported + dropped.total() + spooled + not_kept;
        // In a forked child, some buffers may be locked for ever, and cannot be counted.
        let recorded = (counts.accepted + counts.full + counts.closed + counts.forked).max(done);
        let waiting = recorded - done;
        let waiting_here = if is_forked { 0 } else { waiting };
        dropped.forked += waiting - waiting_here;
        // Some of them may be decided, and exported, in the meantime.
        let undecided = undecided.min(waiting_here);
        Counts {
            recorded,
            exported,
            dropped,
            spooled,
            not_kept,
            undecided,
            queued: waiting_here - undecided,
            keep: self.keep.counts(),
            record_only: self.queue.record_only(),
            retried: self.sum(|counts| counts.retried),
            given_up: self.sum(|counts| counts.given_up),
            spool: self.spool(),
        }
    }

    fn spool(&self) -> SpoolCounts {
        let mut all = SpoolCounts::default();
        for ledger in &self.each {
            all.add(ledger.spool.counts());
        }
        all
    }

    fn sum(&self, count: impl Fn(ExporterCounts) -> u64) -> u64 {
        self.each.iter().map(|ledger| count(ledger.counts())).sum()
    }

    /// What was dropped until now, without a lock.
    pub(crate) fn dropped(&self) -> Dropped {
        let mut dropped = self.all.dropped();
        refuse(&mut dropped, self.queue.buffers.refused());
        dropped
    }

    pub(crate) fn exporters(&self) -> Vec<ExporterCounts> {
        self.each.iter().map(|ledger| ledger.counts()).collect()
    }
}

/// Adds what did not come into the buffers.
fn refuse(dropped: &mut Dropped, counts: QueueCounts) {
    dropped.queue_full = counts.full;
    dropped.after_shutdown = counts.closed;
    dropped.forked = counts.forked;
}
