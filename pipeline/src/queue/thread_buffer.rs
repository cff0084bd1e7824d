//! The buffer of one thread: two lanes of lists that fill up, and empty lists for their next use.
//!
//! Its thread fills the first lane. All others visit: one at a time, and one lane at a time. So one of the two
//! lanes is always free for the thread, which never waits. What went into the second lane moves to the first
//! with the next push. Items move in this direction only: a visitor that looks into the second lane first
//! misses none.

use std::cell::Cell;
use std::sync::Arc;

use crate::host::process::Process;
use crate::host::sync::{
    AtomicBool, Mutex, MutexGuard, Ordering, spin_loop, try_lock, try_lock_soon,
};
use crate::queue::budget::{Budget, Size};

#[derive(Default)]
pub(crate) struct ThreadBuffer<L> {
    /// Locked by who visits.
    visit: Mutex<()>,
    first: Mutex<BufferState<L>>,
    second: Mutex<BufferState<L>>,
    /// Its thread is gone: nothing is pushed any more.
    is_left: AtomicBool,
    /// And the worker has all that was.
    is_drained: AtomicBool,
}

/// A buffer in the hands of the thread that fills it.
pub(crate) struct BufferOwner<L> {
    buffer: Arc<ThreadBuffer<L>>,
    /// Something may be in the second lane.
    has_second: Cell<bool>,
}

pub(super) struct BufferState<L> {
    /// The lists that are full, and the one that is not.
    full: Vec<List<L>>,
    open: List<L>,
    /// Items in all of them.
    pub(super) waiting: usize,
    /// How many there are when the worker is called next.
    pub(super) call_at: usize,
    /// Half of all was given out.
    pub(super) is_half: bool,
    /// Empty lists that wait for their next use. Memory that one thread allocates and another frees is
    /// expensive, so it goes round.
    pub(super) spare: Vec<L>,
    /// What may still be pushed before another portion is asked for.
    pub(super) room: Size,
    /// Pushed into this lane.
    pub(super) accepted: u64,
}

/// Items, and how much they are counted with.
#[derive(Default)]
pub(super) struct List<L> {
    pub(super) items: L,
    pub(super) size: Size,
}

impl<L: Default> BufferOwner<L> {
    pub(super) fn new(buffer: Arc<ThreadBuffer<L>>) -> Self {
        BufferOwner {
            buffer,
            has_second: Cell::new(false),
        }
    }

    pub(super) fn buffer(&self) -> &Arc<ThreadBuffer<L>> {
        &self.buffer
    }

    /// The lane that is free. `None` in a forked child.
    #[inline(always)]
    pub(super) fn lane(&self, process: &Process) -> Option<MutexGuard<'_, BufferState<L>>> {
        match try_lock(&self.buffer.first) {
            Some(mut first) => {
                if self.has_second.get() {
                    self.hand_over(&mut first);
                }
                Some(first)
            }
            None => self.other_lane(process),
        }
    }

    /// A visitor has a lane. It tries again only if the visitor went on to the other one in between.
    #[cold]
    fn other_lane(&self, process: &Process) -> Option<MutexGuard<'_, BufferState<L>>> {
        for round in 1_u32.. {
            if let Some(second) = try_lock(&self.buffer.second) {
                self.has_second.set(true);
                return Some(second);
            }
            if let Some(mut first) = try_lock(&self.buffer.first) {
                self.hand_over(&mut first);
                return Some(first);
            }
            if round % 64 == 0 && process.is_forked() {
                break;
            }
            spin_loop();
        }
        None
    }

    /// Not while a visitor has the second lane: then with a later push.
    #[cold]
    fn hand_over(&self, first: &mut BufferState<L>) {
        if let Some(mut second) = try_lock(&self.buffer.second) {
            first.append(&mut second);
            self.has_second.set(false);
        }
    }

    #[cfg(all(test, enter_span_loom))]
    pub(super) fn is_in_second_lane(&self) -> bool {
        try_lock(&self.buffer.second).is_none_or(|state| state.waiting > 0)
    }

    /// Nothing is pushed any more. A visitor that has a lane now returns its room later.
    pub(super) fn leave(&self, budget: &Budget) {
        self.buffer.is_left.store(true, Ordering::Release);
        for lane in self.buffer.lanes() {
            if let Some(mut state) = try_lock(lane) {
                state.return_room(budget);
            }
        }
    }
}

impl<L: Default> ThreadBuffer<L> {
    /// If so, what a visitor finds afterwards is all that was ever pushed.
    pub(super) fn is_left(&self) -> bool {
        self.is_left.load(Ordering::Acquire)
    }

