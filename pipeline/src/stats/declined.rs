//! Why spans were not recorded, counted where that is decided.
//!
//! Not counted is the commonest case: a span below a local one that is not sampled is not even asked
//! for. Its root was counted.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use opentelemetry::trace::SpanContext;

/// Why a span is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The sampler declined a root.
    Root,
    /// It is below a remote parent that is not sampled.
    Remote,
    /// The sampler declined it below a sampled parent, or is one of the application's.
    Sampler,
    /// Its instrumentation scope is muted.
    Muted,
    /// The pipeline is shut down.
    Closed,
}

const REASONS: usize = 5;

/// Counters that threads share only if there are more threads than stripes.
const STRIPES: usize = 16;

#[derive(Default)]
pub(crate) struct Declined([Stripe; STRIPES]);

/// On cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; REASONS]);

thread_local! {
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        // Relaxed: the numbers only have to differ.
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
    };
}

impl Reason {
    /// Of a span that a sampler other than the application's declined; `None` where it follows a local
    /// parent, whose root was counted.
    #[inline]
    pub(crate) fn below(parent: &SpanContext) -> Option<Self> {
        match parent.is_valid() {
            false => Some(Reason::Root),
            true if parent.is_sampled() => Some(Reason::Sampler),
            true if parent.is_remote() => Some(Reason::Remote),
            true => None,
        }
    }
}

impl Declined {
    #[inline]
    pub(crate) fn count(&self, reason: Reason) {
        let stripe = STRIPE.try_with(|stripe| *stripe).unwrap_or_default();
        let Stripe(counters) = &self.0[stripe];
        counters[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of(&self, reason: Reason) -> u64 {
        let count = |stripe: &Stripe| stripe.0[reason as usize].load(Ordering::Relaxed);
        self.0.iter().map(count).sum()
    }
}
