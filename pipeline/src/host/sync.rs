//! The locks and counters of the hand-over: the standard library's, or loom's where it is
//! model-checked (`--cfg enter_span_loom`).

#[cfg(enter_span_loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(enter_span_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(enter_span_loom)]
pub(crate) use loom::hint::spin_loop;
#[cfg(not(enter_span_loom))]
pub(crate) use std::hint::spin_loop;
use std::sync::TryLockError;

/// Locks if nobody else has. What a panic has left counts as it is.
#[inline(always)]
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Tries for about as long as others have a lock while they run. One whose owner stands still stays locked.
pub(crate) fn try_lock_soon<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    const ROUNDS: u32 = if cfg!(enter_span_loom) { 1 } else { 64 };
    for _ in 0..ROUNDS {
        if let Some(guard) = try_lock(mutex) {
            return Some(guard);
        }
        spin_loop();
    }
    None
}
