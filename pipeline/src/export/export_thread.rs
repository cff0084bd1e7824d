//! One exporter and the thread that runs it. `backlog.rs` has what waits for it.
//!
//! Exporters run side by side: one that is slow, hangs or blocks its thread delays no other. Its batches
//! stay in memory up to its share of the queue; beyond that they are dropped for this exporter alone. If
//! all others use their share, there is room left for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::export::attempt::Attempt;
use crate::export::backlog::{Due, Fate, Job, Task, Work};
use crate::export::control::Control;
use crate::export::export_state::{CurrentTask, ExportState, Successor};
use crate::export::exporter::{self, Export, ExportResult};
use crate::export::loss::{self, Left};
use crate::host::suppression;
use crate::host::unwind::silenced;
use crate::queue::budget::Size;
use crate::queue::limit::Limits;
use crate::stats::counts::{DropCause, Ledger};

pub(crate) struct ExportThread {
    control: Arc<Control>,
    ledger: Arc<Ledger>,
    /// What may wait here.
    share: Size,
    limits: Limits,
    state: Mutex<ExportState>,
    has_job: Condvar,
}

/// The number with which a thread serves. Dropped by a panic, it is replaced.
struct Serving<'a>(&'a Arc<ExportThread>, u64);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.replace_dead(self.1);
            self.0.control.unregister_thread();
        }
    }
}

/// A thread that cancels a future at its deadline does so a little after it.
const GRACE: Duration = Duration::from_millis(100);

impl ExportThread {
    pub(crate) fn new(
        exporter: Arc<dyn Export>,
        control: &Arc<Control>,
        ledger: &Arc<Ledger>,
        limits: Limits,
        exporters: usize,
    ) -> Arc<Self> {
        Arc::new(ExportThread {
            control: Arc::clone(control),
            ledger: Arc::clone(ledger),
            share: limits.share(exporters),
            limits,
            state: Mutex::new(ExportState::new(exporter)),
            has_job: Condvar::new(),
        })
    }

