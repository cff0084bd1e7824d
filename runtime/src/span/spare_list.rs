//! Boxes that a thread keeps for their next use.
//!
//! The last one that came back is the next to go, since it is still in the cache of the processor. It is apart,
//! where it is reached without a look into a list: siblings use only that.

use std::cell::{Cell, RefCell};

pub(crate) struct SpareList<T> {
    last: Cell<Option<Box<T>>>,
    others: RefCell<Vec<Box<T>>>,
    /// How many others there may be.
    most: usize,
}

impl<T> SpareList<T> {
    pub(crate) const fn new(most: usize) -> Self {
        SpareList {
            last: Cell::new(None),
            others: RefCell::new(Vec::new()),
            most,
        }
    }

    #[inline(always)]
    pub(crate) fn take(&self) -> Option<Box<T>> {
        match self.last.take() {
            Some(last) => Some(last),
            None => self.take_other(),
        }
    }

    #[inline(never)]
    fn take_other(&self) -> Option<Box<T>> {
        self.others.try_borrow_mut().ok()?.pop()
    }

    #[inline(always)]
    pub(crate) fn keep(&self, one: Box<T>) {
        if let Some(other) = self.last.replace(Some(one)) {
            self.keep_other(other);
        }
    }

    /// One too many is dropped, outside of the borrow.
    #[inline(never)]
    fn keep_other(&self, one: Box<T>) {
        if let Ok(mut others) = self.others.try_borrow_mut() {
            if others.len() < self.most {
                others.push(one);
            }
        }
    }
}
