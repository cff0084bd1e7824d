//! What is not exported any more is dropped, and counted for its exporter.

use crate::export::attempt::Attempt;
use crate::export::backlog::{Job, Task};
use crate::export::export_state::CurrentTask;
use crate::export::exporter::ExportResult;
use crate::stats::counts::{DropCause, Ledger};

/// What is said of a bug that has ended a thread.
pub(super) const THREAD_DIED: &str =
    "the exporter's thread has panicked, which is a fault of `enter-span-pipeline`";

/// What waits for an exporter.
pub(super) type Left = (Vec<Attempt>, Vec<Job>);

pub(super) fn drop_attempts(attempts: Vec<Attempt>, cause: DropCause, ledger: &Ledger) {
    for attempt in attempts {
        attempt.drop_for(cause, ledger);
    }
}

/// In this order: a flush that waits behind a batch is answered after it.
pub(super) fn drop_left((attempts, tickets): Left, cause: DropCause, ledger: &Ledger) {
    drop_attempts(attempts, cause, ledger);
    drop(tickets);
}

/// What an exporter is at.
pub(super) fn drop_current(current: Option<CurrentTask>, cause: DropCause, ledger: &Ledger) {
    match current.map(|current| current.task) {
        Some(Task::Export(attempt)) => attempt.drop_for(cause, ledger),
        ticket => drop(ticket),
    }
}

/// The exporter gives no answer to what it is at.
pub(super) fn time_out(current: CurrentTask, ledger: &Ledger) {
    if let Task::Export(attempt) = current.task {
        ledger.set_last(ExportResult::TimedOut.error().map_or(Ok(None), Err));
        attempt.drop_for(DropCause::TimedOut, ledger);
    }
}
