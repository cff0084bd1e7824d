//! How much all buffers and batches of a pipeline may hold together, given out in portions.

use crate::host::sync::{AtomicBool, AtomicUsize, Ordering};

/// A number of spans, and of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) spans: usize,
    pub(crate) bytes: usize,
}

/// Items in a list, at most.
const MOST_IN_LIST: usize = 512;

impl Size {
    /// What a list holds that fits into a batch of this size.
    pub(crate) fn of_list(self) -> Self {
        Size {
            spans: self.spans.clamp(1, MOST_IN_LIST),
            bytes: self.bytes,
        }
    }

    pub(crate) fn half(self) -> Self {
        Size {
            spans: self.spans / 2,
            bytes: self.bytes / 2,
        }
    }
}

/// Shares a size out among its spans: what each of them takes is not known any more.
pub(crate) struct Shares {
    each: usize,
    rest: usize,
}

impl Shares {
    pub(crate) fn of(size: Size) -> Self {
        let spans = size.spans.max(1);
        Shares {
            each: size.bytes / spans,
            rest: size.bytes % spans,
        }
    }

    /// The bytes of the next span. All together are those of the size.
    #[inline]
    pub(crate) fn next(&mut self) -> usize {
        self.next_of(1)
    }

    /// The same for so many spans.
    #[inline]
    pub(crate) fn next_of(&mut self, spans: usize) -> usize {
        self.each * spans + std::mem::take(&mut self.rest)
    }
}

pub(crate) struct Budget {
    spans: Quota,
    bytes: Quota,
    /// Portions were taken back, and are not given out until there is room: each item asks for itself.
    is_scarce: AtomicBool,
}

/// The budget of spans, or that of bytes.
pub(crate) struct Quota {
    limit: usize,
    used: AtomicUsize,
    /// Given out since the worker was there: what may wait in the buffers.
    fresh: AtomicUsize,
}

/// What was given; and whether half of all was given out with it since the worker was there.
struct Portion {
    amount: usize,
    is_half: bool,
}

impl Budget {
    pub(crate) fn new(limit: Size) -> Self {
        Budget {
            spans: Quota::new(limit.spans),
            bytes: Quota::new(limit.bytes),
            is_scarce: AtomicBool::new(false),
        }
    }

    pub(crate) fn spans(&self) -> &Quota {
        &self.spans
    }

    pub(crate) fn bytes(&self) -> &Quota {
        &self.bytes
    }

    pub(crate) fn give_back(&self, size: Size) {
        self.spans.give_back(size.spans);
        self.bytes.give_back(size.bytes);
    }

    /// Bytes that are in use, whether there is room or not.
    pub(crate) fn charge(&self, before: usize, now: usize) {
        if now > before {
            self.bytes.charge(now - before);
        } else {
            self.bytes.give_back(before - now);
        }
    }

    /// Adds a portion to a thread's room, for an item of so many bytes. Gives whether half of all is
    /// given out now; `None` if there is no room.
    pub(crate) fn top_up(&self, room: &mut Size, bytes: usize) -> Option<bool> {
        // Relaxed is enough: a thread that misses the switch takes a portion where one item was meant,
        // and the portion is taken back.
        let is_scarce = self.is_scarce.load(Ordering::Relaxed);
        let mut is_half = false;
        if room.spans == 0 {
            let wanted = portion_size(self.spans.limit, 32, 1, is_scarce);
            let portion = self.spans.take(wanted, 1);
            room.spans += portion.amount;
            is_half |= portion.is_half;
        }
        if room.bytes < bytes {
            let missing = bytes - room.bytes;
            let wanted = portion_size(self.bytes.limit, 32 * 1024, missing, is_scarce);
            let portion = self.bytes.take(wanted, missing);
            room.bytes += portion.amount;
            is_half |= portion.is_half;
        }
        let has_room = room.spans > 0 && room.bytes >= bytes;
        if is_scarce && !has_room {
            self.give_back(std::mem::take(room));
        }
        has_room.then_some(is_half)
    }

    pub(crate) fn is_scarce(&self) -> bool {
        self.is_scarce.load(Ordering::Acquire)
    }

    /// Whether it was not.
    pub(crate) fn make_scarce(&self) -> bool {
        !self.is_scarce.swap(true, Ordering::AcqRel)
    }

    /// The worker is there. If a quarter is left, portions are given out again.
    pub(crate) fn begin(&self) {
        self.spans.begin();
        self.bytes.begin();
        if self.spans.is_ample() && self.bytes.is_ample() {
            self.is_scarce.store(false, Ordering::Relaxed);
        }
    }

    #[cfg(all(test, enter_span_loom))]
    pub(crate) fn used(&self) -> Size {
        Size {
            spans: self.spans.used.load(Ordering::Relaxed),
            bytes: self.bytes.used.load(Ordering::Relaxed),
        }
    }
}

/// How much a thread is given: a 64th of all, but no more than `most` and no less than it needs.
fn portion_size(all: usize, most: usize, needed: usize, is_scarce: bool) -> usize {
    if is_scarce {
        needed
    } else {
        (all / 64).clamp(1, most).max(needed)
    }
}

// Relaxed throughout: these are counters. What they count is handed over under the locks of the
// buffers, and each change is one atomic step, so that they pass their limit only by what is charged.
impl Quota {
    fn new(limit: usize) -> Self {
        Quota {
            limit,
            used: AtomicUsize::new(0),
            fresh: AtomicUsize::new(0),
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Up to `wanted`, but at least `needed`, of what is left; or nothing.
    fn take(&self, wanted: usize, needed: usize) -> Portion {
        let mut amount = 0;
        let grow = |used: usize| {
            let left = self.limit.saturating_sub(used);
            amount = if left < needed { 0 } else { left.min(wanted) };
            (amount > 0).then(|| used + amount)
        };
        let grown = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow);
        if grown.is_err() {
            amount = 0;
        }
        Portion {
            amount,
            is_half: amount > 0 && self.passes_half(amount),
        }
    }

    fn passes_half(&self, amount: usize) -> bool {
        let half = (self.limit / 2).max(1);
        let before = self.fresh.fetch_add(amount, Ordering::Relaxed);
        before < half && before.saturating_add(amount) >= half
    }

    fn charge(&self, amount: usize) {
        self.used.fetch_add(amount, Ordering::Relaxed);
    }

    fn give_back(&self, amount: usize) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }

    fn begin(&self) {
        self.fresh.store(0, Ordering::Relaxed);
    }

    fn is_ample(&self) -> bool {
        self.used.load(Ordering::Relaxed) <= self.limit - self.limit / 4
    }
}
