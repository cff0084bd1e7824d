//! The times of spans: counted on the calling thread, converted to wall time on the exporter's thread.
//!
//! Reading the processor's counter takes 9 ns, a clock of the system 24. A batch is converted with one
//! reading of both: the length of a span is exact, and its place on the wall clock is that of the moment
//! of its export. A clock that steps back moves a whole span, and never its end before its start.
//!
//! A new clock measures nothing, so that an installation never waits for it. The first reading, on an
//! exporter's thread, sleeps for two milliseconds to measure the rate.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use enter_span::native::{CounterReading, Timestamp};

use super::counter::Counter;
use super::rate::{Moment, Rate};

#[derive(Debug)]
pub(crate) struct Clock {
    counter: Counter,
    start: Moment,
    /// Known from the first reading on.
    rate: Mutex<Option<Rate>>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let counter = Counter::new();
        let start = observe(&counter).moment;
        let rate = counter
            .counts_nanoseconds()
            .then(|| Rate::of_nanoseconds(start));
        Clock {
            counter,
            start,
            rate: Mutex::new(rate),
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.counter.now()
    }

    /// The counter now, and its rate as far as it is known: for the application's threads.
    pub(crate) fn glance(&self) -> CounterReading {
        let now = observe(&self.counter).moment;
        let known = self.rate.try_lock().ok();
        let known = known.and_then(|mut rate| rate.as_mut().and_then(|rate| rate.at(now)));
        // Since its start it has counted for longer than any span is open.
        let nanos_per_count = known.or_else(|| self.start.nanos_per_count_until(now));
        CounterReading {
            counted: now.counted,
            nanos_per_count: nanos_per_count.unwrap_or_default(),
        }
    }

    /// All clocks now. Sleeps for two milliseconds if the rate of the counter is not known, or no longer
    /// that: not for the application's threads.
    pub(crate) fn read(&self) -> Reading {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let now = observe(&self.counter);
        if let Some(nanos_per_count) = rate.as_mut().and_then(|rate| rate.at(now.moment)) {
            return now.reading(nanos_per_count);
        }
        // After a rate that was refused, nothing before now counts.
        let start = rate.as_ref().map_or(self.start, |_| now.moment);
        thread::sleep(Rate::SAMPLE);
        let end = observe(&self.counter);
        let rate = rate.insert(Rate::measured(start, (now.moment, end.moment)));
        end.reading(rate.at(end.moment).unwrap_or_default())
    }
}

/// All clocks at the same moment.
struct Observation {
    moment: Moment,
    wall: SystemTime,
    /// The counts that it took, for it to be inexact by.
    gap: u64,
}

impl Observation {
    fn reading(&self, nanos_per_count: f64) -> Reading {
        Reading {
            counted: self.moment.counted,
            wall: self.wall,
            nanos_per_count,
        }
    }
}

/// Of a few tries the one that was interrupted least.
fn observe(counter: &Counter) -> Observation {
    const MORE_TRIES: usize = 4;
    let mut best = observe_once(counter);
    for _ in 0..MORE_TRIES {
        let next = observe_once(counter);
        if next.gap < best.gap {
            best = next;
        }
    }
    best
}

fn observe_once(counter: &Counter) -> Observation {
    let before = counter.now();
    let (monotonic, wall) = (counter.monotonic(), SystemTime::now());
    let gap = counter.now().saturating_sub(before);
    let counted = before.saturating_add(gap / 2);
    Observation {
        moment: Moment { counted, monotonic },
        wall,
        gap,
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
    /// When it was taken.
    pub(crate) fn now(&self) -> SystemTime {
        self.wall
    }

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
            self.wall + self.skew(counted - self.counted)
        }
    }

    /// The counters of two cores can differ by less than a microsecond. A count that is far ahead is from
    /// before the counter began anew, and nobody knows when that was.
    fn skew(&self, counted: u64) -> Duration {
        const MOST: Duration = Duration::from_secs(1);
        let skew = self.nanos(counted);
        if skew < MOST { skew } else { Duration::ZERO }
    }

    fn nanos(&self, counted: u64) -> Duration {
        Duration::from_nanos((counted as f64 * self.nanos_per_count) as u64)
    }
}

#[cfg(all(test, not(enter_span_loom)))]
mod tests {
    use super::{Clock, Reading, Timestamp};
    use std::hint;
    use std::time::{Duration, Instant, SystemTime};

    /// So `install` measures nothing, and waits for nothing.
    #[test]
    fn the_rate_is_measured_by_the_first_reading_and_not_before() {
        let clock = Clock::new();
        let is_known = || clock.rate.lock().is_ok_and(|rate| rate.is_some());
        clock.now();
        assert_eq!(is_known(), clock.counter.counts_nanoseconds());
        clock.read();
        assert!(is_known());
    }

    /// The length is between those of two spans of the monotonic clock, one inside and one around it.
    #[test]
    fn the_first_reading_converts_lengths_exactly() {
        let clock = Clock::new();
        let outer = Instant::now();
        let start = clock.now();
        let inner = Instant::now();
        while inner.elapsed() < Duration::from_millis(1) {
            hint::spin_loop();
        }
        let inner = inner.elapsed();
        let end = clock.now();
        let outer = outer.elapsed();
        let reading = clock.read();
        let length = reading
            .wall_time_of(end)
            .duration_since(reading.wall_time_of(start))
            .unwrap_or_default();
        assert!(length >= inner.mul_f64(0.99), "{length:?} in {inner:?}");
        assert!(length <= outer.mul_f64(1.01), "{length:?} in {outer:?}");
    }

    /// Seven counts after it began anew, a count from before is far ahead.
    #[test]
    fn a_count_from_before_the_counter_began_anew_is_not_in_the_future() {
        let reading = Reading {
            counted: 7,
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(3600),
            nanos_per_count: 0.5,
        };
        assert_eq!(reading.wall_time_of(u64::MAX / 2), reading.wall);
        let skewed = reading.wall + Duration::from_nanos(50);
        assert_eq!(reading.wall_time_of(107), skewed);
    }

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
