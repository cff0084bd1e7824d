//! What waits for one exporter, in its order.
//!
//! A batch is cut when the exporter is free, from all that waits. One whose failure may pass stays at the head,
//! and nothing is sent before its pause is over. If the exporter's share of the queue is used up meanwhile, the
//! oldest spans go first: they are those that a receiver that comes back needs least.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::export::attempt::Attempt;
use crate::export::backoff;
use crate::export::batch::Batch;
use crate::export::chunk::Portion;
use crate::export::control::FlushTicket;
use crate::export::exporter::{Delayed, Rest};
use crate::export::overflow::{Claim, Loan, Surplus};
use crate::queue::budget::Size;

/// What an exporter is asked.
pub(crate) enum Job {
    Export(Portion),
    Flush(Arc<FlushTicket>),
    ShutDown(Arc<FlushTicket>),
}

/// What a thread does without a lock.
pub(super) enum Work {
    Export(Batch),
    /// The rest of a batch, again.
    Resume(Rest),
    Flush,
    ShutDown,
}

/// What the exporter is at, as it is counted.
pub(super) enum Task {
    Export(Attempt),
    /// A request that was written earlier.
    Loan(Claim),
    /// It is done when this is dropped.
    Answer(Arc<FlushTicket>),
}

/// When there is something to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    At(Instant),
    Never,
}

/// What becomes of a batch that has failed.
pub(super) enum Fate {
    /// It is sent again, for this reason.
    Again(String),
    /// It is not sent again from here.
    Over(Attempt, Box<Delayed>),
}

/// A batch that does not wait in memory any longer.
pub(super) type Leaving = (Surplus, Attempt);

/// What was written earlier, and is sent when nothing else waits.
#[derive(Default)]
enum Written {
    #[default]
    Nothing,
    Something,
    Asked,
    Loan(Loan),
}

#[derive(Default)]
pub(super) struct Backlog {
    jobs: VecDeque<Job>,
    /// The head, to be sent again.
    waiting: Option<(Attempt, Rest)>,
    /// What waits, and what the exporter is at.
    queued: Size,
    /// Of these, what is being written.
    leaving: Size,
    written: Written,
    /// Nothing is exported before.
    not_before: Option<Instant>,
    /// Failures that may pass, since the last answer of another kind.
    failures: u32,
    /// The receiver has answered for good, or the application knows that it never has.
    is_known: bool,
    /// The pipeline shuts down: there are no pauses, and no other try.
    is_hurried: bool,
}

impl Backlog {
    /// Whether there is no room for one more. One always has room, however large it is.
    pub(super) fn is_full(&self, more: Size, share: Size) -> bool {
        exceeds(self.queued, more, share)
    }

    pub(super) fn push(&mut self, job: Job) {
        match &job {
            Job::Export(portion) => {
                let size = portion.size();
                self.queued.spans += size.spans;
                self.queued.bytes += size.bytes;
            }
            Job::Flush(_) => {}
            Job::ShutDown(_) => self.is_hurried = true,
        }
        self.jobs.push_back(job);
    }

    /// Takes the oldest out, while the receiver is away, to make room for more.
    pub(super) fn evict(&mut self, more: Size, share: Size) -> Vec<Attempt> {
        let (mut evicted, share) = (Vec::new(), three_quarters(share));
        while self.failures > 0 && self.is_full(more, share) {
            let Some(oldest) = self.take_oldest() else {
                break;
            };
            self.release(oldest.room());
            evicted.push(oldest);
        }
        evicted
    }

    fn take_oldest(&mut self) -> Option<Attempt> {
        if let Some((attempt, _)) = self.waiting.take() {
            return Some(attempt);
        }
        let is_export = |job: &Job| matches!(job, Job::Export(_));
        let index = self.jobs.iter().position(is_export)?;
        match self.jobs.remove(index)? {
            Job::Export(portion) => Some(portion.into()),
            Job::Flush(_) | Job::ShutDown(_) => None,
        }
    }

