//! The hand-over itself: a buffer for each thread, and what all of them may hold together.
//!
//! A buffer's lock is held for one push, and taken by the worker a few times a second, so that threads
//! do not wait for each other. What a thread was given and has not used goes back. Nothing here knows
//! what is handed over, but that it comes in lists, which are no longer than a batch and are used again;
//! `model.rs` checks it under every order of events.

use std::sync::Arc;

use crate::host::process::Process;
use crate::host::sync::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering,
};
use crate::queue::budget::{Budget, Room};

/// All buffers, and what they may hold.
pub(crate) struct Store<L> {
    budget: Budget,
    /// Items in one buffer for which the worker should come.
    due: usize,
    /// What a list holds. A larger item has one of its own.
    list: Room,
    process: Process,
    buffers: Mutex<Vec<Arc<Buffer<L>>>>,
    /// How many buffers the worker has seen.
    known: AtomicUsize,
    state: AtomicU8,
    /// Portions were taken back, and are not given out any more until there is room: each item asks
    /// for itself.
    is_scarce: AtomicBool,
    /// Held by the thread that takes them back; `is_reclaiming` says whether there is one.
    reclaiming: Mutex<()>,
    is_reclaiming: AtomicBool,
    /// The worker sleeps until it is called.
    is_asleep: AtomicBool,
    /// Accepted by buffers whose thread is gone.
    accepted: AtomicU64,
    refused: Refusals,
}

pub(crate) struct Buffer<L>(Mutex<Filled<L>>);

struct Filled<L> {
    /// The lists that are full, and the one that is not.
    full: Vec<List<L>>,
    open: List<L>,
    /// Items in all of them.
    waiting: usize,
    /// How many there are when the worker is called next.
    call_at: usize,
    /// Half of all was given out.
    is_half: bool,
    /// Empty lists that wait for their next use. Memory that one thread allocates and another frees
    /// is dear, so it goes round.
    spare: Vec<L>,
    /// What may still be pushed before another portion is asked for.
    room: Room,
    accepted: u64,
    /// Its thread is gone: nothing is pushed any more.
    is_left: bool,
}

/// Items, and how much they are counted with.
#[derive(Default)]
struct List<L> {
    items: L,
    size: Room,
}

/// A list that the worker has taken out of a buffer, and will give back empty.
pub(crate) struct Drained<L> {
    pub(crate) items: L,
    pub(crate) size: Room,
    home: Arc<Buffer<L>>,
}

/// What came of a push.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pushed {
    /// Whether there was room.
    pub(crate) is_accepted: bool,
    /// When the worker should come, if it has to be told.
    pub(crate) call: Option<InstallCall>,
}

/// When the worker should come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstallCall {
    Now,
    /// When its interval is over: there is something to do at all.
    Soon,
}

/// How many items came into the buffers, and how many did not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) full: u64,
    pub(crate) closed: u64,
    pub(crate) forked: u64,
}

#[derive(Default)]
struct Refusals {
    full: AtomicU64,
    closed: AtomicU64,
    forked: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Full,
    Closed,
    Forked,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const FORKED: u8 = 2;

/// Spare lists in each buffer, at most.
const MOST_SPARE: usize = 8;

/// Items in a list, at most.
const MOST_IN_LIST: usize = 512;

impl<L: Default> Default for Buffer<L> {
    fn default() -> Self {
        Buffer(Mutex::new(Filled {
            full: Vec::new(),
            open: List::default(),
            waiting: 0,
            call_at: 1,
            is_half: false,
            spare: Vec::new(),
            room: Room::default(),
            accepted: 0,
            is_left: false,
        }))
    }
}

impl<L: Default> Store<L> {
    /// For lists that fit into a batch.
    pub(crate) fn new(most: Room, batch: Room, due: usize) -> Self {
        Store {
            budget: Budget::new(most),
            due,
            list: Room {
                spans: batch.spans.clamp(1, MOST_IN_LIST),
                bytes: batch.bytes,
            },
            process: Process::this(),
            buffers: Mutex::new(Vec::new()),
            known: AtomicUsize::new(1),
            state: AtomicU8::new(OPEN),
            is_scarce: AtomicBool::new(false),
            reclaiming: Mutex::new(()),
            is_reclaiming: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            refused: Refusals::default(),
        }
    }

