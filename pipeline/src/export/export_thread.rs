//! The way to one exporter: what waits for it, and the thread that serves it.
//!
//! Exporters stand side by side: one that is slow, hangs or blocks its thread delays no other one. What
//! it has not taken stays in memory up to its share of the queue; then batches are dropped for it alone.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;

use crate::export::batch::Batch;
use crate::export::control::{Desk, Round};
use crate::export::exporter::{self, Export, Outcome};
use crate::host::suppression;
use crate::host::unwind::silenced;
use crate::queue::budget::Room;
use crate::stats::counts::{Cause, Ledger};

pub(crate) struct Lane {
    desk: Arc<Desk>,
    ledger: Arc<Ledger>,
    /// What may wait here.
    share: Room,
    /// For each thing that the exporter is asked.
    timeout: Duration,
    state: Mutex<State>,
    has_job: Condvar,
}

struct State {
    /// Until it is shut down.
    exporter: Option<Arc<dyn Export>>,
    jobs: VecDeque<Job>,
    /// What waits, and what the exporter is at.
    held: Room,
    current: Option<Current>,
    /// The number of the thread that serves. `None` if too many are blocked.
    server: Option<u64>,
    next_number: u64,
    /// Threads that were abandoned in a call, and have not come back.
    blocked: usize,
    is_over: bool,
}

