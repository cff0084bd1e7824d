//! What a round took: the operating system's CPU clocks, and the count of the allocator.

use std::time::{Duration, Instant};

use crate::allocated;
use rustix::time::{ClockId, clock_gettime};

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Neither is negative, and the second one is less than a billion.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What one thread took.
#[derive(Clone, Copy, Default)]
pub struct Taken {
    pub cpu: Duration,
    pub allocations: u64,
}

impl Taken {
    pub fn by(work: impl FnOnce()) -> Self {
        let allocations = allocated();
        let start = read(ClockId::ThreadCPUTime);
        work();
        let cpu = read(ClockId::ThreadCPUTime).saturating_sub(start);
        Taken {
            cpu,
            allocations: allocated() - allocations,
        }
    }

    pub fn and(self, other: Taken) -> Self {
        Taken {
            cpu: self.cpu + other.cpu,
            allocations: self.allocations + other.allocations,
        }
    }
}

/// All threads of the process, from a moment on.
pub struct Process {
    cpu: Duration,
    start: Instant,
}

impl Process {
    pub fn now() -> Self {
        Process {
            cpu: read(ClockId::ProcessCPUTime),
            start: Instant::now(),
        }
    }

    pub fn cpu(&self) -> Duration {
        read(ClockId::ProcessCPUTime).saturating_sub(self.cpu)
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