    // Relaxed, here and below: the worker alone sets and asks.
    pub(super) fn set_drained(&self) {
        self.is_drained.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_drained(&self) -> bool {
        self.is_drained.load(Ordering::Relaxed)
    }

    fn lanes(&self) -> [&Mutex<BufferState<L>>; 2] {
        [&self.second, &self.first]
    }

    /// Looks at both lanes. Waits for other visitors, and for a push that goes on.
    pub(super) fn visit(&self, process: &Process, mut look: impl FnMut(&mut BufferState<L>)) {
        let Some(_visit) = process.lock(&self.visit) else {
            return;
        };
        for lane in self.lanes() {
            if let Some(mut state) = process.lock(lane) {
                look(&mut state);
            }
        }
    }

    /// The same from a thread of the application, which goes on where a lane stays locked.
    pub(super) fn try_visit(&self, mut look: impl FnMut(&mut BufferState<L>)) {
        let Some(_visit) = try_lock_soon(&self.visit) else {
            return;
        };
        for lane in self.lanes() {
            if let Some(mut state) = try_lock_soon(lane) {
                look(&mut state);
            }
        }
    }

    /// Takes out all that waits, in its order.
    ///
    /// What is in the second lane after the first visit to the first lane came after what that one found:
    /// any push in between would have moved it.
    pub(super) fn take(
        &self,
        process: &Process,
        mut look: impl FnMut(&mut BufferState<L>),
    ) -> Vec<List<L>> {
        let mut all = Vec::new();
        let Some(_visit) = process.lock(&self.visit) else {
            return all;
        };
        for lane in [&self.first, &self.second, &self.first] {
            if let Some(mut state) = process.lock(lane) {
                all.append(&mut state.take());
                look(&mut state);
            }
        }
        all
    }

    pub(super) fn take_spare(&self, process: &Process) -> Vec<L> {
        let mut spare = Vec::new();
        self.visit(process, |state| spare.append(&mut state.spare));
        spare
    }

    /// A list for the thread's next use, unless the first lane has so many.
    pub(super) fn give_spare(&self, process: &Process, list: L, most: usize) {
        let Some(_visit) = process.lock(&self.visit) else {
            return;
        };
        let first = process.lock(&self.first);
        if let Some(mut state) = first.filter(|state| state.spare.len() < most) {
            state.spare.push(list);
        }
    }

    /// Runs this while a visitor has the first lane.
    #[cfg(all(test, not(enter_span_loom)))]
    pub(super) fn while_visited<R>(&self, work: impl FnOnce() -> R) -> R {
        let _visit = try_lock(&self.visit);
        let _first = try_lock(&self.first);
        work()
    }
}

impl<L: Default> Default for BufferState<L> {
    fn default() -> Self {
        BufferState {
            full: Vec::new(),
            open: List::default(),
            waiting: 0,
            call_at: 1,
            is_half: false,
            spare: Vec::new(),
            room: Size::default(),
            accepted: 0,
        }
    }
}

impl<L: Default> BufferState<L> {
    /// The list that an item of so many bytes goes into.
    #[inline(always)]
    pub(super) fn list_for(&mut self, bytes: usize, most: Size) -> &mut L {
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
            size: Size::default(),
        };
        self.full.push(std::mem::replace(&mut self.open, next));
    }

    /// Moves all that waits in the other lane behind what waits here. The next push sees whether the worker
    /// should come.
    fn append(&mut self, other: &mut BufferState<L>) {
        self.room.spans += other.room.spans;
        self.room.bytes += other.room.bytes;
        other.room = Size::default();
        self.is_half |= std::mem::take(&mut other.is_half);
        let moved = other.waiting;
        if moved == 0 {
            return;
        }
        if self.open.size.spans > 0 {
            self.begin_list();
        }
        self.full.append(&mut other.take());
        self.waiting += moved;
        if self.call_at != usize::MAX {
            self.call_at = self.waiting + 1;
        }
    }

    /// Asks for another portion where the last one is used up. Nothing, if there is no room.
    #[cold]
    pub(super) fn make_room(&mut self, budget: &Budget, bytes: usize) -> Option<()> {
        if budget.top_up(&mut self.room, bytes)? {
            self.is_half = true;
            self.call_at = self.waiting + 1;
        }
        Some(())
    }

    pub(super) fn return_room(&mut self, budget: &Budget) {
        budget.give_back(std::mem::take(&mut self.room));
    }

    /// All that waits.
    pub(super) fn take(&mut self) -> Vec<List<L>> {
        self.waiting = 0;
        self.call_at = 1;
        if self.open.size.spans > 0 {
            self.begin_list();
        }
        std::mem::take(&mut self.full)
    }
}
