//! One exporter and the thread that runs it. `backlog.rs` has what waits for it.
//!
//! Exporters run side by side: one that is slow, hangs or blocks its thread delays no other. Its batches
//! stay in memory up to its share of the queue; beyond that they are dropped for this exporter alone. If
//! all others use their share, there is room left for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Instant;

use crate::export::attempt::Attempt;
use crate::export::backlog::{Due, Fate, Job, Task, Work};
use crate::export::control::Control;
use crate::export::export_state::{CurrentTask, ExportState, Successor};
use crate::export::exporter::{self, Export, ExportResult, Rest};
use crate::export::outflow::Outflow;
use crate::export::overflow::{Claim, OverflowLane};
use crate::host::suppression;
use crate::host::unwind::silenced;
use crate::queue::budget::Size;
use crate::queue::limit::Limits;
use crate::stats::counts::{DropCause, Ledger};

pub(crate) struct ExportThread {
    pub(super) control: Arc<Control>,
    pub(super) ledger: Arc<Ledger>,
    /// What may wait here.
    pub(super) share: Size,
    pub(super) limits: Limits,
    pub(super) outflow: Outflow,
    pub(super) state: Mutex<ExportState>,
    pub(super) has_job: Condvar,
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

impl ExportThread {
    pub(crate) fn new(
        exporter: Arc<dyn Export>,
        control: &Arc<Control>,
        ledger: &Arc<Ledger>,
        limits: Limits,
        exporters: usize,
        overflow: Option<Arc<dyn OverflowLane>>,
    ) -> Arc<Self> {
        let export_thread = Arc::new(ExportThread {
            control: Arc::clone(control),
            ledger: Arc::clone(ledger),
            share: limits.share(exporters),
            limits,
            outflow: Outflow::new(overflow, ledger),
            state: Mutex::new(ExportState::new(exporter)),
            has_job: Condvar::new(),
        });
        let outlet: Weak<ExportThread> = Arc::downgrade(&export_thread);
        export_thread.outflow.connect(outlet);
        export_thread
    }

    /// Gives it a thread.
    pub(crate) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let next = self.state().serve_next();
        next.map_or(Ok(()), |successor| self.spawn(successor))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ExportState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spawn(self: &Arc<Self>, (number, exporter): Successor) -> std::io::Result<()> {
        let export_thread = Arc::clone(self);
        thread::Builder::new()
            .name("enter_span_export".to_owned())
            .spawn(move || export_thread.serve(number, exporter))
            .map(drop)
    }

    /// Never waits. A job that the exporter cannot take is dropped for it, and counted.
    pub(crate) fn enqueue(&self, job: Job) {
        let mut state = self.state();
        let (mut evicted, mut leaving) = (Vec::new(), Vec::new());
        if let Job::Export(portion) = &job {
            let (size, backlog) = (portion.size(), &mut state.backlog);
            self.ledger.offer(size.spans);
            if self.outflow.is_open() {
                leaving = backlog.overflow(size, self.share, self.limits.batch());
            } else {
                evicted = backlog.evict(size, self.share);
            }
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
        self.part_with(leaving, DropCause::Evicted);
        if !evicted.is_empty() {
            // Why it is away.
            self.record_error(self.ledger.last().and_then(Result::err));
        }
        self.drop_attempts(evicted, DropCause::Evicted);
        if let (Some(Job::Export(portion)), Some(cause)) = (refused, cause) {
            Attempt::from(portion).drop_for(cause, &self.ledger);
        }
    }

    fn drop_attempts(&self, attempts: Vec<Attempt>, cause: DropCause) {
        for attempt in attempts {
            attempt.drop_for(cause, &self.ledger);
        }
    }

    fn serve(self: Arc<Self>, number: u64, exporter: Arc<dyn Export>) {
        suppression::make_quiet();
        self.control.register_thread();
        let mut serving = Serving(&self, number);
        while let Some(work) = self.next(serving.1) {
            #[cfg(test)]
            self.control.of_export.may_panic();
            let (is_last, result) = self.run(serving.1, &*exporter, work);
            if is_last {
                self.record_error(result.error());
                break;
            }
            match self.finish(serving.1, result) {
                Some(again) => serving.1 = again,
                None => break,
            }
        }
        self.leave(serving.1, exporter);
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
                Due::Now if state.backlog.asks() => {
                    self.outflow.ask();
                    continue;
                }
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
            rest: None,
        });
        Some(work)
    }

