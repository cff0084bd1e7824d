//! The clocks, also where the standard library has none.
//!
//! On `wasm32-unknown-unknown`, reading those of the standard library panics. OpenTelemetry's API reads
//! JavaScript's `Date` there, in whole milliseconds, and so does this.

pub(crate) use of_target::{Monotonic, wall_now};

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod of_target {
    use std::time::{Duration, Instant, SystemTime};

    #[inline]
    pub(crate) fn wall_now() -> SystemTime {
        SystemTime::now()
    }

    /// A moment of the monotonic clock.
    #[derive(Clone, Copy)]
    pub(crate) struct Monotonic(Instant);

    impl Monotonic {
        #[inline]
        pub(crate) fn now() -> Self {
            Monotonic(Instant::now())
        }

        #[inline]
        pub(crate) fn elapsed_until(self, later: Self) -> Duration {
            later.0.saturating_duration_since(self.0)
        }
    }
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod of_target {
    use std::time::{Duration, SystemTime};

    pub(crate) use opentelemetry::time::now as wall_now;

    /// A moment of the wall clock, since there is no other. Set back, it stands.
    #[derive(Clone, Copy)]
    pub(crate) struct Monotonic(SystemTime);

    impl Monotonic {
        pub(crate) fn now() -> Self {
            Monotonic(wall_now())
        }

        pub(crate) fn elapsed_until(self, later: Self) -> Duration {
            later.0.duration_since(self.0).unwrap_or_default()
        }
    }
}