/// What an exporter is asked.
pub(crate) enum Job {
    Export(Arc<Batch>),
    Flush(#[expect(dead_code, reason = "it is done when this is dropped")] Arc<Round>),
    ShutDown(#[expect(dead_code, reason = "it is done when this is dropped")] Arc<Round>),
}

/// What the exporter is at. It is kept here, and not by the thread, which may never come back.
struct Current {
    job: Job,
    deadline: Option<Instant>,
    /// The deadline has passed, and the thread had its time to see it by itself.
    is_warned: bool,
}

/// What a thread does without a lock.
enum Work {
    Export(Arc<Batch>),
    Flush,
    ShutDown,
}

/// A thread that cancels a future at its deadline does so a little after it.
const GRACE: Duration = Duration::from_millis(100);

/// Threads that an exporter may block at the same time.
const MOST_BLOCKED: usize = 2;

impl Lane {
    pub(crate) fn new(
        exporter: Arc<dyn Export>,
        desk: &Arc<Desk>,
        ledger: &Arc<Ledger>,
        share: Room,
        timeout: Duration,
    ) -> Arc<Self> {
        let state = State {
            exporter: Some(exporter),
            jobs: VecDeque::new(),
            held: Room::default(),
            current: None,
            server: None,
            next_number: 0,
            blocked: 0,
            is_over: false,
        };
        Arc::new(Lane {
            desk: Arc::clone(desk),
            ledger: Arc::clone(ledger),
            share,
            timeout,
            state: Mutex::new(state),
            has_job: Condvar::new(),
        })
    }

    /// Gives it a thread.
    pub(crate) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let next = self.state().serve_next();
        match next {
            Next::Serves(number, exporter) => self.spawn(number, exporter),
            Next::Nobody => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, number: u64, exporter: Arc<dyn Export>) -> std::io::Result<()> {
        let lane = Arc::clone(self);
        thread::Builder::new()
            .name("enter_span_export".to_owned())
            .spawn(move || lane.serve(number, exporter))
            .map(drop)
    }

    /// Never waits. What the exporter cannot be asked is dropped for it, and counted.
    pub(crate) fn hand(&self, job: Job) {
        let mut state = self.state();
        if let Job::Export(batch) = &job {
            self.ledger.offer(batch.room().spans);
        }
        match state.refuses(&job, self.share) {
            Some(cause) => {
                drop(state);
                self.refuse(job, cause);
            }
            None => {
                if let Job::Export(batch) = &job {
                    state.hold(batch.room());
                }
                state.jobs.push_back(job);
                self.has_job.notify_one();
            }
        }
    }

    fn refuse(&self, job: Job, cause: Cause) {
        if let Job::Export(batch) = job {
            self.ledger.enter(batch.room().spans, Some(cause));
            batch.pass(cause);
        }
    }

    fn serve(self: Arc<Self>, mut number: u64, exporter: Arc<dyn Export>) {
        suppression::make_quiet();
        self.desk.sign_on();
        while let Some(work) = self.next(number) {
            let (is_last, outcome) = self.ask(&*exporter, work);
            if is_last {
                self.note(outcome.error());
                break;
            }
            match self.finish(number, outcome) {
                Some(again) => number = again,
                None => break,
            }
        }
        self.let_go(number, exporter);
        self.desk.sign_off();
    }

    fn next(&self, number: u64) -> Option<Work> {
        let idle = |state: &mut State| {
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
        state.current = Some(Current {
            job,
            // A time that is too far for the clock is none.
            deadline: Instant::now().checked_add(self.timeout),
            is_warned: false,
        });
        Some(work)
    }

    /// Says also whether this was the last work.
    fn ask(&self, exporter: &dyn Export, work: Work) -> (bool, Outcome) {
        match work {
            Work::Export(batch) => {
                let spans: Vec<SpanData> = batch.take();
                // A thread that never comes back must not hold it.
                drop(batch);
                (false, exporter::export(exporter, spans, self.timeout))
            }
            Work::Flush => (false, exporter::flush(exporter)),
            Work::ShutDown => {
                self.note(exporter::flush(exporter).error());
                (true, exporter::shut_down(exporter, self.timeout))
            }
        }
    }

    /// Gives the number with which the thread serves on.
    fn finish(&self, number: u64, outcome: Outcome) -> Option<u64> {
        let mut state = self.state();
        if state.server != Some(number) {
            return state.come_back();
        }
        let current = state.take_current();
        drop(state);
        if let Some(current) = current {
            self.settle(current.job, outcome);
        }
        Some(number)
    }

    fn settle(&self, job: Job, outcome: Outcome) {
        let error = outcome.error();
        self.note(error.clone());
        let cause = match outcome {
            Outcome::Done => None,
            Outcome::Failed(_) => Some(Cause::Failed),
            Outcome::TimedOut => Some(Cause::TimedOut),
        };
        if let Job::Export(batch) = job {
            self.ledger.set_last(error.map_or(Ok(()), Err));
            self.ledger.enter(batch.room().spans, cause);
            if let Some(cause) = cause {
                batch.drop_for(cause);
            }
        }
    }

    fn note(&self, error: Option<String>) {
        if let Some(error) = error {
            self.desk.set_last_error(error);
        }
    }

    /// The exporter goes with the last of its threads; what was asked of it last is done then.
    fn let_go(&self, number: u64, exporter: Arc<dyn Export>) {
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
        if !current.is_warned {
            current.is_warned = true;
            current.deadline = now.checked_add(GRACE);
            return current.deadline;
        }
        // All of it under one lock: a thread that comes back afterwards may serve at once.
        let current = state.take_current();
        let next = state.replace();
        let left = match next {
            Next::Serves(..) => VecDeque::new(),
            Next::Nobody => state.take_jobs(),
        };
        let deadline = state.next_deadline(now, self.timeout);
        drop(state);
        self.drop_all(current, left);
        if let Next::Serves(number, exporter) = next {
            if self.spawn(number, exporter).is_err() {
                self.give_up();
            }
        }
        deadline
    }

    /// Nobody serves any more, whoever does now: what waits is dropped at once.
    pub(crate) fn give_up(&self) {
        let mut state = self.state();
        state.server = None;
        let (current, left) = (state.take_current(), state.take_jobs());
        drop(state);
        self.drop_all(current, left);
    }

    fn drop_all(&self, current: Option<Current>, left: VecDeque<Job>) {
        // In this order: a flush that waits behind a batch is answered after it.
        if let Some(current) = current {
            self.settle(current.job, Outcome::TimedOut);
        }
        for job in left {
            self.refuse(job, Cause::Blocked);
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

/// Who serves after a thread was abandoned.
enum Next {
    Serves(u64, Arc<dyn Export>),
    Nobody,
}

impl State {
    fn refuses(&self, job: &Job, share: Room) -> Option<Cause> {
        if self.server.is_none() || self.is_over {
            return Some(Cause::Blocked);
        }
        match job {
            Job::Export(batch) => self.is_behind(batch.room(), share).then_some(Cause::Behind),
            Job::Flush(_) | Job::ShutDown(_) => None,
        }
    }

    /// One batch always has room, however large it is.
    fn is_behind(&self, room: Room, share: Room) -> bool {
        self.held.spans > 0
            && (self.held.spans + room.spans > share.spans
                || self.held.bytes + room.bytes > share.bytes)
    }

    fn hold(&mut self, room: Room) {
        self.held.spans += room.spans;
        self.held.bytes += room.bytes;
    }

    fn take_current(&mut self) -> Option<Current> {
        let current = self.current.take();
        if let Some(Current {
            job: Job::Export(batch),
            ..
        }) = &current
        {
            self.held.spans = self.held.spans.saturating_sub(batch.room().spans);
            self.held.bytes = self.held.bytes.saturating_sub(batch.room().bytes);
        }
        current
    }

    /// Not after the deadline of what the exporter is asked next, if it is asked anything.
    fn next_deadline(&self, now: Instant, timeout: Duration) -> Option<Instant> {
        if self.jobs.is_empty() {
            return None;
        }
        now.checked_add(timeout)
    }

    /// All that waits.
    fn take_jobs(&mut self) -> VecDeque<Job> {
        self.held = Room::default();
        std::mem::take(&mut self.jobs)
    }

    /// The thread that serves is abandoned.
    fn replace(&mut self) -> Next {
        self.blocked += 1;
        self.server = None;
        self.serve_next()
    }

    fn serve_next(&mut self) -> Next {
        match self.exporter.clone() {
            Some(exporter) if self.blocked < MOST_BLOCKED && !self.is_over => {
                let number = self.new_number();
                self.server = Some(number);
                Next::Serves(number, exporter)
            }
            _ => Next::Nobody,
        }
    }

    /// An abandoned thread is back from its call. It serves again where nobody does.
    fn come_back(&mut self) -> Option<u64> {
        self.blocked = self.blocked.saturating_sub(1);
        if self.server.is_some() || self.is_over {
            return None;
        }
        self.server = Some(self.new_number());
        self.server
    }

    fn new_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }
}