    /// Returns also whether this was the last work.
    fn run(&self, number: u64, exporter: &dyn Export, work: Work) -> (bool, ExportResult) {
        let timeout = self.limits.export_timeout;
        let resume = |rest: Rest| {
            self.keep(number, &rest);
            exporter::resume(exporter, rest, timeout)
        };
        match work {
            Work::Export(batch) => {
                let result = match silenced(|| self.outflow.encode(batch)) {
                    Some(Ok(rest)) => resume(rest),
                    Some(Err(batch)) => exporter::export(exporter, batch, timeout),
                    None => exporter::panicked(),
                };
                (false, result)
            }
            Work::Resume(rest) => (false, resume(rest)),
            Work::Flush => (false, exporter::flush(exporter)),
            Work::ShutDown => {
                self.record_error(exporter::flush(exporter).error());
                (true, exporter::shut_down(exporter, timeout))
            }
        }
    }

    fn keep(&self, number: u64, rest: &Rest) {
        let mut state = self.state();
        if self.outflow.exists() && state.server == Some(number) {
            let current = state.current.as_mut();
            if let Some(current) = current {
                current.rest = Some(rest.clone());
            }
        }
    }

    /// Returns the number with which the thread goes on.
    fn finish(&self, number: u64, result: ExportResult) -> Option<u64> {
        let _held = self.control.hold_spans();
        let mut state = self.state();
        if state.server != Some(number) {
            return state.resume();
        }
        match state.current.take().map(|current| current.task) {
            Some(Task::Export(attempt)) => self.answer(state, attempt, result),
            Some(Task::Loan(claim)) => self.answer_loan(state, claim, result),
            other => {
                drop(state);
                self.record_error(result.error());
                self.outflow.pass(other);
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
                    Fate::Over(attempt, delayed) if self.outflow.is_open() => {
                        let limit = self.limits.batch();
                        let leaving = state.backlog.give_up(attempt, delayed.rest, limit);
                        drop(state);
                        self.ledger.set_last(Err(delayed.reason.clone()));
                        self.record_error(Some(delayed.reason));
                        self.part_with(leaving, delayed.cause);
                        return;
                    }
                    Fate::Over(attempt, delayed) => {
                        let parts = attempt.give_up(&delayed);
                        (attempt, parts, delayed.rest.requests())
                    }
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
        #[cfg(test)]
        self.control.of_export.may_stop();
        self.ledger.give_up(given_up);
        self.record_error(attempt.complete(parts, &self.ledger));
        self.outflow.look_around();
    }

    /// What was written earlier is gone, or stays where it is.
    fn answer_loan(
        &self,
        mut state: MutexGuard<'_, ExportState>,
        claim: Claim,
        result: ExportResult,
    ) {
        if let ExportResult::Delayed(delayed) = result {
            let most = self.limits.retry_time;
            state.backlog.postpone_loan(delayed.pause, most);
            drop(state);
            self.ledger.retry(&delayed.reason);
            return;
        }
        state.backlog.has_answer();
        drop(state);
        let error = self.outflow.settle(claim, result);
        self.record_error(error);
    }

    pub(super) fn record_error(&self, error: Option<String>) {
        if let Some(error) = error {
            self.control.set_last_error(error);
        }
    }

    /// The exporter goes with the last of its threads; what was asked of it last is done then.
    fn leave(&self, number: u64, exporter: Arc<dyn Export>) {
        let mut state = self.state();
        let is_server = state.server == Some(number);
        let mut kept = None;
        if is_server {
            state.is_over = true;
            kept = state.exporter.take();
        }
        drop(state);
        silenced(|| drop((kept, exporter)));
        if is_server {
            let current = self.state().current.take();
            self.outflow.pass(current.map(|current| current.task));
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