    pub(super) fn due(&self) -> Due {
        let is_export = match self.jobs.front() {
            _ if self.waiting.is_some() => true,
            Some(job) => matches!(job, Job::Export(_)),
            None if self.has_written() => true,
            None => return Due::Never,
        };
        match self.not_before {
            Some(time) if is_export && !self.is_hurried && Instant::now() < time => Due::At(time),
            _ => Due::Now,
        }
    }

    /// The next work: of batches, the oldest spans up to this limit.
    pub(super) fn take(&mut self, limit: Size) -> Option<(Work, Task)> {
        if let Some((attempt, rest)) = self.waiting.take() {
            return Some((Work::Resume(rest), Task::Export(attempt)));
        }
        match self.jobs.pop_front() {
            Some(Job::Flush(ticket)) => Some((Work::Flush, Task::Answer(ticket))),
            Some(Job::ShutDown(ticket)) => Some((Work::ShutDown, Task::Answer(ticket))),
            Some(Job::Export(first)) => {
                let (batch, attempt) = self.cut(first, 0, limit);
                Some((Work::Export(batch), Task::Export(attempt)))
            }
            None => self.take_loan(),
        }
    }

    /// Joins it with those that stand from this place on.
    fn cut(&mut self, first: Portion, index: usize, limit: Size) -> (Batch, Attempt) {
        let (mut total, mut portions) = (first.size(), vec![first]);
        while let Some(Job::Export(next)) = self.jobs.get_mut(index) {
            let size = next.size();
            let room = limit.spans.saturating_sub(total.spans);
            if room == 0 || total.bytes + size.bytes > limit.bytes {
                break;
            }
            total.spans += size.spans.min(room);
            total.bytes += size.bytes;
            if size.spans > room {
                portions.push(next.split(room));
            } else if let Some(Job::Export(whole)) = self.jobs.remove(index) {
                portions.push(whole);
            }
        }
        let (shares, parts) = portions.into_iter().map(Portion::apart).unzip();
        (Batch::new(parts, total.spans), Attempt::new(shares))
    }

    /// The exporter is done with so much.
    pub(super) fn release(&mut self, room: Size) {
        self.queued.spans = self.queued.spans.saturating_sub(room.spans);
        self.queued.bytes = self.queued.bytes.saturating_sub(room.bytes);
    }

    /// Says once that nothing has come of all requests so far.
    pub(super) fn is_first_failure(&mut self) -> bool {
        !mem::replace(&mut self.is_known, true)
    }

    /// The receiver has answered for good: it is there.
    pub(super) fn has_answer(&mut self) {
        self.is_known = true;
        self.failures = 0;
        self.not_before = None;
    }

    /// Keeps what has failed at the head, for another try; within its time, and not at a shutdown.
    pub(super) fn postpone(
        &mut self,
        mut attempt: Attempt,
        mut delayed: Delayed,
        retry_time: Duration,
    ) -> Fate {
        let now = Instant::now();
        self.pause(now, delayed.pause, retry_time);
        attempt.add(std::mem::take(&mut delayed.done));
        match attempt.fail(now, retry_time) {
            Some(end) if !self.is_hurried => {
                // The last try is at the end of its time.
                self.not_before = Some(self.not_before.map_or(end, |time| time.min(end)));
                self.waiting = Some((attempt, delayed.rest));
                Fate::Again(delayed.reason)
            }
            _ => Fate::Over(attempt, Box::new(delayed)),
        }
    }

    /// A request has failed, and the receiver asks for this pause.
    fn pause(&mut self, now: Instant, named: Option<Duration>, most: Duration) {
        let pause = backoff::pause(self.failures, named).min(most);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.checked_add(pause);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.waiting.is_none()
    }

    /// All that waits: what is to be counted, and then what is done when it is dropped.
    pub(super) fn take_all(&mut self, limit: Size) -> (Vec<Leaving>, Vec<Job>) {
        let mut leaving = Vec::new();
        while let Some(oldest) = self.take_surplus(limit) {
            leaving.push(oldest);
        }
        (self.queued, self.leaving) = Default::default();
        self.written = Written::Nothing;
        (leaving, self.jobs.drain(..).collect())
    }
}

