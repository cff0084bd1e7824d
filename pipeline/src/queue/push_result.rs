//! The result of a push into the queue, and how often each was.

use crate::host::sync::{AtomicU64, Ordering};

/// What came of a push.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PushResult {
    /// Whether there was room.
    pub(crate) is_accepted: bool,
    /// When the worker should come, if it has to be called.
    pub(crate) call: Option<WorkerCall>,
}

/// When the worker should come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerCall {
    Now,
    /// When its interval is over: there is something to do at all.
    Soon,
}

/// How many items came into the buffers, and how many did not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueueCounts {
    pub(crate) accepted: u64,
    pub(crate) full: u64,
    pub(crate) closed: u64,
    pub(crate) forked: u64,
}

#[derive(Default)]
pub(super) struct RefusalCounts([AtomicU64; 3]);

/// Why an item was not accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    Closed,
    Forked,
}

impl RefusalCounts {
    pub(super) fn count(&self, refusal: Refusal) {
        self.0[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> QueueCounts {
        let counters = self.0.each_ref();
        let [full, closed, forked] = counters.map(|counter| counter.load(Ordering::Relaxed));
        QueueCounts {
            accepted: 0,
            full,
            closed,
            forked,
        }
    }
}
