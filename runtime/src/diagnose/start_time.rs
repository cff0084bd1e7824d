//! When open spans started, and how old they are.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::record_config::RecordConfig;
use crate::backend::record_sink::CounterReading;
use crate::context::clock::Monotonic;

/// The start of a record, if its sink has counted it.
pub(crate) type CountedStart<'a> = Option<(&'a Arc<RecordConfig>, u64)>;

/// When a span started, by what was read then: a second clock would cost more than all else here.
#[derive(Clone, Copy)]
pub(super) enum Started {
    Counted(u64),
    At(Monotonic),
}

/// All clocks at the moment of a reading.
pub(super) struct Now {
    monotonic: Monotonic,
    counters: Vec<(Arc<RecordConfig>, CounterReading)>,
}

impl Started {
    #[inline]
    pub(super) fn at(start: CountedStart<'_>) -> Self {
        match start {
            Some((_, counted)) => Started::Counted(counted),
            None => Started::At(Monotonic::now()),
        }
    }
}

impl Now {
    pub(super) fn read() -> Self {
        Now {
            monotonic: Monotonic::now(),
            counters: Vec::new(),
        }
    }

    /// With what its start is counted by.
    pub(super) fn age(&mut self, start: Started, config: Option<&Arc<RecordConfig>>) -> Duration {
        match (start, config) {
            (Started::At(start), _) => start.elapsed_until(self.monotonic),
            (Started::Counted(start), Some(config)) => {
                let now = self.counter(config);
                let counts = now.counted.saturating_sub(start);
                let nanos = counts as f64 * now.nanos_per_count;
                Duration::from_nanos(nanos as u64)
            }
            (Started::Counted(_), None) => Duration::ZERO,
        }
    }

    /// Read once, so that ages are in the order of the starts.
    fn counter(&mut self, config: &Arc<RecordConfig>) -> CounterReading {
        let known = self.counters.iter().find(|(of, _)| Arc::ptr_eq(of, config));
        if let Some((_, reading)) = known {
            return *reading;
        }
        let reading = config.sink.read_counter();
        self.counters.push((Arc::clone(config), reading));
        reading
    }
}
