//! What all buffers and batches of a pipeline may hold together, given out in portions.

use crate::host::sync::{AtomicUsize, Ordering};

/// A number of spans, and of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) spans: usize,
    pub(crate) bytes: usize,
}

pub(crate) struct Budget {
    spans: Account,
    bytes: Account,
}

/// One kind of what is given out.
pub(crate) struct Account {
    most: usize,
    used: AtomicUsize,
    /// Given out since the worker was there: what may wait in the buffers.
    fresh: AtomicUsize,
}

/// What was given; and whether half of all was given out with it since the worker was there.
pub(crate) struct Given {
    pub(crate) amount: usize,
    pub(crate) is_half: bool,
}

impl Budget {
    pub(crate) fn new(most: Room) -> Self {
        Budget {
            spans: Account::new(most.spans),
            bytes: Account::new(most.bytes),
        }
    }

    pub(crate) fn spans(&self) -> &Account {
        &self.spans
    }

    pub(crate) fn bytes(&self) -> &Account {
        &self.bytes
    }

    pub(crate) fn give_back(&self, room: Room) {
        self.spans.give_back(room.spans);
        self.bytes.give_back(room.bytes);
    }

    /// The worker is there.
    pub(crate) fn begin(&self) {
        self.spans.begin();
        self.bytes.begin();
    }

    #[cfg(all(test, enter_span_loom))]
    pub(crate) fn used(&self) -> Room {
        Room {
            spans: self.spans.used.load(Ordering::Relaxed),
            bytes: self.bytes.used.load(Ordering::Relaxed),
        }
    }

    /// Whether a quarter is left.
    pub(crate) fn is_ample(&self) -> bool {
        self.spans.is_ample() && self.bytes.is_ample()
    }
}

// Relaxed throughout: these are counters. What they count is handed over under the locks of the
// buffers, and each change is one atomic step, so that they never pass their limit.
impl Account {
    fn new(most: usize) -> Self {
        Account {
            most,
            used: AtomicUsize::new(0),
            fresh: AtomicUsize::new(0),
        }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Up to `wanted`, but at least `needed`, of what is left; or nothing.
    pub(crate) fn take(&self, wanted: usize, needed: usize) -> Given {
        let mut amount = 0;
        let grow = |used: usize| {
            let left = self.most.saturating_sub(used);
            amount = if left < needed { 0 } else { left.min(wanted) };
            (amount > 0).then(|| used + amount)
        };
        let grown = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow);
        if grown.is_err() {
            amount = 0;
        }
        Given {
            amount,
            is_half: amount > 0 && self.passes_half(amount),
        }
    }

    fn passes_half(&self, amount: usize) -> bool {
        let half = (self.most / 2).max(1);
        let before = self.fresh.fetch_add(amount, Ordering::Relaxed);
        before < half && before.saturating_add(amount) >= half
    }

    fn give_back(&self, amount: usize) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }

    fn begin(&self) {
        self.fresh.store(0, Ordering::Relaxed);
    }

    fn is_ample(&self) -> bool {
        self.used.load(Ordering::Relaxed) <= self.most - self.most / 4
    }
}
