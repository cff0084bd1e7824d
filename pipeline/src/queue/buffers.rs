//! The way from the threads to the worker: a buffer for each thread, and a budget for all of them.
//!
//! A buffer is locked for one push, and by the worker a few times a second, so threads do not wait for
//! each other. A thread returns the part of its portion that it has not used. This file does not know
//! what is queued: only that it comes in lists, which are no longer than a batch and are used again.
//! `model.rs` checks it under every order of events.
//!
//! A lock that a thread of the parent held is never opened in a forked child. So each lock is tried
//! first, and the process id is read only if the lock is taken, where the worker would be woken, and by
//! the handle. Until then a child fills at most half of the queue.

use std::sync::Arc;

use crate::host::process::Process;
use crate::host::sync::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering,
};
use crate::queue::budget::{Budget, Size};
use crate::queue::push_result::{PushResult, QueueCounts, Refusal, RefusalCounts, WorkerCall};
use crate::queue::thread_buffer::{BufferState, ThreadBuffer};

/// All buffers, and what they may hold.
pub(crate) struct Buffers<L> {
    budget: Budget,
    /// Items in one buffer for which the worker should come.
    due: usize,
    /// What a list holds. A larger item has one of its own.
    list: Size,
    process: Process,
    buffers: Mutex<Vec<Arc<ThreadBuffer<L>>>>,
    /// How many buffers the worker has seen.
    known: AtomicUsize,
    phase: AtomicU8,
    /// Locked by the thread that takes portions back; `is_reclaiming` says whether there is one.
    reclaiming: Mutex<()>,
    is_reclaiming: AtomicBool,
    /// The worker sleeps until it is called.
    is_asleep: AtomicBool,
    /// Accepted by buffers whose thread is gone.
    accepted: AtomicU64,
    refused: RefusalCounts,
}

/// A list that the worker has taken out of a buffer, and will give back empty.
pub(crate) struct DrainedList<L> {
    pub(crate) items: L,
    pub(crate) size: Size,
    home: Arc<ThreadBuffer<L>>,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const FORKED: u8 = 2;

/// Spare lists in each buffer, at most.
const MOST_SPARE: usize = 8;

/// Items in a list, at most.
const MOST_IN_LIST: usize = 512;

impl<L: Default> Buffers<L> {
    /// For lists that fit into a batch.
    pub(crate) fn new(most: Size, batch: Size, due: usize) -> Self {
        Buffers {
            budget: Budget::new(most),
            due,
            list: Size {
                spans: batch.spans.clamp(1, MOST_IN_LIST),
                bytes: batch.bytes,
            },
            process: Process::this(),
            buffers: Mutex::new(Vec::new()),
            known: AtomicUsize::new(1),
            phase: AtomicU8::new(OPEN),
            reclaiming: Mutex::new(()),
            is_reclaiming: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            refused: RefusalCounts::default(),
        }
    }

    // Relaxed is enough: the worker locks each buffer after the switch, and who locks it later sees
    // it. A thread that misses it before makes one span that is refused at its end.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase.load(Ordering::Relaxed) != OPEN
    }

    /// From now on what is pushed is counted and refused. What was pushed before is in the buffers.
    pub(crate) fn close(&self) {
        // It may have been closed before; by whom does not matter.
        let _ = self
            .phase
            .compare_exchange(OPEN, CLOSED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether this is a child of the process that made it, where nobody will come. It is closed
    /// then, and what it has is the parent's to export.
    pub(crate) fn is_forked(&self) -> bool {
        if self.phase.load(Ordering::Relaxed) == FORKED {
            return true;
        }
        if !self.process.is_forked() {
            return false;
        }
        self.phase.store(FORKED, Ordering::Relaxed);
        for buffer in self.buffers().iter().flat_map(|buffers| buffers.iter()) {
            let items = self.lock(buffer).map(|mut state| state.take());
            drop(items);
        }
        true
    }

    #[inline]
    fn lock<'a>(&self, buffer: &'a ThreadBuffer<L>) -> Option<MutexGuard<'a, BufferState<L>>> {
        self.process.lock(&buffer.0)
    }

