//! Tells the application that spans were dropped: from the worker's thread, and not too often.

use std::time::{Duration, Instant};

use crate::count::Dropped;
use crate::shield::silenced;

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

    /// At once the first time, and then for all of a minute together.
    pub(crate) fn tell(&mut self, dropped: Dropped, last_error: impl Fn() -> Option<String>) {
        let is_early = self.last.is_some_and(|last| last.elapsed() < PAUSE);
        if !is_early {
            self.tell_rest(dropped, last_error);
        }
    }

    /// What was not told yet.
    pub(crate) fn tell_rest(&mut self, dropped: Dropped, last_error: impl Fn() -> Option<String>) {
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

/// What came since. Spans that end after a shutdown are late, which is no fault to warn of.
fn causes(before: &Dropped, now: &Dropped) -> Vec<String> {
    [
        ("the queue was full", before.queue_full, now.queue_full),
        (
            "an exporter was behind",
            before.exporter_behind,
            now.exporter_behind,
        ),
        (
            "an exporter blocks its threads",
            before.exporter_blocked,
            now.exporter_blocked,
        ),
        (
            "an exporter failed",
            before.export_failed,
            now.export_failed,
        ),
        (
            "an exporter gave no answer in time",
            before.export_timed_out,
            now.export_timed_out,
        ),
    ]
    .into_iter()
    .filter(|(_, before, now)| now > before)
    .map(|(cause, before, now)| format!("{} because {cause}", now - before))
    .collect()
}
