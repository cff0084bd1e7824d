//! Local roots that are open where the table has no slot for them.
//!
//! Each is owned by its span alone, and the list has weak references: when the span ends, nothing waits and
//! nothing that the user owns is left. The references to roots that are gone are cleared away when half of them
//! are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, TryLockError, Weak};

use crate::span::root_slot::Entry;

/// Some of these roots, each with its tag.
pub(crate) struct Overflow {
    roots: RwLock<Vec<(u64, Weak<Entry>)>>,
    /// How many are in the list.
    len: AtomicUsize,
    /// How many of them have ended.
    ended: AtomicUsize,
}

/// Keeps a root in its list.
pub(crate) struct OverflowRoot {
    overflow: &'static Overflow,
    /// `None` once it has ended.
    entry: Option<Arc<Entry>>,
}

impl Overflow {
    pub(crate) const fn empty() -> Self {
        Overflow {
            roots: RwLock::new(Vec::new()),
            len: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        }
    }

    /// `None` where another thread has the list.
    pub(crate) fn open(&'static self, tag: u64, entry: &Arc<Entry>) -> Option<OverflowRoot> {
        self.try_write(|roots| roots.push((tag, Arc::downgrade(entry))))?;
        Some(OverflowRoot {
            overflow: self,
            entry: Some(Arc::clone(entry)),
        })
    }

    /// Those with this tag. None where another thread has the list.
    ///
    /// They drop outside of the lock: what else a context holds is the user's.
    pub(crate) fn find(&self, tag: u64) -> Vec<Arc<Entry>> {
        // Most lists are empty at all times.
        if self.len.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let roots = match self.roots.try_read() {
            Ok(roots) => roots,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Vec::new(),
        };
        let of_tag = roots.iter().filter(|(one, _)| *one == tag);
        of_tag.filter_map(|(_, root)| root.upgrade()).collect()
    }

    fn try_write(&self, write: impl FnOnce(&mut Vec<(u64, Weak<Entry>)>)) -> Option<()> {
        let mut roots = match self.roots.try_write() {
            Ok(roots) => roots,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        write(&mut roots);
        self.len.store(roots.len(), Ordering::Relaxed);
        Some(())
    }

    /// Each end tries it, so that one that finds the list taken leaves little behind.
    fn count_end(&self) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if ended < self.len.load(Ordering::Relaxed) / 2 {
            return;
        }
        self.try_write(|roots| {
            self.ended.store(0, Ordering::Relaxed);
            roots.retain(|(_, root)| root.strong_count() > 0);
            let room = 2 * roots.len();
            roots.shrink_to(room);
        });
    }
}

impl Drop for OverflowRoot {
    fn drop(&mut self) {
        drop(self.entry.take());
        self.overflow.count_end();
    }
}
