//! What becomes of an exporter's work when nobody waits for its thread any longer: it blocks, it has panicked, or
//! the time of a shutdown is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::export::attempt::Attempt;
use crate::export::backlog::{Job, Leaving, Task};
use crate::export::export_state::CurrentTask;
use crate::export::export_thread::ExportThread;
use crate::export::exporter::ExportResult;
use crate::export::overflow::{Outlet as _, Surplus};
use crate::host::unwind::silenced;
use crate::stats::counts::DropCause;

/// The message for a bug that has ended a thread.
const THREAD_DIED: &str =
    "the exporter's thread has panicked, which is a fault of `enter-span-pipeline`";

/// What waits, and is not exported any more.
type Left = (Vec<Leaving>, Vec<Job>);

/// A thread that cancels a future at its deadline does so a little after it.
const GRACE: Duration = Duration::from_millis(100);

impl ExportThread {
    /// The worker's side: abandons a thread that blocks. Gives when to look again; nothing, if there is
    /// nothing to wait for.
    pub(crate) fn watch(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        let Some(current) = state.current.as_mut() else {
            return state.next_deadline(now, self.limits.export_timeout);
        };
        let deadline = current.deadline?;
        if now < deadline {
            return Some(deadline);
        }
        if !current.has_grace {
            current.has_grace = true;
            current.deadline = now.checked_add(GRACE);
            return current.deadline;
        }
        // All of it under one lock: a thread that comes back afterwards may serve immediately.
        let current = state.current.take();
        let next = state.replace();
        let left = match next {
            Some(_) => Left::default(),
            None => state.backlog.take_all(self.limits.batch()),
        };
        let deadline = state.next_deadline(now, self.limits.export_timeout);
        drop(state);
        self.time_out(current);
        self.drop_left(left, DropCause::Blocked);
        if next.is_some_and(|successor| self.spawn(successor).is_err()) {
            self.abandon();
        }
        deadline
    }

    /// Stops serving: what waits is dropped immediately.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.server = None;
        let current = state.current.take();
        let left = state.backlog.take_all(self.limits.batch());
        drop(state);
        self.time_out(current);
        self.drop_left(left, DropCause::Blocked);
    }

    /// A bug of ours has ended a thread: its batch is lost. Another one takes its place, but not for ever.
    pub(super) fn replace_dead(self: &Arc<Self>, number: u64) {
        let _held = self.control.hold_spans();
        let mut state = self.state();
        if state.server != Some(number) {
            return;
        }
        let (current, next) = (state.current.take(), state.replace_dead());
        drop(state);
        let mut warning = THREAD_DIED.to_owned();
        self.ledger.die(&warning);
        self.record_error(Some(warning.clone()));
        self.lose_current(current, DropCause::ThreadDied);
        let is_replaced = next.is_some_and(|successor| self.spawn(successor).is_ok());
        if !is_replaced {
            self.end(DropCause::ThreadDied);
            warning.push_str(": no spans are exported by this exporter any more");
        }
        self.control.add_warning(warning);
    }

    /// What the exporter is at, what waits and what may come are dropped for this: the time of a shutdown is
    /// over, or threads have panicked.
    pub(crate) fn end(&self, cause: DropCause) {
        let mut state = self.state();
        state.server = None;
        state.is_over = true;
        state.refusal = Some(cause);
        let current = state.current.take();
        let left = state.backlog.take_all(self.limits.batch());
        let kept = state.exporter.take();
        drop(state);
        self.has_job.notify_all();
        self.lose_current(current, cause);
        self.drop_left(left, cause);
        silenced(|| drop(kept));
    }

    fn time_out(&self, current: Option<CurrentTask>) {
        if let Some(current) = current {
            let error = ExportResult::TimedOut.error();
            self.record_error(error.clone());
            self.ledger.set_last(error.map_or(Ok(None), Err));
            self.lose_current(Some(current), DropCause::TimedOut);
        }
    }

    /// Nobody waits for the exporter to end this.
    fn lose_current(&self, current: Option<CurrentTask>, cause: DropCause) {
        match current {
            Some(CurrentTask {
                task: Task::Export(attempt),
                rest,
                ..
            }) => {
                self.state().backlog.leave(attempt.room());
                let surplus = match rest {
                    Some(rest) => Surplus::Rest(rest),
                    None => {
                        self.lose(attempt, cause);
                        return;
                    }
                };
                self.part_with(vec![(surplus, attempt)], cause);
            }
            other => self.outflow.pass(other.map(|current| current.task)),
        }
    }

    /// In this order: a flush that waits behind a batch is answered after it.
    fn drop_left(&self, (leaving, tickets): Left, cause: DropCause) {
        self.part_with(leaving, cause);
        for ticket in tickets {
            if let Job::Flush(ticket) | Job::ShutDown(ticket) = ticket {
                self.outflow.pass(Some(Task::Answer(ticket)));
            }
        }
    }

    /// Batches that do not wait here any longer.
    pub(super) fn part_with(&self, leaving: Vec<Leaving>, cause: DropCause) {
        let lost = self.outflow.part_with(leaving, cause);
        self.release(lost);
    }

    fn lose(&self, attempt: Attempt, cause: DropCause) {
        let room = attempt.room();
        attempt.drop_for(cause, &self.ledger);
        self.release(room);
    }
}
