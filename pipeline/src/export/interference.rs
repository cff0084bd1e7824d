//! What tests do to a thread of the pipeline. Nothing from outside does it.

use std::panic;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;

#[derive(Default)]
pub(crate) struct Interference {
    panics: AtomicUsize,
    stop: AtomicU8,
}

const SET: u8 = 1;
const STANDS: u8 = 2;
const RELEASED: u8 = 3;

impl Interference {
    /// It panics so many times, as a bug of ours would make it.
    pub(crate) fn panic(&self, times: usize) {
        self.panics.store(times, Ordering::Relaxed);
    }

    /// It stops with spans at hand until it is released.
    pub(crate) fn stop(&self) {
        self.stop.store(SET, Ordering::Relaxed);
    }

    pub(crate) fn wait_until_it_stands(&self) {
        self.wait_for(STANDS);
    }

    pub(crate) fn release(&self) {
        self.stop.store(RELEASED, Ordering::Relaxed);
    }

    pub(crate) fn may_panic(&self) {
        let one_less = |times: usize| times.checked_sub(1);
        let relaxed = Ordering::Relaxed;
        if self.panics.fetch_update(relaxed, relaxed, one_less).is_ok() {
            panic::resume_unwind(Box::new("a fault"));
        }
    }

    pub(crate) fn may_stop(&self) {
        if self.stop.load(Ordering::Relaxed) == SET {
            self.stop.store(STANDS, Ordering::Relaxed);
            self.wait_for(RELEASED);
        }
    }

    fn wait_for(&self, state: u8) {
        while self.stop.load(Ordering::Relaxed) != state {
            thread::yield_now();
        }
    }
}
