//! One exporter and the thread that runs it. `export_state.rs` decides which jobs it takes.
//!
//! Exporters run side by side: one that is slow, hangs or blocks its thread delays no other. Its batches
//! stay in memory up to its share of the queue; beyond that they are dropped for this exporter alone. If
//! all others use their share, there is room left for it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::export::batch::Batch;
use crate::export::control::Control;
use crate::export::export_state::{CurrentJob, ExportState, Job, Successor};
use crate::export::exporter::{self, Export, ExportResult};
use crate::host::suppression;
use crate::host::unwind::silenced;
use crate::queue::budget::Size;
use crate::stats::counts::{DropCause, Ledger};

pub(crate) struct ExportThread {
    control: Arc<Control>,
    ledger: Arc<Ledger>,
    /// What may wait here.
    share: Size,
    /// For each call of the exporter.
    timeout: Duration,
    state: Mutex<ExportState>,
    has_job: Condvar,
}

/// What a thread does without a lock.
enum Work {
    Export(Arc<Batch>),
    Flush,
    ShutDown,
}

/// A thread that cancels a future at its deadline does so a little after it.
const GRACE: Duration = Duration::from_millis(100);

impl ExportThread {
    pub(crate) fn new(
        exporter: Arc<dyn Export>,
        control: &Arc<Control>,
        ledger: &Arc<Ledger>,
        share: Size,
        timeout: Duration,
    ) -> Arc<Self> {
        Arc::new(ExportThread {
            control: Arc::clone(control),
            ledger: Arc::clone(ledger),
            share,
            timeout,
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
        if let Job::Export(batch) = &job {
            self.ledger.offer(batch.size().spans);
        }
        match state.refuses(&job, self.share) {
            Some(cause) => {
                drop(state);
                self.refuse(job, cause);
            }
            None => {
                let mut hurried = None;
                match &job {
                    Job::Export(batch) => state.add(batch.size()),
                    Job::Flush(_) => {}
                    Job::ShutDown(_) => hurried = state.exporter.clone(),
                }
                state.jobs.push_back(job);
                self.has_job.notify_one();
                drop(state);
                if let Some(exporter) = hurried {
                    // It may be the last to drop it.
                    silenced(move || {
                        exporter.hurry();
                        drop(exporter);
                    });
                }
            }
        }
    }

    fn refuse(&self, job: Job, cause: DropCause) {
        if let Job::Export(batch) = job {
            self.ledger.count(batch.size().spans, Some(cause));
            batch.skip(cause);
        }
    }

    fn serve(self: Arc<Self>, mut number: u64, exporter: Arc<dyn Export>) {
        suppression::make_quiet();
        self.control.register_thread();
        while let Some(work) = self.next(number) {
            let (is_last, result) = self.run(&*exporter, work);
            if is_last {
                self.record_error(result.error());
                break;
            }
            match self.finish(number, result) {
                Some(again) => number = again,
                None => break,
            }
        }
        self.release(number, exporter);
        self.control.unregister_thread();
    }

    fn next(&self, number: u64) -> Option<Work> {
        let idle = |state: &mut ExportState| {
            state.server == Some(number) && state.jobs.is_empty() && !state.is_over
        };
        let waited = self.has_job.wait_while(self.state(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.server != Some(number) {
            return None;
        }
        let job = state.jobs.pop_front()?;
        let work = match &job {
            Job::Export(batch) => Work::Export(Arc::clone(batch)),
            Job::Flush(_) => Work::Flush,
            Job::ShutDown(_) => Work::ShutDown,
        };
        state.current = Some(CurrentJob {
            job,
            // A time that is too far for the clock is none.
            deadline: Instant::now().checked_add(self.timeout),
            has_grace: false,
        });
        Some(work)
    }

    /// Returns also whether this was the last work.
    fn run(&self, exporter: &dyn Export, work: Work) -> (bool, ExportResult) {
        match work {
            Work::Export(batch) => (false, exporter::export(exporter, batch, self.timeout)),
            Work::Flush => (false, exporter::flush(exporter)),
            Work::ShutDown => {
                self.record_error(exporter::flush(exporter).error());
                (true, exporter::shut_down(exporter, self.timeout))
            }
        }
    }

    /// Returns the number with which the thread goes on.
    fn finish(&self, number: u64, result: ExportResult) -> Option<u64> {
        let mut state = self.state();
        if state.server != Some(number) {
            return state.resume();
        }
        let current = state.take_current();
        drop(state);
        if let Some(current) = current {
            self.complete(current.job, result);
        }
        Some(number)
    }

    fn complete(&self, job: Job, result: ExportResult) {
        self.record_error(result.error());
        let Job::Export(batch) = job else { return };
        let parts = result.into_parts(batch.size().spans);
        self.ledger.count(parts.exported, None);
        for &(cause, spans) in &parts.dropped {
            self.ledger.count(spans, Some(cause));
        }
        let last = parts.error.map_or(Ok(parts.note), Err);
        self.ledger.set_last(last);
        batch.drop_parts(parts.dropped);
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
            return state.next_deadline(now, self.timeout);
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
        let left = if next.is_none() {
            state.take_jobs()
        } else {
            VecDeque::new()
        };
        let deadline = state.next_deadline(now, self.timeout);
        drop(state);
        self.drop_all(current, left);
        if next.is_some_and(|successor| self.spawn(successor).is_err()) {
            self.abandon();
        }
        deadline
    }

    /// Stops serving: what waits is dropped immediately.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.server = None;
        let (current, left) = (state.take_current(), state.take_jobs());
        drop(state);
        self.drop_all(current, left);
    }

    fn drop_all(&self, current: Option<CurrentJob>, left: VecDeque<Job>) {
        // In this order: a flush that waits behind a batch is answered after it.
        if let Some(current) = current {
            self.complete(current.job, ExportResult::TimedOut);
        }
        for job in left {
            self.refuse(job, DropCause::Blocked);
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
