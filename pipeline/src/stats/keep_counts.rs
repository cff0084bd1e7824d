//! How many traces were kept, and how many were not.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`Keep`](crate::Keep) has decided: numbers of local traces. All are 0 without one.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Keep, KeepCounts, Pipeline};
///
/// let builder = Pipeline::builder().with_exporter(Console::new());
/// let pipeline = builder.with_keep(Keep::errors()).build()?;
/// pipeline.tracer("docs").enter_span("fine", |_| {});
/// pipeline.flush(Duration::from_secs(5))?;
/// let KeepCounts { kept, not_kept, .. } = pipeline.counts().keep;
/// assert_eq!((kept, not_kept), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepCounts {
    /// Traces that were kept.
    pub kept: u64,
    /// Traces that were not kept.
    pub not_kept: u64,
    /// Of both, those that were decided before their local root had ended, or right after, because they were too
    /// old or too large, or because undecided spans took half of the queue.
    pub decided_early: u64,
    /// Of those that were kept, the ones that were undecided at a shutdown.
    pub undecided_at_shutdown: u64,
    /// Panics of rules. Each has kept its trace.
    pub panics: u64,
}

#[derive(Debug, Default)]
pub(crate) struct KeepLedger {
    kept: AtomicU64,
    not_kept: AtomicU64,
    decided_early: AtomicU64,
    undecided_at_shutdown: AtomicU64,
    panics: AtomicU64,
    /// Spans that wait for a decision.
    undecided: AtomicU64,
}

// Relaxed throughout: what a flush promises about these is ordered by the lock that it waits with.
impl KeepLedger {
    pub(crate) fn count_kept(&self) {
        add(&self.kept, 1);
    }

    pub(crate) fn count_not_kept(&self) {
        add(&self.not_kept, 1);
    }

    pub(crate) fn count_early(&self) {
        add(&self.decided_early, 1);
    }

    pub(crate) fn count_undecided(&self, traces: usize) {
        add(&self.undecided_at_shutdown, traces as u64);
    }

    pub(crate) fn count_panics(&self, panics: u64) {
        if panics > 0 {
            add(&self.panics, panics);
        }
    }

    pub(crate) fn set_undecided(&self, spans: usize) {
        self.undecided.store(spans as u64, Ordering::Relaxed);
    }

    pub(crate) fn undecided(&self) -> u64 {
        self.undecided.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> KeepCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeepCounts {
            kept: get(&self.kept),
            not_kept: get(&self.not_kept),
            decided_early: get(&self.decided_early),
            undecided_at_shutdown: get(&self.undecided_at_shutdown),
            panics: get(&self.panics),
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
