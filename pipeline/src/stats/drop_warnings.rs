//! Warns the application that spans were dropped: at most once a minute.
//!
//! The worker decides what is worth a warning; the application's function runs elsewhere
//! (`warning_queue.rs`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::stats::counts::Dropped;
use crate::stats::warning_queue::WarningQueue;

pub(crate) struct DropWarnings {
    queue: Arc<WarningQueue>,
    reported: Dropped,
    last: Option<Instant>,
}

/// Between two warnings.
const PAUSE: Duration = Duration::from_secs(60);

impl DropWarnings {
    pub(crate) fn new(queue: Arc<WarningQueue>) -> Self {
        DropWarnings {
            queue,
            reported: Dropped::default(),
            last: None,
        }
    }

    /// The first time immediately, and then for a minute together. Gives when the rest can be reported, if
    /// there is any.
    pub(crate) fn warn_in_time(
        &mut self,
        dropped: Dropped,
        last_error: impl Fn() -> Option<String>,
    ) -> Option<Instant> {
        let next = self.last.and_then(|last| last.checked_add(PAUSE));
        let is_early = next.is_some_and(|next| Instant::now() < next);
        if !is_early {
            self.warn_now(dropped, last_error);
            return None;
        }
        let has_rest = !causes(&self.reported, &faults(dropped)).is_empty();
        next.filter(|_| has_rest)
    }

    /// Passes on the warnings that the runtime has kept for the application.
    pub(crate) fn forward(&self, warnings: impl Iterator<Item = String>) {
        warnings.for_each(|warning| self.queue.push(warning));
    }

    /// Warns of all that was not reported yet.
    pub(crate) fn warn_now(&mut self, dropped: Dropped, last_error: impl Fn() -> Option<String>) {
        let dropped = faults(dropped);
        let causes = causes(&self.reported, &dropped);
        if causes.is_empty() {
            return;
        }
        self.reported = dropped;
        self.last = Some(Instant::now());
        let mut warning = format!("spans were dropped: {}", causes.join(", "));
        if let Some(error) = last_error() {
            warning.push_str("; the last error of an exporter: ");
            warning.extend(error.escape_debug());
        }
        self.queue.push(warning);
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
