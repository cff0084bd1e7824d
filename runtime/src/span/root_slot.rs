//! The slot of a local root that is open.
//!
//! Its lock is only tried. A start that finds it taken uses another slot, and a look-up that finds it taken by a
//! start or an end goes on without the root. An end that finds it taken leaves the rest to who has it: that one
//! sees the tag afterwards. A lock that was taken at a fork costs the child the slot.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{RwLock, RwLockWriteGuard, TryLockError};

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceId};

/// Who made a local root.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Origin {
    Ours,
    /// Others: ours are below it.
    Foreign,
}

/// A local root that is open. One of others is there as often as spans of ours are its children.
#[derive(Clone, Copy)]
pub(crate) struct Root {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) origin: Origin,
    /// In the order of their starts.
    pub(crate) number: u64,
}

/// What is known of a root.
pub(crate) struct Entry {
    pub(crate) root: Root,
    /// Where it is the current span. `None` if there is no root.
    pub(crate) context: Option<Context>,
}

impl Entry {
    /// The root, if it is of this trace.
    pub(crate) fn of_trace(&self, trace_id: TraceId) -> Option<(Root, &Context)> {
        let context = self.context.as_ref()?;
        (self.root.trace_id == trace_id).then_some((self.root, context))
    }
}

/// The place of a root.
pub(crate) struct Slot {
    /// Of the root that is open here, else [`FREE`]. It is written by who opens it, under the lock, and by who
    /// closes it.
    tag: AtomicU64,
    entry: RwLock<Entry>,
}

const FREE: u64 = 0;

/// From what is random in the trace ids of all generators.
#[inline]
pub(crate) fn tag_of(trace_id: TraceId) -> u64 {
    u128::from_be_bytes(trace_id.to_bytes()) as u64 | 1
}

impl Slot {
    pub(crate) const fn free() -> Self {
        Slot {
            tag: AtomicU64::new(FREE),
            entry: RwLock::new(Entry {
                root: Root {
                    trace_id: TraceId::INVALID,
                    span_id: SpanId::INVALID,
                    origin: Origin::Ours,
                    number: 0,
                },
                context: None,
            }),
        }
    }

    #[inline]
    fn try_write(&self) -> Option<RwLockWriteGuard<'_, Entry>> {
        match self.entry.try_write() {
            Ok(entry) => Some(entry),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    // Relaxed is enough for a tag: what it stands for is read and written under the lock.
    #[inline]
    fn tag(&self) -> u64 {
        self.tag.load(Ordering::Relaxed)
    }

    /// Opens a root here, if the slot is free.
    #[inline]
    pub(crate) fn fill(&self, root: Root, context: &Context) -> bool {
        if self.tag() != FREE {
            return false;
        }
        let Some(mut entry) = self.try_write() else {
            return false;
        };
        if entry.context.is_some() {
            // The last root is in it, and who closes that may have found the lock taken.
            self.clear(entry);
            return false;
        }
        entry.root = root;
        entry.context = Some(context.clone());
        self.tag.store(tag_of(root.trace_id), Ordering::Relaxed);
        true
    }

    /// Closes the root that is open here.
    #[inline]
    pub(crate) fn empty(&self) {
        self.tag.store(FREE, Ordering::Relaxed);
        match self.try_write() {
            Some(entry) => self.clear(entry),
            None => self.sweep(),
        }
    }

    /// Drops what is left of a root that was closed. Where another thread has the lock, that one does it: either
    /// it sees the tag after it has unlocked, or this one sees that it has.
    #[cold]
    #[inline(never)]
    fn sweep(&self) {
        fence(Ordering::SeqCst);
        if self.tag() == FREE {
            if let Some(entry) = self.try_write() {
                self.clear(entry);
            }
        }
    }

    /// Outside of the lock: what else the context holds is the user's.
    #[inline]
    fn clear(&self, mut entry: RwLockWriteGuard<'_, Entry>) {
        let closed = if self.tag() == FREE {
            entry.context.take()
        } else {
            None
        };
        drop(entry);
        drop(closed);
    }

    /// Reads the root that is open here, if it is of this trace. `None` also if it starts or ends at this moment.
    pub(crate) fn read<R>(
        &self,
        trace_id: TraceId,
        read: impl FnOnce(Root, &Context) -> Option<R>,
    ) -> Option<R> {
        if self.tag() != tag_of(trace_id) {
            return None;
        }
        let entry = match self.entry.try_read() {
            Ok(entry) => entry,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let found = entry.of_trace(trace_id);
        let found = found.and_then(|(root, context)| read(root, context));
        drop(entry);
        self.sweep();
        found
    }
}
