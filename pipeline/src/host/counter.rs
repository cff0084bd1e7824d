//! A counter that is cheap to read: the processor's where it is known to count evenly, else the
//! nanoseconds of the monotonic clock.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Counter {
    is_of_processor: bool,
    start: Instant,
}

impl Counter {
    /// Reads nothing but the processor's description, and measures nothing.
    pub(super) fn new() -> Self {
        Counter {
            is_of_processor: processor::counts_evenly(),
            start: Instant::now(),
        }
    }

    #[inline]
    pub(super) fn now(&self) -> u64 {
        if self.is_of_processor {
            processor::count()
        } else {
            nanos(self.monotonic())
        }
    }

    /// The monotonic clock, from the start of the counter on.
    pub(super) fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn counts_nanoseconds(&self) -> bool {
        !self.is_of_processor
    }
}

/// Five hundred years fit.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(target_arch = "x86_64")]
mod processor {
    use raw_cpuid::CpuId;

    /// Whether the counter has the same rate in all states of power, and on all cores.
    pub(super) fn counts_evenly() -> bool {
        let cpuid = CpuId::new();
        let power = cpuid.get_advanced_power_mgmt_info();
        let features = cpuid.get_extended_processor_and_feature_identifiers();
        power.is_some_and(|power| power.has_invariant_tsc())
            && features.is_some_and(|features| features.has_rdtscp())
    }

    #[inline]
    pub(super) fn count() -> u64 {
        safe_arch::read_timestamp_counter()
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod processor {
    pub(super) fn counts_evenly() -> bool {
        false
    }

    #[inline]
    pub(super) fn count() -> u64 {
        0
    }
}
