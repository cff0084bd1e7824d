//! Which process a pipeline belongs to. A forked child has its memory, and none of its threads: a lock
//! that one of them held is never opened there.

use std::sync::PoisonError;

use crate::host::sync::{Mutex, MutexGuard, try_lock};

pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn this() -> Self {
        Process(std::process::id())
    }

    /// Asks the operating system: not for every span.
    pub(crate) fn is_forked(&self) -> bool {
        self.0 != std::process::id()
    }

    /// Waits for the lock as always, but not in a forked child, whose lock may have no owner. The
    /// operating system is asked only where there is something to wait for.
    pub(crate) fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        match try_lock(mutex) {
            Some(guard) => Some(guard),
            None if self.is_forked() => None,
            None => Some(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}
