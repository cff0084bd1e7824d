//! What recorders share: the record of each, which live on this thread, and whether one test has the process
//! for itself.
//!
//! All shared state of this folder except the list of [`unclaimed`](super::unclaimed) spans. Nothing here knows
//! about providers, contexts or traces.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use super::entry::Record;
use crate::backend::context_backend::Observer;

static PROCESS: Mutex<ProcessState> = Mutex::new(ProcessState {
    recorders: 0,
    is_exclusive: false,
});
static CHANGED: Condvar = Condvar::new();

thread_local! {
    /// The recorders that were made on this thread and live.
    static RECORDERS: RefCell<Vec<Weak<RecorderState>>> = const { RefCell::new(Vec::new()) };

    static IS_EXCLUSIVE: Cell<bool> = const { Cell::new(false) };
}

struct ProcessState {
    recorders: usize,
    is_exclusive: bool,
}

fn process() -> MutexGuard<'static, ProcessState> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait_while(is_blocked: impl Fn(&ProcessState) -> bool) -> MutexGuard<'static, ProcessState> {
    CHANGED
        .wait_while(process(), |process| is_blocked(process))
        .unwrap_or_else(PoisonError::into_inner)
}

/// Whether a recorder lives, on any thread.
pub(super) fn is_recorder_alive() -> bool {
    process().recorders > 0
}

/// Waits until no recorder lives and no other test is exclusive. Then makes this thread's test exclusive.
pub(super) fn start_exclusive() {
    wait_while(|process| process.is_exclusive || process.recorders > 0).is_exclusive = true;
    IS_EXCLUSIVE.set(true);
}

pub(super) fn end_exclusive() {
    IS_EXCLUSIVE.set(false);
    process().is_exclusive = false;
    CHANGED.notify_all();
}

/// Whether this thread's test has the process for itself.
pub(super) fn is_exclusive() -> bool {
    IS_EXCLUSIVE.try_with(Cell::get).unwrap_or(false)
}

/// Counts a recorder while it lives.
struct RecorderCount(());

impl RecorderCount {
    /// Waits while a test of another thread is exclusive.
    fn add() -> Self {
        wait_while(|process| process.is_exclusive && !is_exclusive()).recorders += 1;
        RecorderCount(())
    }
}

impl Drop for RecorderCount {
    fn drop(&mut self) {
        process().recorders -= 1;
        CHANGED.notify_all();
    }
}

/// What all clones of a recorder share, and its provider.
pub(super) struct RecorderState {
    record: Mutex<Record>,
    sampler: Box<dyn Fn(&str) -> bool + Send + Sync>,
    _count: RecorderCount,
}

impl RecorderState {
    pub(super) fn new(sampler: impl Fn(&str) -> bool + Send + Sync + 'static) -> Arc<Self> {
        let state = Arc::new(RecorderState {
            record: Mutex::default(),
            sampler: Box::new(sampler),
            _count: RecorderCount::add(),
        });
        let weak = Arc::downgrade(&state);
        // A dying thread runs no test any more.
        let _ = RECORDERS.try_with(|recorders| {
            let mut recorders = recorders.borrow_mut();
            recorders.retain(|weak| weak.strong_count() > 0);
            recorders.push(weak);
        });
        state
    }

    /// The newest recorder of this thread.
    pub(super) fn newest_here() -> Option<Arc<Self>> {
        let newest = |recorders: &RefCell<Vec<Weak<Self>>>| {
            recorders.borrow().iter().rev().find_map(Weak::upgrade)
        };
        RECORDERS.try_with(newest).ok().flatten()
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn samples(&self, root: &str) -> bool {
        (self.sampler)(root)
    }

    pub(super) fn add_orphan(&self, name: &str) {
        self.record().orphans.push(name.to_owned());
    }
}

impl Observer for RecorderState {
    fn hidden(&self, leaf: &'static str, name: &str) {
        self.record().hidden.push((leaf, name.to_owned()));
    }
}
