//! The times of spans: counted on the calling thread, converted to wall time on the exporter's thread.
//!
//! Reading the processor's counter takes 9 ns, a clock of the system 24. A batch is converted with one
//! reading of both: the length of a span is exact, and its place on the wall clock is that of the moment
//! of its export. A clock that steps back moves a whole span, and never its end before its start.

use std::time::{Duration, Instant, SystemTime};

use enter_span::native::Timestamp;

#[derive(Debug)]
pub(crate) struct Clock {
    counter: quanta::Clock,
    /// The counter and a monotonic clock at the same moment, long ago.
    base: (u64, Instant),
}

impl Clock {
    pub(crate) fn new() -> Self {
        let counter = quanta::Clock::new();
        let base = (counter.raw(), Instant::now());
        Clock { counter, base }
    }

    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.counter.raw()
    }

    /// Both clocks now. Of a few tries the one that was interrupted least.
    pub(crate) fn read(&self) -> Reading {
        let readings = (0..3).map(|_| {
            let before = self.counter.raw();
            let wall = SystemTime::now();
            let after = self.counter.raw();
            (after.saturating_sub(before), after, wall)
        });
        let best = readings.min_by_key(|(gap, ..)| *gap);
        let (_, counted, wall) = best.unwrap_or_else(|| (0, self.counter.raw(), SystemTime::now()));
        Reading {
            counted,
            wall,
            nanos_per_count: self.nanos_per_count(),
        }
    }

    /// The counter was calibrated within a millisecond; a base that is long ago knows better.
    fn nanos_per_count(&self) -> f64 {
        const LONG: Duration = Duration::from_secs(1);
        let (counted, instant) = self.base;
        let now = self.counter.raw();
        let elapsed = instant.elapsed();
        let nanos = if elapsed > LONG {
            elapsed.as_nanos() as f64
        } else {
            self.counter.delta_as_nanos(counted, now) as f64
        };
        nanos / now.saturating_sub(counted).max(1) as f64
    }
}

/// The counter and the wall clock at one moment, to convert other times by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    counted: u64,
    wall: SystemTime,
    nanos_per_count: f64,
}

impl Reading {
    pub(crate) fn wall_time(&self, timestamp: Timestamp) -> SystemTime {
        match timestamp {
            Timestamp::Wall(time) => time,
            Timestamp::Ticks(counted) => self.wall_time_of(counted),
        }
    }

    #[inline]
    pub(crate) fn wall_time_of(&self, counted: u64) -> SystemTime {
        if counted <= self.counted {
            let ago = self.nanos(self.counted - counted);
            self.wall.checked_sub(ago).unwrap_or(self.wall)
        } else {
            self.wall + self.nanos(counted - self.counted)
        }
    }

    fn nanos(&self, counted: u64) -> Duration {
        Duration::from_nanos((counted as f64 * self.nanos_per_count) as u64)
    }
}

#[cfg(all(test, not(enter_span_loom)))]
mod tests {
    use super::{Reading, Timestamp};
    use std::time::{Duration, SystemTime};

    /// The wall clock steps back by an hour between two readings: the second places the whole span an
    /// hour earlier, and its length stays.
    #[test]
    fn a_clock_that_steps_back_moves_a_span_as_a_whole() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(12 * 3600);
        let before = Reading {
            counted: 1_000_000,
            wall: noon,
            nanos_per_count: 2.0,
        };
        let after = Reading {
            counted: 2_000_000,
            wall: noon - Duration::from_secs(3600),
            ..before
        };
        let (start, end) = (900_000, 950_000);
        let wall_time = |reading: Reading, counted| reading.wall_time(Timestamp::Ticks(counted));
        for reading in [before, after] {
            let length = wall_time(reading, end).duration_since(wall_time(reading, start));
            assert_eq!(length.ok(), Some(Duration::from_micros(100)));
        }
        assert_eq!(wall_time(before, start), noon - Duration::from_micros(200));
        let moved = wall_time(before, start).duration_since(wall_time(after, start));
        // Between the readings, two milliseconds went by.
        let expected = Duration::from_secs(3600) + Duration::from_millis(2);
        assert_eq!(moved.ok(), Some(expected));
    }
}