    fn buffers(&self) -> Option<MutexGuard<'_, Vec<Arc<ThreadBuffer<L>>>>> {
        self.process.lock(&self.buffers)
    }

    /// A buffer for a thread, until it [leaves](Self::leave).
    pub(crate) fn join(&self) -> Arc<ThreadBuffer<L>> {
        let buffer = Arc::<ThreadBuffer<L>>::default();
        if let Some(mut buffers) = self.buffers() {
            buffers.push(Arc::clone(&buffer));
        }
        buffer
    }

    /// What the thread has not used goes back, and the worker removes the buffer. Where it does not
    /// come any more, it is removed here.
    pub(crate) fn leave(&self, buffer: &Arc<ThreadBuffer<L>>) {
        if let Some(mut state) = self.lock(buffer) {
            state.is_left = true;
            state.return_room(&self.budget);
        }
        if self.is_closed() {
            self.remove(buffer);
        }
    }

    /// With items in it, it is the worker's.
    fn remove(&self, left: &Arc<ThreadBuffer<L>>) {
        let Some(mut buffers) = self.buffers() else {
            return;
        };
        buffers.retain(|buffer| {
            if !Arc::ptr_eq(buffer, left) {
                return true;
            }
            self.lock(buffer).is_none_or(|state| {
                if state.waiting == 0 {
                    self.accepted.fetch_add(state.accepted, Ordering::Relaxed);
                }
                state.waiting > 0
            })
        });
    }

    /// Has an item of so many bytes put into a list. Never waits for the worker. One that does not fit is
    /// not put, and counted.
    #[inline(always)]
    pub(crate) fn push(
        &self,
        buffer: &ThreadBuffer<L>,
        bytes: usize,
        mut put: impl FnMut(&mut L),
    ) -> PushResult {
        // Once only: whether this thread took back what others had and did not use.
        let mut reclaimed = None;
        loop {
            match self.try_push(buffer, bytes, &mut put) {
                Ok(call) => {
                    let is_due = reclaimed == Some(true);
                    return PushResult {
                        is_accepted: true,
                        call: is_due.then_some(WorkerCall::Now).or(call),
                    };
                }
                Err(Refusal::Full) if reclaimed.is_none() => reclaimed = Some(self.reclaim()),
                Err(refusal) => return self.refuse(refusal, reclaimed == Some(true)),
            }
        }
    }

    #[cold]
    fn refuse(&self, refusal: Refusal, is_due: bool) -> PushResult {
        self.refused.count(refusal);
        let call = match refusal {
            _ if is_due => Some(WorkerCall::Now),
            // The application gets the warning.
            Refusal::Full => self.wake_worker(),
            Refusal::Closed | Refusal::Forked => None,
        };
        PushResult {
            is_accepted: false,
            call,
        }
    }

    /// Has a worker that sleeps come soon: by one thread alone.
    #[cold]
    fn wake_worker(&self) -> Option<WorkerCall> {
        let is_asleep = self.is_asleep.load(Ordering::Relaxed);
        (is_asleep && self.is_asleep.swap(false, Ordering::Relaxed)).then_some(WorkerCall::Soon)
    }

    /// Says when the worker should come.
    #[inline(always)]
    fn try_push(
        &self,
        buffer: &ThreadBuffer<L>,
        bytes: usize,
        put: &mut impl FnMut(&mut L),
    ) -> Result<Option<WorkerCall>, Refusal> {
        let Some(mut state) = self.lock(buffer) else {
            return Err(self.forked());
        };
        match self.phase.load(Ordering::Relaxed) {
            OPEN => {}
            FORKED => return Err(Refusal::Forked),
            _ => return Err(Refusal::Closed),
        }
        if state.room.spans == 0 || state.room.bytes < bytes {
            state.make_room(&self.budget, bytes).ok_or(Refusal::Full)?;
        }
        state.accepted += 1;
        state.room.spans -= 1;
        state.room.bytes -= bytes;
        state.waiting += 1;
        put(state.list_for(bytes, self.list));
        if state.waiting == state.call_at {
            return Ok(self.call(&mut state));
        }
        Ok(None)
    }

    /// The worker is called at the first item, at a batch, and where half of all is given out.
    #[cold]
    fn call(&self, state: &mut BufferState<L>) -> Option<WorkerCall> {
        let is_batch = state.waiting >= self.due;
        state.call_at = if is_batch { usize::MAX } else { self.due };
        if std::mem::take(&mut state.is_half) || is_batch {
            return Some(WorkerCall::Now);
        }
        self.wake_worker()
    }

    #[cold]
    fn forked(&self) -> Refusal {
        self.is_forked();
        Refusal::Forked
    }

    /// Takes back what other threads were given and have not used: once, until there is room again.
    /// Says whether this was the time.
    #[cold]
    fn reclaim(&self) -> bool {
        // A thread that sees scarcity also sees that another one reclaims, or else what that one took back.
        if self.budget.is_scarce() {
            if self.is_reclaiming.load(Ordering::Acquire) {
                // What it takes back is there afterwards.
                drop(self.process.lock(&self.reclaiming));
            }
            return false;
        }
        let Some(_reclaiming) = self.process.lock(&self.reclaiming) else {
            return true;
        };
        self.is_reclaiming.store(true, Ordering::Relaxed);
        self.budget.make_scarce();
        for buffer in self.buffers().iter().flat_map(|buffers| buffers.iter()) {
            if let Some(mut state) = self.lock(buffer) {
                state.return_room(&self.budget);
            }
        }
        self.is_reclaiming.store(false, Ordering::Release);
        true
    }

    /// What was taken out, and is exported or dropped now, makes room.
    pub(crate) fn release(&self, room: Size) {
        self.budget.give_back(room);
    }

    #[cfg(all(test, enter_span_loom))]
    pub(crate) fn used(&self) -> Size {
        self.budget.used()
    }

    /// From now on the first item, or the first that is refused, calls the worker. Not if something waits.
    ///
    // Relaxed is enough, here and where it is read: each buffer is locked after the switch, so that who
    // pushes into it later sees that, and what was pushed before is seen here.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::Relaxed);
        let is_empty = |buffer: &Arc<ThreadBuffer<L>>| {
            self.lock(buffer).is_none_or(|state| state.waiting == 0)
        };
        let is_idle = self.buffers().is_none_or(|all| all.iter().all(is_empty));
        if !is_idle {
            self.wake_up();
        }
        is_idle
    }

    pub(crate) fn wake_up(&self) {
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// Takes out all that waits. What it holds stays counted until it is released.
    pub(crate) fn drain(&self) -> Vec<DrainedList<L>> {
        self.budget.begin();
        let mut all = Vec::new();
        let Some(mut buffers) = self.buffers() else {
            return all;
        };
        buffers.retain(|buffer| !self.drain_one(buffer, &mut all));
        self.known.store(buffers.len().max(1), Ordering::Relaxed);
        all
    }

    /// Says whether the thread is gone.
    fn drain_one(&self, buffer: &Arc<ThreadBuffer<L>>, all: &mut Vec<DrainedList<L>>) -> bool {
        let Some(mut state) = self.lock(buffer) else {
            return false;
        };
        let idle = if state.waiting == 0 || self.is_closed() {
            std::mem::take(&mut state.spare)
        } else {
            Vec::new()
        };
        let lists = state.take();
        state.return_room(&self.budget);
        let is_left = state.is_left;
        if is_left {
            // Inside of the lock, so that who counts finds it in one of both places, and not in both.
            self.accepted
                .fetch_add(std::mem::take(&mut state.accepted), Ordering::Relaxed);
        }
        drop(state);
        drop(idle);
        all.extend(lists.into_iter().map(|list| DrainedList {
            items: list.items,
            size: list.size,
            home: Arc::clone(buffer),
        }));
        is_left
    }

    /// A list, which is empty now, goes back to its thread.
    pub(crate) fn return_list(&self, drained: DrainedList<L>) {
        let Some(mut state) = self.lock(&drained.home) else {
            return;
        };
        // All buffers together keep no more than may wait.
        let known = self.known.load(Ordering::Relaxed);
        let lists = self.budget.spans().limit() / self.list.spans / known;
        let by_bytes = self.budget.bytes().limit() / drained.size.bytes.max(1) / known;
        let most = lists.clamp(1, MOST_SPARE).min(by_bytes);
        // Of a thread that is gone, or of a pipeline that is down, nobody would use it.
        let is_over = state.is_left || self.is_closed() || state.spare.len() >= most;
        if !is_over {
            state.spare.push(drained.items);
        }
    }

    /// What was refused alone, without a lock.
    pub(crate) fn refused(&self) -> QueueCounts {
        self.refused.counts()
    }

    pub(crate) fn counts(&self) -> QueueCounts {
        let mut counts = self.refused();
        let Some(buffers) = self.buffers() else {
            return counts;
        };
        // Under the lock of the list, no buffer leaves it.
        for buffer in buffers.iter() {
            counts.accepted += self.lock(buffer).map_or(0, |state| state.accepted);
        }
        counts.accepted += self.accepted.load(Ordering::Relaxed);
        counts
    }
}
