//! Where batches go that cannot wait in memory, as the exporters' threads see it. Without one, they are dropped.
#![cfg_attr(
    not(all(feature = "spool", unix)),
    expect(dead_code, reason = "only a spool makes one")
)]

use std::fs::File;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::export::attempt::Attempt;
use crate::export::batch::Batch;
use crate::export::control::FlushTicket;
use crate::export::exporter::{Export, Rest};
use crate::queue::budget::Size;
use crate::stats::counts::Ledger;
use crate::stats::warning_queue::WarningQueue;

/// What does not wait in memory any more.
pub(crate) enum Surplus {
    Batch(Batch),
    /// It was encoded for an export.
    Rest(Rest),
}

/// A request that was written earlier. It stays where it is until it is removed.
pub(crate) struct Loan {
    pub(super) rest: Rest,
    pub(super) claim: Claim,
}

/// Nobody else sends it as long as this is there.
pub(crate) struct Claim {
    pub(super) name: String,
    pub(super) spans: usize,
    #[expect(dead_code, reason = "its destructor is its use")]
    pub(super) lock: File,
}

/// Makes one for these exporters, or gives a warning.
pub(crate) type OpenOverflow =
    Box<dyn FnOnce(&[Box<dyn Export>]) -> Result<Arc<dyn Overflow>, String>>;

/// Of a pipeline.
pub(crate) trait Overflow: Send + Sync {
    /// The side of this exporter, if it can use it.
    fn lane(&self, exporter: &dyn Export, ledger: &Arc<Ledger>) -> Option<Arc<dyn OverflowLane>>;

    /// Begins to work, when all exporters have their sides.
    fn start(&self, warnings: &Arc<WarningQueue>) -> io::Result<()>;

    /// Waits until it has done what it was asked, for so long at most.
    fn wait(&self, most: Duration);

    /// Nobody waits any longer: what is not done is dropped.
    fn end_late(&self);

    /// Ends when all is done.
    fn close(&self);
}

/// The side of one exporter. Nothing here waits for a disk.
pub(crate) trait OverflowLane: Send + Sync {
    fn connect(&self, outlet: Weak<dyn Outlet>);

    /// Whether it takes batches.
    fn is_open(&self) -> bool;

    /// As the exporter sends it.
    fn encode(&self, batch: Batch) -> Rest;

    /// Takes a batch, counts what becomes of it, and then releases its room.
    fn put(&self, surplus: Surplus, attempt: Attempt);

    /// Drops it when all is done that was asked before.
    fn pass(&self, ticket: Arc<FlushTicket>);

    /// Asks for a loan, which comes later.
    fn ask(&self);

    /// The receiver is done with it.
    fn remove(&self, claim: Claim);

    /// Looks from time to time for what others have left.
    fn look_around(&self);
}

/// The exporter, as the overflow sees it.
pub(crate) trait Outlet: Send + Sync {
    /// So much does not wait any more.
    fn release(&self, room: Size);

    /// There is something to ask for.
    fn has_more(&self);

    /// What it asked for, if there is any.
    fn lend(&self, loan: Option<Loan>);
}
