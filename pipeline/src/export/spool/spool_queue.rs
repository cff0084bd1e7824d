//! What the thread of a spool is asked. Nobody waits here for a disk.
//!
//! What waits to be written is still in its exporter's share of the queue, which bounds it. What is being
//! written is counted here and not by the thread: a disk may never answer.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::export::attempt::Attempt;
use crate::export::control::FlushTicket;
use crate::export::exporter::Parts;
use crate::export::overflow::{Claim, Surplus};
use crate::export::spool::spool_lane::SpoolLane;
use crate::stats::counts::DropCause;
use crate::stats::warning_queue::WarningQueue;

pub(super) struct SpoolQueue {
    state: Mutex<QueueState>,
    changed: Condvar,
    /// Files can be written.
    is_open: AtomicBool,
    /// As it is shown in warnings.
    folder: String,
}

struct QueueState {
    lanes: Vec<Arc<SpoolLane>>,
    warnings: Option<Arc<WarningQueue>>,
    jobs: VecDeque<SpoolJob>,
    /// What is being written.
    current: Option<(Arc<SpoolLane>, Attempt)>,
    is_busy: bool,
    /// The time of a shutdown is over.
    is_late: bool,
    is_closed: bool,
    /// Not before, others are looked for.
    next_scan: Instant,
}

pub(super) enum SpoolJob {
    Write(Arc<SpoolLane>, Surplus, Attempt),
    Lend(Arc<SpoolLane>),
    Remove(Claim),
    Scan,
    /// It is done when this is dropped.
    Answer(Arc<FlushTicket>),
}

impl SpoolJob {
    /// A receiver has the spans of this file, and they are counted: it is removed also when nothing else is
    /// done any more, or the next run would send them again.
    fn is_owed(&self) -> bool {
        matches!(self, SpoolJob::Remove(_))
    }
}

/// What the thread does without a lock.
pub(super) enum SpoolWork {
    Write(Arc<SpoolLane>, Surplus),
    Lend(Arc<SpoolLane>),
    Remove(Claim),
    Scan,
    Sync,
    /// Syncs before.
    Answer(Arc<FlushTicket>),
}

/// Between two readings of the folder.
const SCAN_PAUSE: Duration = Duration::from_secs(60);

