//! What the counters of all pipelines say together.

use enter_span_pipeline::Counts;

#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) pipelines: u64,
    pub(crate) flushes: u64,
    pub(crate) recorded: u64,
    pub(crate) exported: u64,
    pub(crate) dropped: u64,
    pub(crate) shutdown_timed_out: u64,
    pub(crate) queued: u64,
    pub(crate) retried: u64,
    pub(crate) given_up: u64,
    pub(crate) spooled: u64,
    /// At shutdowns whose time was over: their requests may be on their way all the same.
    pub(crate) spooled_late: u64,
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
    pub(crate) broken_files: u64,
    /// In the folder, as the last pipeline sees it.
    pub(crate) waiting: u64,
    pub(crate) files: usize,
}

impl Totals {
    /// Adds a pipeline by its counts before and after its shutdown.
    pub(crate) fn add(&mut self, before: Counts, after: Counts, is_late: bool) {
        self.pipelines += 1;
        self.recorded += after.recorded;
        self.exported += after.exported;
        self.dropped += after.dropped.total();
        self.shutdown_timed_out += after.dropped.shutdown_timed_out;
        self.queued += after.queued;
        self.retried += after.retried;
        self.given_up += after.given_up;
        self.spooled += after.spooled;
        if is_late {
            self.spooled_late += after.spooled - before.spooled;
        }
        self.sent += after.spool.sent;
        self.refused += after.spool.refused;
        self.expired += after.spool.expired;
        self.evicted += after.spool.evicted;
        self.broken_files += after.spool.broken_files;
        self.waiting = after.spool.waiting;
    }
}
