//! Tells the application that spans were dropped: from the worker's thread, and not too often.

use std::time::{Duration, Instant};

use crate::host::unwind::silenced;
use crate::stats::counts::Dropped;

/// Takes warnings.
pub(crate) type Warn = Box<dyn Fn(&str) + Send>;

pub(crate) struct Notices {
    warn: Warn,
    told: Dropped,
    last: Option<Instant>,
}

/// Between two warnings.
const PAUSE: Duration = Duration::from_secs(60);

impl Notices {
    pub(crate) fn new(warn: Warn) -> Self {
        Notices {
            warn,
            told: Dropped::default(),
            last: None,
        }
    }

    /// At once the first time, and then for all of a minute together. Gives when the rest can be told, if
    /// there is any.
    pub(crate) fn tell(
        &mut self,
        dropped: Dropped,
        last_error: impl Fn() -> Option<String>,
    ) -> Option<Instant> {
        let next = self.last.and_then(|last| last.checked_add(PAUSE));
        let is_early = next.is_some_and(|next| Instant::now() < next);
        if !is_early {
            self.tell_rest(dropped, last_error);
            return None;
        }
        let has_rest = !causes(&self.told, &faults(dropped)).is_empty();
        next.filter(|_| has_rest)
    }

    /// Warnings that the runtime has kept for the application.
    pub(crate) fn pass_on(&self, warnings: impl Iterator<Item = String>) {
        for warning in warnings {
            silenced(|| (self.warn)(&warning));
        }
    }

    /// What was not told yet.
    pub(crate) fn tell_rest(&mut self, dropped: Dropped, last_error: impl Fn() -> Option<String>) {
        let dropped = faults(dropped);
        let causes = causes(&self.told, &dropped);
        if causes.is_empty() {
            return;
        }
        self.told = dropped;
        self.last = Some(Instant::now());
        let mut warning = format!("spans were dropped: {}", causes.join(", "));
        if let Some(error) = last_error() {
            warning.push_str("; the last error of an exporter: ");
            warning.extend(error.escape_debug());
        }
        silenced(|| (self.warn)(&warning));
    }
}

/// Spans that end after a shutdown are late, and those of a pipeline without an exporter, or in a forked
/// child, go nowhere by intent, or were told of before.
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