    /// Gives it a thread.
    pub(crate) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let next = self.state().serve_next();
        next.map_or(Ok(()), |successor| self.spawn(successor))
    }

    fn state(&self) -> MutexGuard<'_, ExportState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, (number, exporter): Successor) -> std::io::Result<()> {
        let export_thread = Arc::clone(self);
        thread::Builder::new()
            .name("enter_span_export".to_owned())
            .spawn(move || export_thread.serve(number, exporter))
            .map(drop)
    }

    /// Never waits. A job that the exporter cannot take is dropped for it, and counted.
    pub(crate) fn enqueue(&self, job: Job) {
        let mut state = self.state();
        let mut evicted = Vec::new();
        if let Job::Export(portion) = &job {
            self.ledger.offer(portion.size().spans);
            evicted = state.backlog.evict(portion.size(), self.share);
        }
        let cause = state.refuses(&job, self.share);
        let refused = match cause {
            Some(_) => Some(job),
            None => {
                state.backlog.push(job);
                None
            }
        };
        drop(state);
        self.has_job.notify_one();
        if !evicted.is_empty() {
            // Why it is away.
            self.record_error(self.ledger.last().and_then(Result::err));
        }
        loss::drop_attempts(evicted, DropCause::Evicted, &self.ledger);
        if let (Some(Job::Export(portion)), Some(cause)) = (refused, cause) {
            Attempt::from(portion).drop_for(cause, &self.ledger);
        }
    }

    fn serve(self: Arc<Self>, number: u64, exporter: Arc<dyn Export>) {
        suppression::make_quiet();
        self.control.register_thread();
        let mut serving = Serving(&self, number);
        while let Some(work) = self.next(serving.1) {
            #[cfg(test)]
            self.control.export_fault.strike();
            let (is_last, result) = self.run(&*exporter, work);
            if is_last {
                self.record_error(result.error());
                break;
            }
            match self.finish(serving.1, result) {
                Some(again) => serving.1 = again,
                None => break,
            }
        }
        self.release(serving.1, exporter);
        drop(serving);
        self.control.unregister_thread();
    }

    fn next(&self, number: u64) -> Option<Work> {
        let mut state = self.state();
        loop {
            if state.server != Some(number) || state.is_over && state.backlog.is_empty() {
                return None;
            }
            state = match state.backlog.due() {
                Due::Now => break,
                Due::At(time) => {
                    let pause = time.saturating_duration_since(Instant::now());
                    let waited = self.has_job.wait_timeout(state, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Due::Never => {
                    let waited = self.has_job.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        let (work, task) = state.backlog.take(self.limits.batch())?;
        state.current = Some(CurrentTask {
            task,
            // A time that is too far for the clock is none.
            deadline: Instant::now().checked_add(self.limits.export_timeout),
            has_grace: false,
        });
        Some(work)
    }

    /// Returns also whether this was the last work.
    fn run(&self, exporter: &dyn Export, work: Work) -> (bool, ExportResult) {
        let timeout = self.limits.export_timeout;
        match work {
            Work::Export(batch) => (false, exporter::export(exporter, batch, timeout)),
            Work::Resume(rest) => (false, exporter::resume(exporter, rest, timeout)),
            Work::Flush => (false, exporter::flush(exporter)),
            Work::ShutDown => {
                self.record_error(exporter::flush(exporter).error());
                (true, exporter::shut_down(exporter, timeout))
            }
        }
    }

    /// Returns the number with which the thread goes on.
    fn finish(&self, number: u64, result: ExportResult) -> Option<u64> {
        let mut state = self.state();
        if state.server != Some(number) {
            return state.resume();
        }
        match state.current.take().map(|current| current.task) {
            Some(Task::Export(attempt)) => self.answer(state, attempt, result),
            other => {
                drop(state);
                self.record_error(result.error());
                drop(other);
            }
        }
        Some(number)
    }

    /// A batch is exported or dropped, or waits for another try.
    fn answer(
        &self,
        mut state: MutexGuard<'_, ExportState>,
        attempt: Attempt,
        result: ExportResult,
    ) {
        let (attempt, parts, given_up) = match result {
            ExportResult::Delayed(delayed) => {
                let fate = state
                    .backlog
                    .postpone(attempt, delayed, self.limits.retry_time);
                match fate {
                    Fate::Again(reason) => {
                        drop(state);
                        self.ledger.retry(&reason);
                        return;
                    }
                    Fate::GivenUp(attempt, parts, requests) => (attempt, parts, requests),
                }
            }
            result => {
                state.backlog.has_answer();
                let parts = result.into_parts(attempt.spans());
                (attempt, parts, 0)
            }
        };
        state.backlog.release(attempt.room());
        drop(state);
        self.ledger.give_up(given_up);
        let error = attempt.complete(parts, &self.ledger);
        self.record_error(error);
    }

    fn record_error(&self, error: Option<String>) {
        if let Some(error) = error {
            self.control.set_last_error(error);
        }
    }

    /// The exporter goes with the last of its threads; what was asked of it last is done then.
    fn release(&self, number: u64, exporter: Arc<dyn Export>) {
        let mut state = self.state();
        let is_server = state.server == Some(number);
        let (mut kept, mut current) = (None, None);
        if is_server {
            state.is_over = true;
            kept = state.exporter.take();
        }
        drop(state);
        silenced(|| drop(kept));
        silenced(|| drop(exporter));
        if is_server {
            current = self.state().take_current();
        }
        drop(current);
    }

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
        // All of it under one lock: a thread that comes back afterwards may serve at once.
        let current = state.take_current();
        let next = state.replace();
        let left = match next {
            Some(_) => Left::default(),
            None => state.backlog.take_all(),
        };
        let deadline = state.next_deadline(now, self.limits.export_timeout);
        drop(state);
        self.time_out(current);
        loss::drop_left(left, DropCause::Blocked, &self.ledger);
        if next.is_some_and(|successor| self.spawn(successor).is_err()) {
            self.abandon();
        }
        deadline
    }

    /// Stops serving: what waits is dropped immediately.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.server = None;
        let (current, left) = (state.take_current(), state.backlog.take_all());
        drop(state);
        self.time_out(current);
        loss::drop_left(left, DropCause::Blocked, &self.ledger);
    }

    /// A bug of ours has ended a thread: its batch is lost. Another one takes its place, but not for ever.
    fn replace_dead(self: &Arc<Self>, number: u64) {
        let mut state = self.state();
        if state.server != Some(number) {
            return;
        }
        let (current, next) = (state.take_current(), state.replace_dead());
        drop(state);
        let mut warning = loss::THREAD_DIED.to_owned();
        self.ledger.die(&warning);
        self.record_error(Some(warning.clone()));
        loss::drop_current(current, DropCause::ThreadDied, &self.ledger);
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
        let (current, left) = (state.take_current(), state.backlog.take_all());
        let kept = state.exporter.take();
        drop(state);
        self.has_job.notify_all();
        loss::drop_current(current, cause, &self.ledger);
        loss::drop_left(left, cause, &self.ledger);
        silenced(|| drop(kept));
    }

    fn time_out(&self, current: Option<CurrentTask>) {
        if let Some(current) = current {
            self.record_error(ExportResult::TimedOut.error());
            loss::time_out(current, &self.ledger);
        }
    }

    /// Nothing more is asked. A thread that comes back later ends.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_over = true;
        let kept = state.exporter.take();
        drop(state);
        self.has_job.notify_all();
        silenced(|| drop(kept));
    }
}
