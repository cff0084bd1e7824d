//! All counts of a pipeline in one place, for its handle and its worker.

use std::sync::Arc;

use crate::buffer::Queue;
use crate::count::{Counts, Dropped, ExporterCounts, Ledger};
use crate::store::Tally;

pub(crate) struct Accounts {
    pub(crate) queue: Arc<Queue>,
    /// Of all exporters together.
    pub(crate) all: Arc<Ledger>,
    /// Of each.
    pub(crate) each: Vec<Arc<Ledger>>,
}

impl Accounts {
    pub(crate) fn counts(&self) -> Counts {
        let is_forked = self.queue.is_forked();
        // In this order: what is accepted meanwhile is queued, and nothing is exported before.
        let ledger = self.all.counts();
        let tally = self.queue.tally();
        let mut dropped = dropped(ledger, tally);
        let done = ledger.exported + dropped.total();
        // In a forked child, some buffers may be locked for ever, and cannot be counted.
        let recorded = (tally.accepted + tally.full + tally.closed + tally.forked).max(done);
        let waiting = recorded - done;
        let queued = match is_forked {
            true => 0,
            false => waiting,
        };
        dropped.forked += waiting - queued;
        Counts {
            recorded,
            exported: ledger.exported,
            dropped,
            queued,
            record_only: self.queue.record_only(),
        }
    }

    /// What was dropped until now, without a lock.
    pub(crate) fn dropped(&self) -> Dropped {
        dropped(self.all.counts(), self.queue.refused())
    }

    pub(crate) fn exporters(&self) -> Vec<ExporterCounts> {
        self.each.iter().map(|ledger| ledger.counts()).collect()
    }
}

fn dropped(ledger: ExporterCounts, tally: Tally) -> Dropped {
    Dropped {
        queue_full: tally.full,
        exporter_behind: ledger.behind,
        exporter_blocked: ledger.blocked,
        export_failed: ledger.failed,
        export_timed_out: ledger.timed_out,
        after_shutdown: tally.closed,
        forked: tally.forked,
    }
}