/// What does not wait in memory.
impl Backlog {
    /// Takes the oldest out, to be written, to make room for more: whole batches.
    pub(super) fn overflow(&mut self, more: Size, share: Size, limit: Size) -> Vec<Leaving> {
        let (mut leaving, share) = (Vec::new(), three_quarters(share));
        while exceeds(self.staying(), more, share) {
            let Some(oldest) = self.take_surplus(limit) else {
                break;
            };
            leaving.push(oldest);
        }
        leaving
    }

    fn staying(&self) -> Size {
        Size {
            spans: self.queued.spans.saturating_sub(self.leaving.spans),
            bytes: self.queued.bytes.saturating_sub(self.leaving.bytes),
        }
    }

    /// The oldest batch. It has its room until it is [written](Self::has_left).
    fn take_surplus(&mut self, limit: Size) -> Option<Leaving> {
        let (surplus, attempt) = match self.waiting.take() {
            Some((attempt, rest)) => (Surplus::Rest(rest), attempt),
            None => {
                let is_export = |job: &Job| matches!(job, Job::Export(_));
                let index = self.jobs.iter().position(is_export)?;
                let Some(Job::Export(first)) = self.jobs.remove(index) else {
                    return None;
                };
                let (batch, attempt) = self.cut(first, index, limit);
                (Surplus::Batch(batch), attempt)
            }
        };
        self.leave(attempt.room());
        Some((surplus, attempt))
    }

    /// So much is to be written.
    pub(super) fn leave(&mut self, room: Size) {
        self.leaving.spans += room.spans;
        self.leaving.bytes += room.bytes;
    }

    pub(super) fn has_left(&mut self, room: Size) {
        self.leaving.spans = self.leaving.spans.saturating_sub(room.spans);
        self.leaving.bytes = self.leaving.bytes.saturating_sub(room.bytes);
        self.release(room);
    }

    /// What is not sent again; at a shutdown also what waits behind it, since the receiver is away.
    pub(super) fn give_up(&mut self, attempt: Attempt, rest: Rest, limit: Size) -> Vec<Leaving> {
        self.leave(attempt.room());
        let mut leaving = vec![(Surplus::Rest(rest), attempt)];
        if self.is_hurried {
            while let Some(next) = self.take_surplus(limit) {
                leaving.push(next);
            }
        }
        leaving
    }

    fn has_written(&self) -> bool {
        !self.is_hurried && matches!(self.written, Written::Something | Written::Loan(_))
    }

    /// There is something to ask for.
    pub(super) fn can_ask(&mut self) {
        if matches!(self.written, Written::Nothing) {
            self.written = Written::Something;
        }
    }

    /// Whether to ask now.
    pub(super) fn asks(&mut self) -> bool {
        let is_time = self.is_empty() && matches!(self.written, Written::Something);
        if is_time {
            self.written = Written::Asked;
        }
        is_time
    }

    pub(super) fn lend(&mut self, loan: Option<Loan>) {
        self.written = loan.map_or(Written::Nothing, Written::Loan);
    }

    fn take_loan(&mut self) -> Option<(Work, Task)> {
        match std::mem::replace(&mut self.written, Written::Something) {
            Written::Loan(Loan { rest, claim }) => Some((Work::Resume(rest), Task::Loan(claim))),
            other => {
                self.written = other;
                None
            }
        }
    }

    /// It stays where it is, and is sent again after a pause.
    pub(super) fn postpone_loan(&mut self, named: Option<Duration>, most: Duration) {
        self.pause(Instant::now(), named, most);
    }
}

fn exceeds(used: Size, more: Size, share: Size) -> bool {
    used.spans > 0
        && (used.spans + more.spans > share.spans || used.bytes + more.bytes > share.bytes)
}

/// A quarter stays free for what the threads record meanwhile.
fn three_quarters(share: Size) -> Size {
    Size {
        spans: share.spans - share.spans / 4,
        bytes: share.bytes - share.bytes / 4,
    }
}
