//! What waits for one exporter, in its order.
//!
//! A batch is cut when the exporter is free, from all that waits. One whose failure may pass stays at the head,
//! and nothing is sent before its pause is over. If the exporter's share of the queue is used up meanwhile, the
//! oldest spans go first: they are those that a receiver that comes back needs least.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::export::attempt::Attempt;
use crate::export::backoff;
use crate::export::batch::Batch;
use crate::export::chunk::Portion;
use crate::export::control::FlushTicket;
use crate::export::exporter::{Delayed, Parts, Rest};
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
    /// It is done when this is dropped.
    Answer(#[expect(dead_code, reason = "its destructor is its use")] Arc<FlushTicket>),
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
    /// These requests are given up.
    GivenUp(Attempt, Parts, usize),
}

#[derive(Default)]
pub(super) struct Backlog {
    jobs: VecDeque<Job>,
    /// The head, to be sent again.
    waiting: Option<(Attempt, Rest)>,
    /// What waits, and what the exporter is at.
    queued: Size,
    /// Nothing is exported before.
    not_before: Option<Instant>,
    /// Failures that may pass, since the last answer of another kind.
    failures: u32,
    /// The pipeline shuts down: there are no pauses, and no other try.
    is_hurried: bool,
}

impl Backlog {
    /// Whether there is no room for one more. One always has room, however large it is.
    pub(super) fn is_full(&self, more: Size, share: Size) -> bool {
        self.queued.spans > 0
            && (self.queued.spans + more.spans > share.spans
                || self.queued.bytes + more.bytes > share.bytes)
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

    /// Takes the oldest out, while the receiver is away, to make room for more. A quarter of the share stays
    /// free for what the threads record meanwhile.
    pub(super) fn evict(&mut self, more: Size, share: Size) -> Vec<Attempt> {
        let mut evicted = Vec::new();
        let share = Size {
            spans: share.spans - share.spans / 4,
            bytes: share.bytes - share.bytes / 4,
        };
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
        match self.jobs.pop_front()? {
            Job::Flush(ticket) => Some((Work::Flush, Task::Answer(ticket))),
            Job::ShutDown(ticket) => Some((Work::ShutDown, Task::Answer(ticket))),
            Job::Export(first) => Some(self.cut(first, limit)),
        }
    }

    fn cut(&mut self, first: Portion, limit: Size) -> (Work, Task) {
        let (mut total, mut portions) = (first.size(), vec![first]);
        while let Some(Job::Export(next)) = self.jobs.front_mut() {
            let size = next.size();
            let room = limit.spans.saturating_sub(total.spans);
            if room == 0 || total.bytes + size.bytes > limit.bytes {
                break;
            }
            total.spans += size.spans.min(room);
            total.bytes += size.bytes;
            if size.spans > room {
                portions.push(next.split(room));
            } else if let Some(Job::Export(whole)) = self.jobs.pop_front() {
                portions.push(whole);
            }
        }
        let (shares, parts) = portions.into_iter().map(Portion::apart).unzip();
        let batch = Batch::new(parts, total.spans);
        (Work::Export(batch), Task::Export(Attempt::new(shares)))
    }

    /// The exporter is done with so much.
    pub(super) fn release(&mut self, room: Size) {
        self.queued.spans = self.queued.spans.saturating_sub(room.spans);
        self.queued.bytes = self.queued.bytes.saturating_sub(room.bytes);
    }

    /// The receiver has answered for good: it is there.
    pub(super) fn has_answer(&mut self) {
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
        let pause = backoff::pause(self.failures, delayed.pause).min(retry_time);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.checked_add(pause);
        attempt.add(std::mem::take(&mut delayed.done));
        match attempt.fail(now, retry_time) {
            Some(end) if !self.is_hurried => {
                // The last try is at the end of its time.
                self.not_before = Some(self.not_before.map_or(end, |time| time.min(end)));
                self.waiting = Some((attempt, delayed.rest));
                Fate::Again(delayed.reason)
            }
            _ => {
                let parts = attempt.give_up(&delayed);
                Fate::GivenUp(attempt, parts, delayed.rest.requests())
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.waiting.is_none()
    }

    /// All that waits: what is to be counted, and then what is done when it is dropped.
    pub(super) fn take_all(&mut self) -> (Vec<Attempt>, Vec<Job>) {
        self.queued = Size::default();
        let mut attempts: Vec<Attempt> = Vec::new();
        attempts.extend(self.waiting.take().map(|(attempt, _)| attempt));
        let mut tickets = Vec::new();
        for job in self.jobs.drain(..) {
            match job {
                Job::Export(portion) => attempts.push(portion.into()),
                ticket => tickets.push(ticket),
            }
        }
        (attempts, tickets)
    }
}