    // Relaxed is enough: the worker locks each buffer after the switch, and who locks it later sees
    // it. A thread that misses it before makes one span that is refused at its end.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.load(Ordering::Relaxed) != OPEN
    }

    /// From now on what is pushed is counted and refused. What was pushed before is in the buffers.
    pub(crate) fn close(&self) {
        // It may have been closed before; by whom does not matter.
        let _ = self
            .state
            .compare_exchange(OPEN, CLOSED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether this is a child of the process that made it, where nobody will come. It is closed
    /// then, and what it has is the parent's to export.
    pub(crate) fn is_forked(&self) -> bool {
        if self.state.load(Ordering::Relaxed) == FORKED {
            return true;
        }
        if !self.process.is_forked() {
            return false;
        }
        self.state.store(FORKED, Ordering::Relaxed);
        for buffer in self.buffers().iter().flat_map(|buffers| buffers.iter()) {
            let items = self.lock(buffer).map(|mut filled| filled.take());
            drop(items);
        }
        true
    }

    #[inline]
    fn lock<'a>(&self, buffer: &'a Buffer<L>) -> Option<MutexGuard<'a, Filled<L>>> {
        self.process.lock(&buffer.0)
    }

    fn buffers(&self) -> Option<MutexGuard<'_, Vec<Arc<Buffer<L>>>>> {
        self.process.lock(&self.buffers)
    }

    /// A buffer for a thread, until it [leaves](Self::leave).
    pub(crate) fn join(&self) -> Arc<Buffer<L>> {
        let buffer = Arc::<Buffer<L>>::default();
        if let Some(mut buffers) = self.buffers() {
            buffers.push(Arc::clone(&buffer));
        }
        buffer
    }

    /// What the thread has not used goes back, and the worker removes the buffer. Where it does not
    /// come any more, it is removed here.
    pub(crate) fn leave(&self, buffer: &Arc<Buffer<L>>) {
        if let Some(mut filled) = self.lock(buffer) {
            filled.is_left = true;
            self.take_back(&mut filled);
        }
        if self.is_closed() {
            self.remove(buffer);
        }
    }

    /// With items in it, it is the worker's.
    fn remove(&self, left: &Arc<Buffer<L>>) {
        let Some(mut buffers) = self.buffers() else {
            return;
        };
        buffers.retain(|buffer| {
            if !Arc::ptr_eq(buffer, left) {
                return true;
            }
            let Some(filled) = self.lock(buffer) else {
                return true;
            };
            if filled.waiting == 0 {
                self.accepted.fetch_add(filled.accepted, Ordering::Relaxed);
            }
            filled.waiting > 0
        });
    }

    /// Has an item of so many bytes put into a list. Never waits for the worker. One that does not fit is
    /// not put, and counted.
    #[inline(always)]
    pub(crate) fn push(
        &self,
        buffer: &Buffer<L>,
        bytes: usize,
        mut put: impl FnMut(&mut L),
    ) -> Pushed {
        // Once only: whether this thread took back what others had and did not use.
        let mut reclaimed = None;
        loop {
            match self.try_push(buffer, bytes, &mut put) {
                Ok(call) => {
                    return Pushed {
                        is_accepted: true,
                        call: if reclaimed == Some(true) {
                            Some(InstallCall::Now)
                        } else {
                            call
                        },
                    };
                }
                Err(Cause::Full) if reclaimed.is_none() => reclaimed = Some(self.reclaim()),
                Err(cause) => return self.refuse(cause, reclaimed == Some(true)),
            }
        }
    }

    #[cold]
    fn refuse(&self, cause: Cause, is_due: bool) -> Pushed {
        self.refused.of(cause).fetch_add(1, Ordering::Relaxed);
        let call = match cause {
            _ if is_due => Some(InstallCall::Now),
            // The application is told of it.
            Cause::Full => self.call_sleeper(),
            Cause::Closed | Cause::Forked => None,
        };
        Pushed {
            is_accepted: false,
            call,
        }
    }

    /// Has a worker that sleeps come soon: by one thread alone.
    #[cold]
    fn call_sleeper(&self) -> Option<InstallCall> {
        let is_asleep = self.is_asleep.load(Ordering::Relaxed);
        (is_asleep && self.is_asleep.swap(false, Ordering::Relaxed)).then_some(InstallCall::Soon)
    }

    /// Says when the worker should come.
    #[inline(always)]
    fn try_push(
        &self,
        buffer: &Buffer<L>,
        bytes: usize,
        put: &mut impl FnMut(&mut L),
    ) -> Result<Option<InstallCall>, Cause> {
        let Some(mut filled) = self.lock(buffer) else {
            return Err(self.forked());
        };
        match self.state.load(Ordering::Relaxed) {
            OPEN => {}
            FORKED => return Err(Cause::Forked),
            _ => return Err(Cause::Closed),
        }
        if filled.room.spans == 0 || filled.room.bytes < bytes {
            self.make_room(&mut filled, bytes).ok_or(Cause::Full)?;
        }
        filled.accepted += 1;
        filled.room.spans -= 1;
        filled.room.bytes -= bytes;
        filled.waiting += 1;
        put(filled.list_for(bytes, self.list));
        if filled.waiting == filled.call_at {
            return Ok(self.call(&mut filled));
        }
        Ok(None)
    }

    /// The worker is called at the first item, at a batch, and where half of all is given out.
    #[cold]
    fn call(&self, filled: &mut Filled<L>) -> Option<InstallCall> {
        let is_batch = filled.waiting >= self.due;
        filled.call_at = if is_batch { usize::MAX } else { self.due };
        if std::mem::take(&mut filled.is_half) || is_batch {
            return Some(InstallCall::Now);
        }
        self.call_sleeper()
    }

    #[cold]
    fn forked(&self) -> Cause {
        self.is_forked();
        Cause::Forked
    }

    /// Asks for another portion where the last one is used up. Nothing, if there is no room.
    #[cold]
    fn make_room(&self, filled: &mut Filled<L>, bytes: usize) -> Option<()> {
        // Relaxed is enough: who misses the switch takes a portion where one item was meant, and it
        // is taken back.
        let is_scarce = self.is_scarce.load(Ordering::Relaxed);
        let mut is_half = false;
        if filled.room.spans == 0 {
            let spans = self.budget.spans();
            let given = spans.take(portion(spans.most(), 32, 1, is_scarce), 1);
            filled.room.spans += given.amount;
            is_half |= given.is_half;
        }
        if filled.room.bytes < bytes {
            let missing = bytes - filled.room.bytes;
            let all = self.budget.bytes();
            let given = all.take(portion(all.most(), 32 * 1024, missing, is_scarce), missing);
            filled.room.bytes += given.amount;
            is_half |= given.is_half;
        }
        let has_room = filled.room.spans > 0 && filled.room.bytes >= bytes;
        if is_scarce && !has_room {
            self.take_back(filled);
        }
        if is_half && has_room {
            filled.is_half = true;
            filled.call_at = filled.waiting + 1;
        }
        has_room.then_some(())
    }

    /// Takes back what other threads were given and have not used: once, until there is room again.
    /// Says whether this was the time.
    #[cold]
    fn reclaim(&self) -> bool {
        // Who sees that it is scarce sees that a thread is at it, or else what that has taken back.
        if self.is_scarce.load(Ordering::Acquire) {
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
        self.is_scarce.store(true, Ordering::Release);
        for buffer in self.buffers().iter().flat_map(|buffers| buffers.iter()) {
            if let Some(mut filled) = self.lock(buffer) {
                self.take_back(&mut filled);
            }
        }
        self.is_reclaiming.store(false, Ordering::Release);
        true
    }

    fn take_back(&self, filled: &mut Filled<L>) {
        self.budget.give_back(std::mem::take(&mut filled.room));
    }

    /// What was taken out, and is exported or dropped now, makes room.
    pub(crate) fn release(&self, room: Room) {
        self.budget.give_back(room);
    }

    #[cfg(all(test, enter_span_loom))]
    pub(crate) fn used(&self) -> Room {
        self.budget.used()
    }

    /// From now on the first item, or the first that is refused, calls the worker. Not if something waits.
    ///
    // Relaxed is enough, here and where it is read: each buffer is locked after the switch, so that who
    // pushes into it later sees that, and what was pushed before is seen here.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::Relaxed);
        let is_empty =
            |buffer: &Arc<Buffer<L>>| self.lock(buffer).is_none_or(|filled| filled.waiting == 0);
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
    pub(crate) fn drain(&self) -> Vec<Drained<L>> {
        self.budget.begin();
        if self.budget.is_ample() {
            self.is_scarce.store(false, Ordering::Relaxed);
        }
        let mut all = Vec::new();
        let Some(mut buffers) = self.buffers() else {
            return all;
        };
        buffers.retain(|buffer| !self.drain_one(buffer, &mut all));
        self.known.store(buffers.len().max(1), Ordering::Relaxed);
        all
    }

    /// Says whether the thread is gone.
    fn drain_one(&self, buffer: &Arc<Buffer<L>>, all: &mut Vec<Drained<L>>) -> bool {
        let Some(mut filled) = self.lock(buffer) else {
            return false;
        };
        let idle = if filled.waiting == 0 || self.is_closed() {
            std::mem::take(&mut filled.spare)
        } else {
            Vec::new()
        };
        let lists = filled.take();
        self.take_back(&mut filled);
        let is_left = filled.is_left;
        if is_left {
            // Inside of the lock, so that who counts finds it in one of both places, and not in both.
            self.accepted
                .fetch_add(std::mem::take(&mut filled.accepted), Ordering::Relaxed);
        }
        drop(filled);
        drop(idle);
        all.extend(lists.into_iter().map(|list| Drained {
            items: list.items,
            size: list.size,
            home: Arc::clone(buffer),
        }));
        is_left
    }

    /// A list, which is empty now, goes back to its thread.
    pub(crate) fn give_back(&self, drained: Drained<L>) {
        let Some(mut filled) = self.lock(&drained.home) else {
            return;
        };
        // All buffers together keep no more than may wait.
        let known = self.known.load(Ordering::Relaxed);
        let lists = self.budget.spans().most() / self.list.spans / known;
        let by_bytes = self.budget.bytes().most() / drained.size.bytes.max(1) / known;
        let most = lists.clamp(1, MOST_SPARE).min(by_bytes);
        // Of a thread that is gone, or of a pipeline that is down, nobody would use it.
        let is_over = filled.is_left || self.is_closed() || filled.spare.len() >= most;
        if !is_over {
            filled.spare.push(drained.items);
        }
    }

    /// What was refused alone, without a lock.
    pub(crate) fn refused(&self) -> Tally {
        let get = |cause| self.refused.of(cause).load(Ordering::Relaxed);
        Tally {
            accepted: 0,
            full: get(Cause::Full),
            closed: get(Cause::Closed),
            forked: get(Cause::Forked),
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        let mut tally = self.refused();
        let Some(buffers) = self.buffers() else {
            return tally;
        };
        // Under the lock of the list, no buffer leaves it.
        for buffer in buffers.iter() {
            tally.accepted += self.lock(buffer).map_or(0, |filled| filled.accepted);
        }
        tally.accepted += self.accepted.load(Ordering::Relaxed);
        tally
    }
}

impl<L: Default> Filled<L> {
    /// The list that an item of so many bytes goes into.
    #[inline(always)]
    fn list_for(&mut self, bytes: usize, most: Room) -> &mut L {
        let size = self.open.size;
        if size.spans >= most.spans || (size.spans > 0 && size.bytes + bytes > most.bytes) {
            self.begin_list();
        }
        self.open.size.spans += 1;
        self.open.size.bytes += bytes;
        &mut self.open.items
    }

    #[cold]
    fn begin_list(&mut self) {
        let next = List {
            items: self.spare.pop().unwrap_or_default(),
            size: Room::default(),
        };
        self.full.push(std::mem::replace(&mut self.open, next));
    }

    /// All that waits.
    fn take(&mut self) -> Vec<List<L>> {
        self.waiting = 0;
        self.call_at = 1;
        if self.open.size.spans > 0 {
            self.begin_list();
        }
        std::mem::take(&mut self.full)
    }
}

impl Refusals {
    fn of(&self, cause: Cause) -> &AtomicU64 {
        match cause {
            Cause::Full => &self.full,
            Cause::Closed => &self.closed,
            Cause::Forked => &self.forked,
        }
    }
}

/// How much a thread is given at once: a 64th of all, but no more than `most` and no less than it
/// needs.
fn portion(all: usize, most: usize, needed: usize, is_scarce: bool) -> usize {
    if is_scarce {
        needed
    } else {
        (all / 64).clamp(1, most).max(needed)
    }
}
