//! How many nanoseconds a count of the processor's counter takes.
//!
//! The rate comes from all the time since the start, since the longer it is, the less does one inexact
//! reading weigh. No span is older than that time. So even if the time is short, no length is wrong by more
//! than one reading of both clocks is, some tens of nanoseconds.
//!
//! The two clocks can part. A counter can run on while the monotonic clock stops in a suspended machine,
//! and it can begin anew, in one that was restored. A rate that does not fit is refused, and what was
//! before no longer counts.

use std::time::Duration;

/// The counter and the monotonic clock at the same moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) counted: u64,
    pub(super) monotonic: Duration,
}

impl Moment {
    /// The nanoseconds until then. Negative if the clock went backwards.
    fn nanos_until(self, later: Moment) -> f64 {
        later.monotonic.as_nanos() as f64 - self.monotonic.as_nanos() as f64
    }

    /// The counts until then. Negative if the counter went backwards.
    fn counts_until(self, later: Moment) -> f64 {
        later.counted.wrapping_sub(self.counted).cast_signed() as f64
    }

    /// `None` if the counter stood or went backwards.
    pub(super) fn nanos_per_count_until(self, later: Moment) -> Option<f64> {
        let counts = self.counts_until(later);
        (counts > 0.0).then(|| self.nanos_until(later) / counts)
    }
}

#[derive(Debug)]
pub(super) struct Rate {
    /// The moment from which on the counter has kept its rate.
    since: Moment,
    /// The last moment at which that was seen.
    last: Moment,
    /// Measured within milliseconds: what is compared with, and seldom what is used.
    nanos_per_count: f64,
}

impl Rate {
    /// What a rate may differ by from the measured one.
    const TOLERANCE: f64 = 0.01;

    /// How long a measurement takes. In a shorter time, a reading that was interrupted looks like a
    /// wrong rate, and nothing is compared.
    pub(super) const SAMPLE: Duration = Duration::from_millis(2);

    /// That of a counter of nanoseconds.
    pub(super) fn of_nanoseconds(now: Moment) -> Self {
        Rate {
            since: now,
            last: now,
            nanos_per_count: 1.0,
        }
    }

    /// From two moments with at least [`Self::SAMPLE`] between them. If the time since `start` fits the
    /// measured rate, it counts too. A counter that stands makes all lengths zero.
    pub(super) fn measured(start: Moment, (begin, end): (Moment, Moment)) -> Self {
        let rate = |since| Rate {
            since,
            last: since,
            nanos_per_count: begin.nanos_per_count_until(end).unwrap_or_default(),
        };
        let mut from_start = rate(start);
        if from_start.follow(end) {
            from_start
        } else {
            rate(begin)
        }
    }

    /// The nanoseconds of a count, from all the time until `now`. `None` if the counter has not kept its
    /// rate since the last time.
    pub(super) fn at(&mut self, now: Moment) -> Option<f64> {
        let is_kept = self.follow(now);
        is_kept.then(|| {
            let whole = self.since.nanos_per_count_until(now);
            whole.unwrap_or(self.nanos_per_count)
        })
    }

    /// Compares only the time since the last moment. In all the time since the start, even a long
    /// suspend would be less than the tolerance.
    fn follow(&mut self, now: Moment) -> bool {
        let counted = self.last.counts_until(now) * self.nanos_per_count;
        let passed = self.last.nanos_until(now);
        let short = Self::SAMPLE.as_nanos() as f64;
        if counted.abs() < short && passed < short {
            return true;
        }
        let is_kept = (counted - passed).abs() <= passed * Self::TOLERANCE;
        if is_kept {
            self.last = now;
        }
        is_kept
    }
}

#[cfg(all(test, not(enter_span_loom)))]
mod tests {
    use super::{Moment, Rate};
    use std::time::Duration;

    const SECOND: u64 = 1_000_000_000;

    /// Of a counter with two counts a nanosecond, which began at a billion.
    fn moment(nanos: u64) -> Moment {
        apart(nanos, nanos)
    }

    /// The counter has counted more, or less, than the monotonic clock.
    fn apart(counted: u64, monotonic: u64) -> Moment {
        Moment {
            counted: 1_000_000_000 + 2 * counted,
            monotonic: Duration::from_nanos(monotonic),
        }
    }

    fn millis(millis: u64) -> u64 {
        millis * 1_000_000
    }

    fn measured_at(nanos: u64) -> Rate {
        Rate::measured(moment(0), (moment(nanos), moment(nanos + millis(2))))
    }

