//! What one exporter is at, and which of its threads serves it. Nothing here waits or runs an exporter.
//!
//! The current task is kept here and not by its thread, so that it can be counted if the thread blocks
//! for ever. A blocked thread is abandoned and may come back: a machine that slept looks like an
//! exporter that blocked. So two threads may be blocked at the same time, and one that returns serves
//! again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::export::backlog::{Backlog, Job, Task};
use crate::export::exporter::{Export, Rest};
use crate::queue::budget::Size;
use crate::stats::counts::DropCause;

/// What waits for one exporter, and which thread serves it.
#[derive(Default)]
pub(super) struct ExportState {
    /// Until it is shut down.
    pub(super) exporter: Option<Arc<dyn Export>>,
    pub(super) backlog: Backlog,
    pub(super) current: Option<CurrentTask>,
    /// The number of the thread that serves. `None` if too many are blocked.
    pub(super) server: Option<u64>,
    next_number: u64,
    /// Threads that were abandoned in a call, and have not come back.
    blocked: usize,
    pub(super) is_over: bool,
    /// What costs the spans that still come: the time of a shutdown is over, or threads have panicked.
    pub(super) refusal: Option<DropCause>,
    /// Threads that have panicked.
    deaths: usize,
}

/// What the exporter is at. It is kept here, and not by the thread, which may never come back.
pub(super) struct CurrentTask {
    pub(super) task: Task,
    pub(super) deadline: Option<Instant>,
    /// The deadline has passed, and the thread had its time to see it by itself.
    pub(super) has_grace: bool,
    /// What of it can go elsewhere.
    pub(super) rest: Option<Rest>,
}

/// Threads that an exporter may block at the same time.
const MOST_BLOCKED: usize = 2;

/// Threads of one exporter that are replaced when they panic.
const MOST_DEATHS: usize = 2;

/// The number of the thread that serves next, and what it serves.
pub(super) type Successor = (u64, Arc<dyn Export>);

impl ExportState {
    pub(super) fn new(exporter: Arc<dyn Export>) -> Self {
        ExportState {
            exporter: Some(exporter),
            ..ExportState::default()
        }
    }

    pub(super) fn refuses(&self, job: &Job, share: Size) -> Option<DropCause> {
        if self.refusal.is_some() {
            return self.refusal;
        }
        if self.server.is_none() || self.is_over {
            return Some(DropCause::Blocked);
        }
        match job {
            Job::Export(portion) => self
                .backlog
                .is_full(portion.size(), share)
                .then_some(DropCause::Behind),
            Job::Flush(_) | Job::ShutDown(_) => None,
        }
    }

    /// Not after the deadline of what the exporter is asked next, if it is asked anything.
    pub(super) fn next_deadline(&self, now: Instant, timeout: Duration) -> Option<Instant> {
        if self.backlog.is_empty() {
            return None;
        }
        now.checked_add(timeout)
    }

    /// The thread that serves is abandoned.
    pub(super) fn replace(&mut self) -> Option<Successor> {
        self.blocked += 1;
        self.server = None;
        self.serve_next()
    }

    /// The thread that serves has panicked.
    pub(super) fn replace_dead(&mut self) -> Option<Successor> {
        self.deaths += 1;
        self.server = None;
        let is_hopeless = self.deaths > MOST_DEATHS;
        if is_hopeless { None } else { self.serve_next() }
    }

    pub(super) fn serve_next(&mut self) -> Option<Successor> {
        match self.exporter.clone() {
            Some(exporter) if self.blocked < MOST_BLOCKED && !self.is_over => {
                let number = self.new_number();
                self.server = Some(number);
                Some((number, exporter))
            }
            _ => None,
        }
    }

    /// An abandoned thread is back from its call. It serves again where nobody does.
    pub(super) fn resume(&mut self) -> Option<u64> {
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
