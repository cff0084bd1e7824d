//! The time of a span: one reading of the wall clock, and a monotonic one beside it.

use std::time::{Instant, SystemTime};

/// A span never ends before it starts, also where the wall clock steps back in the meantime.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    Running {
        start: SystemTime,
        since: Instant,
    },
    /// Who started the span has a clock of their own, and says the times.
    Elsewhere {
        start: SystemTime,
    },
}

impl Clock {
    pub(crate) fn from(given: Option<SystemTime>) -> Self {
        match given {
            Some(start) => Clock::Elsewhere { start },
            None => Clock::Running {
                start: SystemTime::now(),
                since: Instant::now(),
            },
        }
    }

    pub(crate) fn start(&self) -> SystemTime {
        match *self {
            Clock::Running { start, .. } | Clock::Elsewhere { start } => start,
        }
    }

    pub(crate) fn now(&self) -> SystemTime {
        match *self {
            Clock::Running { start, since } => start + since.elapsed(),
            Clock::Elsewhere { start } => SystemTime::now().max(start),
        }
    }
}
