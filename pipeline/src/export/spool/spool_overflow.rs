//! A spool, as the pipeline and the exporters' threads have it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::export::attempt::Attempt;
use crate::export::batch::Batch;
use crate::export::control::FlushTicket;
use crate::export::exporter::{Export, Rest};
use crate::export::overflow::{Claim, Outlet, Overflow, OverflowLane, Surplus};
use crate::export::spool::settings::Spool;
use crate::export::spool::spool_lane::SpoolLane;
use crate::export::spool::spool_queue::{SpoolJob, SpoolQueue};
use crate::export::spool::spool_thread::SpoolThread;
use crate::export::spool::store::Store;
use crate::stats::counts::Ledger;
use crate::stats::warning_queue::WarningQueue;

pub(super) struct SpoolOverflow {
    queue: Arc<SpoolQueue>,
    /// Until its thread has it.
    store: Mutex<Option<Store>>,
}

/// Of one exporter.
struct Side {
    lane: Arc<SpoolLane>,
    queue: Arc<SpoolQueue>,
}

impl SpoolOverflow {
    /// # Errors
    ///
    /// Why the folder cannot be used, and what to do.
    pub(super) fn open(spool: Spool) -> Result<Self, String> {
        let folder = format!("{:?}", spool.folder);
        let store = Store::open(spool)
            .map_err(|reason| format!("spans are not kept in the spool {folder}: {reason}"))?;
        Ok(SpoolOverflow {
            queue: Arc::new(SpoolQueue::new(folder)),
            store: Mutex::new(Some(store)),
        })
    }
}

impl Overflow for SpoolOverflow {
    fn lane(&self, exporter: &dyn Export, ledger: &Arc<Ledger>) -> Option<Arc<dyn OverflowLane>> {
        let encoder = exporter.encoder()?;
        let make = |number| SpoolLane::new(number, encoder, ledger);
        Some(Arc::new(Side {
            lane: self.queue.add_lane(make)?,
            queue: Arc::clone(&self.queue),
        }))
    }

    fn start(&self, warnings: &Arc<WarningQueue>) -> io::Result<()> {
        self.queue.set_warnings(warnings);
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(store) = store.take() else {
            return Ok(());
        };
        let queue = Arc::clone(&self.queue);
        // Also dropped, it ends the queue.
        let spool_thread = SpoolThread { queue, store };
        let builder = thread::Builder::new().name("enter_span_spool".to_owned());
        builder.spawn(move || spool_thread.run()).map(drop)
    }

    fn wait(&self, most: Duration) {
        self.queue.wait(most);
    }

    fn end_late(&self) {
        self.queue.end_late();
    }

    fn close(&self) {
        self.queue.close();
    }
}

impl OverflowLane for Side {
    fn connect(&self, outlet: Weak<dyn Outlet>) {
        self.lane.connect(outlet);
    }

    fn is_open(&self) -> bool {
        self.queue.is_open()
    }

    fn encode(&self, batch: Batch) -> Rest {
        self.lane.encode(batch)
    }

    fn put(&self, surplus: Surplus, attempt: Attempt) {
        let lane = Arc::clone(&self.lane);
        self.queue.push(SpoolJob::Write(lane, surplus, attempt));
    }

    fn pass(&self, ticket: Arc<FlushTicket>) {
        self.queue.push(SpoolJob::Answer(ticket));
    }

    fn ask(&self) {
        self.queue.push(SpoolJob::Lend(Arc::clone(&self.lane)));
    }

    fn remove(&self, claim: Claim) {
        self.queue.push(SpoolJob::Remove(claim));
    }

    fn look_around(&self) {
        if self.queue.is_scan_due() {
            self.queue.push(SpoolJob::Scan);
        }
    }
}
