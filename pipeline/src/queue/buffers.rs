//! The way from the threads to the worker: a buffer for each thread, and a budget for all of them.
//!
//! A thread never waits, neither for the worker nor for another thread: it only tries locks
//! (`thread_buffer.rs`, `buffer_list.rs`). It returns the part of its portion that it has not used. This file
//! does not know what is queued: only that it comes in lists, which are no longer than a batch and are used
//! again. `model.rs` checks it under every order of events.
//!
//! A lock that a thread of the parent held is never opened in a forked child. So each lock is tried
//! first, and the process id is read only if the lock is taken, where the worker would be woken, and by
//! the handle. Until then a child fills at most half of the queue.

use std::sync::Arc;

use crate::host::process::Process;
use crate::host::sync::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use crate::queue::budget::{Budget, Size};
use crate::queue::buffer_list::BufferList;
use crate::queue::drained_list::{DrainedList, ListHome};
use crate::queue::push_result::{PushResult, QueueCounts, Refusal, RefusalCounts, WorkerCall};
use crate::queue::thread_buffer::{BufferOwner, BufferState, ThreadBuffer};

/// All buffers, and what they may hold.
pub(crate) struct Buffers<L> {
    budget: Budget,
    /// Items in one buffer for which the worker should come.
    due: usize,
    /// What a list holds. A larger item has one of its own.
    list: Size,
    process: Process,
    threads: BufferList<L>,
    /// How many buffers the worker has seen.
    known: AtomicUsize,
    phase: AtomicU8,
    /// Threads that take portions back at this moment.
    reclaimers: AtomicUsize,
    /// The worker sleeps until it is called.
    is_asleep: AtomicBool,
    /// Accepted by buffers whose thread is gone.
    accepted: AtomicU64,
    refused: RefusalCounts,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const FORKED: u8 = 2;

/// Spare lists in each buffer, at most.
const MOST_SPARE: usize = 8;

impl<L: Default> Buffers<L> {
    /// For lists that fit into a batch.
    pub(crate) fn new(most: Size, batch: Size, due: usize) -> Self {
        Buffers {
            budget: Budget::new(most),
            due,
            list: batch.of_list(),
            process: Process::this(),
            threads: BufferList::default(),
            known: AtomicUsize::new(1),
            phase: AtomicU8::new(OPEN),
            reclaimers: AtomicUsize::new(0),
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
        for buffer in self.snapshot() {
            let items = buffer.take(&self.process, |_| {});
            drop(items);
        }
        true
    }

    fn snapshot(&self) -> impl Iterator<Item = Arc<ThreadBuffer<L>>> {
        self.threads.snapshot(&self.process)
    }

    /// A buffer for a thread, until it [leaves](Self::leave).
    pub(crate) fn join(&self) -> BufferOwner<L> {
        let owner = BufferOwner::new(Arc::default());
        self.threads.add(&self.process, owner.buffer());
        owner
    }

    /// What the thread has not used goes back, and the worker removes the buffer. Where it does not
    /// come any more, it is removed here.
    pub(crate) fn leave(&self, owner: &BufferOwner<L>) {
        owner.leave(&self.budget);
        if self.is_closed() {
            self.remove(owner.buffer());
        }
    }

    /// With items in it, it is the worker's.
    fn remove(&self, left: &Arc<ThreadBuffer<L>>) {
        let mut empty_lanes = 0;
        left.try_visit(|state| {
            if state.waiting == 0 {
                self.keep_count(state);
                empty_lanes += 1;
            }
        });
        // Where a lane stays locked, it stays in the list.
        if empty_lanes == 2 {
            self.threads.try_remove(left);
        }
    }

    /// Of a buffer that is left. Under its lock: who counts sees that the sum has changed.
    fn keep_count(&self, state: &mut BufferState<L>) {
        let accepted = std::mem::take(&mut state.accepted);
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
    }

    /// Has an item of so many bytes put into a list. Never waits. One that does not fit is not put, and
    /// counted.
    #[inline(always)]
    pub(crate) fn push(
        &self,
        owner: &BufferOwner<L>,
        bytes: usize,
        mut put: impl FnMut(&mut L),
    ) -> PushResult {
        // Once only: whether this thread took back what others had and did not use.
        let mut reclaimed = None;
        loop {
            match self.try_push(owner, bytes, &mut put) {
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
        owner: &BufferOwner<L>,
        bytes: usize,
        put: &mut impl FnMut(&mut L),
    ) -> Result<Option<WorkerCall>, Refusal> {
        let Some(mut state) = owner.lane(&self.process) else {
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
        // It takes part instead of waiting.
        if self.budget.is_scarce() && self.reclaimers.load(Ordering::Acquire) == 0 {
            return false;
        }
        self.reclaimers.fetch_add(1, Ordering::Relaxed);
        let is_first = self.budget.make_scarce();
        for buffer in self.threads.try_snapshot() {
            buffer.try_visit(|state| state.return_room(&self.budget));
        }
        self.reclaimers.fetch_sub(1, Ordering::Release);
        is_first
    }

    /// What was taken out, and is exported or dropped now, makes room.
    pub(crate) fn release(&self, room: Size) {
        self.budget.give_back(room);
    }

    /// What is held beside the items takes so many bytes now, and has taken so many before.
    pub(crate) fn charge(&self, before: usize, now: usize) {
        self.budget.charge(before, now);
    }

    /// Empty lists that came back to this place.
    pub(crate) fn spare_at(&self, home: &ListHome<L>) -> Vec<L> {
        home.0.take_spare(&self.process)
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
        let is_idle = self.snapshot().all(|buffer| {
            let mut waiting = 0;
            buffer.visit(&self.process, |state| waiting += state.waiting);
            waiting == 0
        });
        if !is_idle {
            self.wake_up();
        }
        is_idle
    }

    pub(crate) fn wake_up(&self) {
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// Takes out all that waits. What it holds stays counted until it is released. A thread that has recorded
    /// nothing since the last time loses its spare lists.
    pub(crate) fn drain(&self) -> Vec<DrainedList<L>> {
        self.drain_from_all(true)
    }

    /// The same right behind another drain: nobody had time to record, and all keep their spare lists.
    pub(crate) fn drain_again(&self) -> Vec<DrainedList<L>> {
        self.drain_from_all(false)
    }

    fn drain_from_all(&self, frees_spare: bool) -> Vec<DrainedList<L>> {
        self.budget.begin();
        let mut all = Vec::new();
        let (mut known, mut has_left) = (0, false);
        for buffer in self.snapshot() {
            let is_left = self.drain_one(&buffer, frees_spare, &mut all);
            has_left |= is_left;
            known += usize::from(!is_left);
        }
        if has_left {
            self.threads.remove_drained(&self.process);
        }
        self.known.store(known.max(1), Ordering::Relaxed);
        all
    }

    /// Says whether the thread is gone.
    fn drain_one(
        &self,
        buffer: &Arc<ThreadBuffer<L>>,
        frees_spare: bool,
        all: &mut Vec<DrainedList<L>>,
    ) -> bool {
        // Before its items are taken: then they are the last.
        let is_left = buffer.is_left();
        let lists = buffer.take(&self.process, |state| {
            state.return_room(&self.budget);
            if is_left {
                self.keep_count(state);
            }
        });
        if (lists.is_empty() && frees_spare) || self.is_closed() {
            drop(buffer.take_spare(&self.process));
        }
        if is_left {
            buffer.set_drained();
        }
        all.extend(lists.into_iter().map(|list| DrainedList {
            items: list.items,
            size: list.size,
            home: Arc::clone(buffer),
        }));
        is_left
    }

    /// A list, which is empty now, goes back to its thread.
    pub(crate) fn return_list(&self, drained: DrainedList<L>) {
        // All buffers together keep no more than may wait.
        let known = self.known.load(Ordering::Relaxed);
        let lists = self.budget.spans().limit() / self.list.spans / known;
        let by_bytes = self.budget.bytes().limit() / drained.size.bytes.max(1) / known;
        let most = lists.clamp(1, MOST_SPARE).min(by_bytes);
        // Of a thread that is gone, or of a pipeline that is down, nobody would use it.
        if !drained.home.is_left() && !self.is_closed() {
            drained.home.give_spare(&self.process, drained.items, most);
        }
    }

    /// What was refused alone, without a lock.
    pub(crate) fn refused(&self) -> QueueCounts {
        self.refused.counts()
    }

    pub(crate) fn counts(&self) -> QueueCounts {
        let mut counts = self.refused();
        counts.accepted = self.count_accepted();
        counts
    }

    /// Again, if a thread's count moved in the meantime into the sum of those that are gone: it may have been
    /// seen in neither place, or in both.
    fn count_accepted(&self) -> u64 {
        loop {
            let gone = self.accepted.load(Ordering::Relaxed);
            let mut accepted = gone;
            for buffer in self.snapshot() {
                buffer.visit(&self.process, |state| accepted += state.accepted);
            }
            if self.accepted.load(Ordering::Relaxed) == gone {
                return accepted;
            }
        }
    }
}
