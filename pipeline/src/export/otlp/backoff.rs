//! How long to wait before a request is sent again.

use std::time::Duration;

use super::answer::Retry;
use crate::sampling::id;

/// Grows with each try.
#[derive(Default)]
pub(super) struct Backoff {
    tries: u32,
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Tries for which the receiver's word is enough. One that always asks for no pause must not be asked as
/// fast as it answers.
const TRUSTED: u32 = 3;

impl Backoff {
    /// `None` if there is no other try.
    pub(super) fn next(&mut self, retry: Retry) -> Option<Duration> {
        let pause = match retry {
            Retry::Never => return None,
            Retry::Now => Duration::ZERO,
            Retry::Later => self.own(),
            Retry::After(pause) if self.tries < TRUSTED => pause,
            Retry::After(pause) => pause.max(self.own()),
        };
        self.tries += 1;
        Some(pause)
    }

    /// Half of it is left to chance, so that not all processes come back together.
    fn own(&self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.tries.min(16)).min(LONGEST);
        whole.mul_f64(0.5 + id::fraction() / 2.0)
    }

    /// How often a request was sent before.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }
}