    /// Of a reading that is 100 ns late, 50 are left after a second, and all of a sample of 2 ms.
    #[test]
    fn the_rate_comes_from_all_the_time_since_the_start() {
        let sample = (
            moment(SECOND),
            apart(SECOND + millis(2), SECOND + millis(2) + 100),
        );
        let mut rate = Rate::measured(moment(0), sample);
        let known = rate.at(apart(2 * SECOND, 2 * SECOND + 100));
        let error = known.map(|rate| (rate * 2.0 * 1e9).round() - 1e9);
        assert_eq!(error, Some(50.0));
    }

    /// A machine is suspended for 20 seconds after 1: 100 ms are 100, and not 100 / 21.
    #[test]
    fn a_suspend_before_the_first_batch_does_not_count() {
        let (begin, end) = (apart(21 * SECOND, SECOND), SECOND + millis(2));
        let end = apart(20 * SECOND + end, end);
        let mut rate = Rate::measured(moment(0), (begin, end));
        assert_eq!(rate.at(end), Some(0.5));
    }

    #[test]
    fn a_rate_after_a_suspend_is_refused_and_taken_anew() {
        let mut rate = measured_at(SECOND);
        assert_eq!(rate.at(moment(2 * SECOND)), Some(0.5));
        let woken = apart(23 * SECOND, 3 * SECOND);
        assert_eq!(rate.at(woken), None);
        let end = apart(23 * SECOND + millis(2), 3 * SECOND + millis(2));
        let mut anew = Rate::measured(woken, (woken, end));
        assert_eq!(anew.at(end), Some(0.5));
        assert_eq!(anew.at(apart(24 * SECOND, 4 * SECOND)), Some(0.5));
    }

    /// The monotonic clock has stood since the last batch, and an hour was counted.
    #[test]
    fn a_suspend_between_two_batches_close_together_is_refused() {
        let mut rate = measured_at(SECOND);
        let before = 2 * SECOND;
        assert_eq!(rate.at(moment(before)), Some(0.5));
        assert_eq!(rate.at(apart(before + 3600 * SECOND, before + 1000)), None);
    }

    /// A minute in ten days is 0.007 %.
    #[test]
    fn a_suspend_late_in_the_life_of_a_process_is_refused() {
        let mut rate = measured_at(SECOND);
        let ten_days = 10 * 86_400 * SECOND;
        assert_eq!(rate.at(moment(ten_days)), Some(0.5));
        let woken = apart(ten_days + 61 * SECOND, ten_days + SECOND);
        assert_eq!(rate.at(woken), None);
    }

    #[test]
    fn a_counter_that_begins_anew_is_refused_and_measured_from_there() {
        let mut rate = measured_at(SECOND);
        let of = |counted, nanos| Moment {
            counted,
            monotonic: Duration::from_nanos(nanos),
        };
        let restored = of(7, 2 * SECOND);
        assert_eq!(rate.at(restored), None);
        let end = of(7 + 2 * millis(2), 2 * SECOND + millis(2));
        let mut anew = Rate::measured(restored, (restored, end));
        assert_eq!(anew.at(end), Some(0.5));
    }

    /// Two threads read on two cores whose counters are 50 ns apart, and one of them was interrupted.
    #[test]
    fn moments_close_together_are_not_compared() {
        let mut rate = measured_at(SECOND);
        let now = 2 * SECOND;
        assert_eq!(rate.at(moment(now)), Some(0.5));
        for near in [apart(now, now + 50), apart(now + 300_000, now + 100)] {
            let known = rate.at(near).map(|rate| (rate * 2e3).round());
            assert_eq!(known, Some(1e3), "{near:?}");
        }
        assert!(rate.at(apart(now - 50, now)).is_some());
    }

    #[test]
    fn a_rate_within_the_tolerance_is_followed() {
        let mut rate = measured_at(SECOND);
        let end = 1001 * SECOND + millis(2);
        let slow = apart(end - 9 * SECOND, end);
        assert!(
            rate.at(slow)
                .is_some_and(|rate| (0.504..0.505).contains(&rate))
        );
        let mut rate = measured_at(SECOND);
        assert_eq!(rate.at(apart(end - 11 * SECOND, end)), None);
    }

    #[test]
    fn a_counter_that_stands_makes_no_length() {
        let still = |nanos| Moment {
            counted: 5,
            monotonic: Duration::from_nanos(nanos),
        };
        let end = still(SECOND + millis(2));
        let rate = Rate::measured(still(0), (still(SECOND), end));
        assert_eq!(rate.nanos_per_count, 0.0);
    }
}
