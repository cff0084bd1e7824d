//! The time of a span: one reading of the wall clock, and a monotonic one beside it.

use std::time::{Instant, SystemTime};

/// A span never ends before it starts, also where the wall clock steps back in the meantime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall: SystemTime,
    running: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Clock {
            wall: SystemTime::now(),
            running: Instant::now(),
        }
    }

    /// The time of now, by the monotonic clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.wall + self.running.elapsed()
    }

    pub(crate) fn started(&self) -> SystemTime {
        self.wall
    }
}
