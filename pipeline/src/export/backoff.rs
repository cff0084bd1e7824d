//! How long an exporter waits before a batch is sent again.

use std::time::Duration;

use crate::sampling::id;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Failures for which the receiver's word is enough. One that always asks for no pause must not be asked as
/// fast as it answers.
const TRUSTED: u32 = 3;

/// After so many failures before this one. `named` is the pause that the receiver asks for.
pub(super) fn pause(failures: u32, named: Option<Duration>) -> Duration {
    match named {
        Some(named) if failures < TRUSTED => named,
        named => named.unwrap_or_default().max(own(failures)),
    }
}

/// Half of it is left to chance, so that not all processes come back together.
fn own(failures: u32) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    whole.mul_f64(0.5 + id::fraction() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is between a half and the whole of a quarter of a second, twice that, and so on to 30 seconds.
    #[test]
    fn pauses_double_up_to_thirty_seconds() {
        let wholes = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
        let tries = (0..).zip(wholes).chain([(u32::MAX, 30_000)]);
        for (failures, whole) in tries {
            let range = Duration::from_millis(whole / 2)..=Duration::from_millis(whole);
            let pause = pause(failures, None);
            assert!(range.contains(&pause), "{failures}: {pause:?}");
        }
    }

    /// The receiver's word stands, until it has asked for no pause three times.
    #[test]
    fn a_receiver_names_the_pause() {
        let hour = Duration::from_secs(3600);
        assert_eq!(pause(0, Some(hour)), hour);
        assert_eq!(pause(9, Some(hour)), hour);
        assert_eq!(pause(2, Some(Duration::ZERO)), Duration::ZERO);
        assert!(pause(3, Some(Duration::ZERO)) >= Duration::from_secs(1));
    }
}
