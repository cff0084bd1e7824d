//! The only thread that touches the folder of a spool.

use std::io;
use std::sync::Arc;

use crate::export::exporter::Parts;
use crate::export::overflow::Surplus;
use crate::export::spool::spool_lane::SpoolLane;
use crate::export::spool::spool_queue::{SpoolQueue, SpoolWork};
use crate::export::spool::store::{Store, WriteFault};
use crate::host::suppression;
use crate::stats::counts::DropCause;

pub(super) struct SpoolThread {
    pub(super) queue: Arc<SpoolQueue>,
    pub(super) store: Store,
}

impl SpoolThread {
    pub(super) fn run(mut self) {
        suppression::make_quiet();
        self.scan();
        while let Some(work) = self.queue.next(self.store.sync_at()) {
            self.work(work);
        }
        self.sync();
    }

    fn work(&mut self, work: SpoolWork) {
        match work {
            SpoolWork::Write(lane, surplus) => {
                let written = self.write(&lane, surplus);
                self.queue.settle(written);
                self.report();
                self.announce(&lane);
            }
            SpoolWork::Lend(lane) => {
                let loan = self.store.lend(lane.number);
                let loan = self.check(loan).flatten();
                self.report();
                if let Some(outlet) = lane.outlet() {
                    outlet.lend(loan);
                }
            }
            SpoolWork::Remove(claim) => {
                let removed = self.store.remove(&claim);
                self.check(removed);
                self.report();
            }
            SpoolWork::Scan => self.scan(),
            SpoolWork::Sync => self.sync(),
            SpoolWork::Answer(ticket) => {
                self.sync();
                drop(ticket);
            }
        }
    }

    /// What became of the requests. Those that are not in it could not be written.
    fn write(&mut self, lane: &SpoolLane, surplus: Surplus) -> Parts {
        let mut parts = Parts::default();
        for request in &lane.requests(surplus).requests {
            if !self.queue.is_open() {
                break;
            }
            match self.store.write(lane.number, request) {
                Ok(()) => parts.drop_for(DropCause::Spooled, request.spans),
                Err(WriteFault::Full) => parts.drop_for(DropCause::SpoolFull, request.spans),
                Err(WriteFault::Failed(error)) => self.queue.turn_off(&error),
            }
        }
        parts
    }

    fn scan(&mut self) {
        let scanned = self.store.scan();
        self.check(scanned);
        self.report();
        for lane in self.queue.lanes() {
            self.announce(&lane);
        }
    }

    fn announce(&self, lane: &SpoolLane) {
        if !self.store.has_files(lane.number) {
            return;
        }
        if let Some(outlet) = lane.outlet() {
            outlet.has_more();
        }
    }

    fn sync(&mut self) {
        let synced = self.store.sync();
        self.check(synced);
    }

    /// Counts what was removed, and what is there.
    fn report(&mut self) {
        let lanes = self.queue.lanes();
        for (number, fate, count) in self.store.removed.drain(..) {
            // Another pipeline may have had more exporters.
            let lane = lanes.get(usize::from(number)).or(lanes.first());
            if let Some(lane) = lane {
                lane.ledger.spool.count(fate, count);
            }
        }
        for lane in &lanes {
            let waiting = self.store.waiting(lane.number);
            lane.ledger.spool.set_waiting(waiting);
        }
    }

    fn check<T>(&self, result: io::Result<T>) -> Option<T> {
        let result = result.map_err(|error| self.queue.turn_off(&error));
        result.ok()
    }
}

/// Also where a bug unwinds: nobody waits for it any longer.
impl Drop for SpoolThread {
    fn drop(&mut self) {
        self.queue.end();
    }
}