impl SpoolQueue {
    pub(super) fn new(folder: String) -> Self {
        SpoolQueue {
            state: Mutex::new(QueueState {
                lanes: Vec::new(),
                warnings: None,
                jobs: VecDeque::new(),
                current: None,
                is_busy: true,
                is_late: false,
                is_closed: false,
                next_scan: Instant::now(),
            }),
            changed: Condvar::new(),
            is_open: AtomicBool::new(true),
            folder,
        }
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_warnings(&self, warnings: &Arc<WarningQueue>) {
        self.state().warnings = Some(Arc::clone(warnings));
    }

    /// Adds a lane that this makes of its number.
    pub(super) fn add_lane(&self, make: impl FnOnce(u16) -> SpoolLane) -> Option<Arc<SpoolLane>> {
        let mut state = self.state();
        let number = u16::try_from(state.lanes.len()).ok()?;
        let lane = Arc::new(make(number));
        state.lanes.push(Arc::clone(&lane));
        Some(lane)
    }

    pub(super) fn lanes(&self) -> Vec<Arc<SpoolLane>> {
        self.state().lanes.clone()
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, job: SpoolJob) {
        let mut state = self.state();
        if (state.is_late || state.is_closed) && !job.is_owed() {
            drop(state);
            lose(job, DropCause::ShutdownTimedOut);
            return;
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for something to do. `None` is the end.
    pub(super) fn next(&self, sync_at: Option<Instant>) -> Option<SpoolWork> {
        let mut state = self.state();
        state.is_busy = false;
        self.changed.notify_all();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                state.is_busy = true;
                return Some(state.begin(job));
            }
            if state.is_closed {
                return None;
            }
            state = match sync_at.map(|time| time.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Some(SpoolWork::Sync),
                Some(pause) => {
                    let waited = self.changed.wait_timeout(state, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Counts what was being written: these parts of it, and the others as failed. Not where it was counted
    /// already.
    pub(super) fn settle(&self, written: Parts) {
        let current = self.state().current.take();
        if let Some((lane, attempt)) = current {
            lane.settle(attempt, written, DropCause::SpoolFailed);
        }
    }

    /// Whether it is time to look for what others have left; then it is not for a while.
    pub(super) fn is_scan_due(&self) -> bool {
        let (mut state, now) = (self.state(), Instant::now());
        let is_due = state.next_scan <= now;
        if is_due {
            state.next_scan = now.checked_add(SCAN_PAUSE).unwrap_or(now);
        }
        is_due
    }

    pub(super) fn wait(&self, most: Duration) {
        let is_busy = |state: &mut QueueState| state.is_busy || !state.jobs.is_empty();
        // What is late is dropped.
        let _ = self.changed.wait_timeout_while(self.state(), most, is_busy);
    }

    /// What is not done by now is lost.
    pub(super) fn end_late(&self) {
        self.state().is_late = true;
        self.drop_all(DropCause::ShutdownTimedOut);
    }

    /// The thread ends when nothing waits any more.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// The thread has ended, perhaps because a bug unwinds.
    pub(super) fn end(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        self.close();
        self.drop_all(DropCause::SpoolFailed);
    }

    fn drop_all(&self, cause: DropCause) {
        let mut state = self.state();
        let current = state.current.take();
        let jobs = std::mem::take(&mut state.jobs).into_iter();
        let (owed, jobs): (VecDeque<_>, VecDeque<_>) = jobs.partition(SpoolJob::is_owed);
        state.jobs = owed;
        drop(state);
        if let Some((lane, attempt)) = current {
            lane.settle(attempt, Parts::default(), cause);
        }
        jobs.into_iter().for_each(|job| lose(job, cause));
    }

    /// Nothing more is written. Warns once.
    pub(super) fn turn_off(&self, error: &io::Error) {
        if !self.is_open.swap(false, Ordering::Relaxed) {
            return;
        }
        let warnings = self.state().warnings.clone();
        if let Some(warnings) = warnings {
            let folder = &self.folder;
            warnings.push(format!(
                "the spool {folder} is off, and spans that do not fit the queue are dropped: {error}; check the folder and the space on its disk, and restart"
            ));
        }
    }
}

impl QueueState {
    fn begin(&mut self, job: SpoolJob) -> SpoolWork {
        match job {
            SpoolJob::Write(lane, surplus, attempt) => {
                self.current = Some((Arc::clone(&lane), attempt));
                SpoolWork::Write(lane, surplus)
            }
            SpoolJob::Lend(lane) => SpoolWork::Lend(lane),
            SpoolJob::Remove(claim) => SpoolWork::Remove(claim),
            SpoolJob::Scan => SpoolWork::Scan,
            SpoolJob::Answer(ticket) => SpoolWork::Answer(ticket),
        }
    }
}

/// It is not done any more.
fn lose(job: SpoolJob, cause: DropCause) {
    match job {
        SpoolJob::Write(lane, surplus, attempt) => {
            drop(surplus);
            lane.settle(attempt, Parts::default(), cause);
        }
        job => drop(job),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "these are tests")]

    use std::fs::File;

    use super::{SpoolJob, SpoolQueue, SpoolWork};
    use crate::export::overflow::Claim;

    fn remove(name: &str) -> SpoolJob {
        SpoolJob::Remove(Claim {
            name: name.to_owned(),
            spans: 1,
            lock: File::open("/dev/null").expect("a file"),
        })
    }

    /// What the receiver has is removed, also where the time of a shutdown was over before.
    #[test]
    fn a_file_that_was_sent_is_removed_after_a_late_end() {
        let queue = SpoolQueue::new("folder".to_owned());
        queue.push(remove("before"));
        queue.push(SpoolJob::Scan);
        queue.end_late();
        queue.push(remove("after"));
        queue.push(SpoolJob::Scan);
        queue.close();
        for expected in ["before", "after"] {
            let work = queue.next(None);
            assert!(matches!(work, Some(SpoolWork::Remove(claim)) if claim.name == expected));
        }
        assert!(queue.next(None).is_none());
    }
}
