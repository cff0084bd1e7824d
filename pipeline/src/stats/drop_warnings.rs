//! Warns the application that spans were dropped: at most once a minute, and when a shutdown runs out of time.
//!
//! Here it is decided what is worth a warning; the application's function runs elsewhere (`warning_queue.rs`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::stats::counts::Dropped;
use crate::stats::warning_queue::WarningQueue;

pub(crate) struct DropWarnings {
    queue: Arc<WarningQueue>,
    told: Mutex<Told>,
}

/// What was warned of.
#[derive(Default)]
struct Told {
    dropped: Dropped,
    last: Option<Instant>,
    /// A shutdown has timed out, and its thread warns.
    is_over: bool,
}

/// Between two warnings.
const PAUSE: Duration = Duration::from_secs(60);

impl DropWarnings {
    pub(crate) fn new(queue: Arc<WarningQueue>) -> Self {
        DropWarnings {
            queue,
            told: Mutex::default(),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Warns of something else.
    pub(crate) fn warn(&self, warning: String) {
        self.queue.push(warning);
    }

    /// The first time immediately, and then for a minute together. Gives when the rest can be reported, if
    /// there is any.
    pub(crate) fn warn_in_time(
        &self,
        dropped: Dropped,
        last_error: impl Fn() -> Option<String>,
    ) -> Option<Instant> {
        let last = self.told().last;
        let next = last.and_then(|last| last.checked_add(PAUSE));
        let is_early = next.is_some_and(|next| Instant::now() < next);
        if !is_early {
            self.warn_now(dropped, last_error);
            return None;
        }
        let has_rest = !causes(&self.told().dropped, &faults(dropped)).is_empty();
        next.filter(|_| has_rest)
    }

    /// Passes on the warnings that the runtime has kept for the application.
    pub(crate) fn forward(&self, warnings: impl Iterator<Item = String>) {
        warnings.for_each(|warning| self.warn(warning));
    }

    /// Warns of all that was not reported yet.
    pub(crate) fn warn_now(&self, dropped: Dropped, last_error: impl Fn() -> Option<String>) {
        let told = self.told();
        if !told.is_over {
            self.warn_of(told, dropped, last_error);
        }
    }

    /// From now on only the [last warning](Self::warn_last) comes: a process may end before its worker runs.
    pub(crate) fn end(&self) {
        self.told().is_over = true;
    }

    pub(crate) fn warn_last(&self, dropped: Dropped, last_error: impl Fn() -> Option<String>) {
        self.warn_of(self.told(), dropped, last_error);
    }

    fn warn_of(
        &self,
        mut told: MutexGuard<'_, Told>,
        dropped: Dropped,
        last_error: impl Fn() -> Option<String>,
    ) {
        let dropped = faults(dropped);
        let causes = causes(&told.dropped, &dropped);
        if causes.is_empty() {
            return;
        }
        told.dropped = dropped;
        told.last = Some(Instant::now());
        drop(told);
        let mut warning = format!("spans were dropped: {}", causes.join(", "));
        if let Some(error) = last_error() {
            warning.push_str("; the last error of an exporter: ");
            warning.extend(error.escape_debug());
        }
        self.warn(warning);
    }
}

/// The worker has ended.
impl Drop for DropWarnings {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Without drops that are intended: after a shutdown, without an exporter, and in a forked child.
fn faults(dropped: Dropped) -> Dropped {
    Dropped {
        no_exporter: 0,
        after_shutdown: 0,
        forked: 0,
        ..dropped
    }
}

/// What came since.
fn causes(before: &Dropped, now: &Dropped) -> Vec<String> {
    let both = before.each().into_iter().zip(now.each());
    both.filter(|((before, _), (now, _))| now > before)
        .map(|((before, _), (now, cause))| format!("{} because {cause}", now - before))
        .collect()
}
