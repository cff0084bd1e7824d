//! Whether anything records, and what.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::shared_backend::SharedBackend;

/// The bits of [`state`](crate::state). A version ignores those that it does not know.
pub mod flags {
    /// The process has a backend.
    pub const INSTALLED: usize = 1;
    /// Each thread may keep it: nothing waits for its destructor.
    pub const CACHED: usize = 1 << 1;
    /// It records nothing below a local span that is not sampled.
    pub const FOLLOWS: usize = 1 << 2;
    /// From here on, the state counts the [overrides](crate::ContextOverride) that live.
    pub const OVERRIDE: usize = 1 << 8;
}

/// Relaxed is enough: a thread that misses a switch makes one span fewer or asks once in vain, and what it
/// then reads stands behind a lock.
static STATE: AtomicUsize = AtomicUsize::new(0);

/// Changes under the lock of `BACKEND`, with it.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

static BACKEND: RwLock<Option<Arc<SharedBackend>>> = RwLock::new(None);

/// The [`flags`] of the process, in one relaxed load. Zero means that nothing records.
#[inline(always)]
pub fn state() -> usize {
    STATE.load(Ordering::Relaxed)
}

/// The number of the last change of the process's backend, in one relaxed load. Zero before the first.
#[inline(always)]
pub fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

/// The process's backend, and the number of its last change.
pub fn current() -> (usize, Option<Arc<SharedBackend>>) {
    let backend = BACKEND.read().unwrap_or_else(PoisonError::into_inner);
    (generation(), backend.clone())
}

/// Replaces the backend of the process, and gives the number of this change. `with` are the [`flags`] below
/// [`OVERRIDE`](flags::OVERRIDE) that hold for it.
///
/// What was there drops on this thread, outside of the lock, if nobody else holds it.
pub fn install(backend: SharedBackend, with: usize) -> usize {
    let backend = Some(Arc::new(backend));
    replace(backend, with, |_| true).unwrap_or_else(generation)
}

/// Takes the backend of this number away, and gives whether it was still the process's.
pub fn uninstall(installed: usize) -> bool {
    replace(None, 0, |current| current == installed).is_some()
}

fn replace(
    by: Option<Arc<SharedBackend>>,
    with: usize,
    may_replace: impl FnOnce(usize) -> bool,
) -> Option<usize> {
    let mut backend = BACKEND.write().unwrap_or_else(PoisonError::into_inner);
    if !may_replace(generation()) {
        return None;
    }
    let before = std::mem::replace(&mut *backend, by);
    let generation = GENERATION.fetch_add(1, Ordering::Relaxed) + 1;
    let of_process = flags::OVERRIDE - 1;
    let switch = |now: usize| Some(now & !of_process | with & of_process);
    let _ = STATE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, switch);
    drop(backend);
    // A provider's destructor may flush, so it runs outside of the lock.
    drop(before);
    Some(generation)
}

pub(crate) fn count_override() {
    STATE.fetch_add(flags::OVERRIDE, Ordering::Relaxed);
}

pub(crate) fn uncount_override() {
    STATE.fetch_sub(flags::OVERRIDE, Ordering::Relaxed);
}
