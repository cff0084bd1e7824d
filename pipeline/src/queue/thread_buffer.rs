//! The buffer of one thread: lists that fill up, and empty ones for their next use.

use crate::host::sync::Mutex;
use crate::queue::budget::{Budget, Size};

pub(crate) struct ThreadBuffer<L>(pub(super) Mutex<BufferState<L>>);

#[derive(Default)]
pub(super) struct BufferState<L> {
    /// The lists that are full, and the one that is not.
    pub(super) full: Vec<List<L>>,
    pub(super) open: List<L>,
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
    pub(super) accepted: u64,
    /// Its thread is gone: nothing is pushed any more.
    pub(super) is_left: bool,
}

/// Items, and how much they are counted with.
#[derive(Default)]
pub(super) struct List<L> {
    pub(super) items: L,
    pub(super) size: Size,
}

impl<L: Default> Default for ThreadBuffer<L> {
    fn default() -> Self {
        ThreadBuffer(Mutex::new(BufferState {
            call_at: 1,
            ..BufferState::default()
        }))
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
