//! Tests that want no neighbours.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

static HOUSE: Mutex<House> = Mutex::new(House {
    recorders: 0,
    taken: false,
});
static CHANGED: Condvar = Condvar::new();

thread_local! {
    static HOLDS_IT: Cell<bool> = const { Cell::new(false) };
}

struct House {
    recorders: usize,
    taken: bool,
}

fn house() -> MutexGuard<'static, House> {
    HOUSE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A recorder that lives, counted.
pub(super) struct Tenant(());

impl Tenant {
    /// Waits while a test of another thread has the process for itself.
    pub(super) fn move_in() -> Self {
        let mut house = house();
        if !holds_it() {
            house = CHANGED
                .wait_while(house, |house| house.taken)
                .unwrap_or_else(PoisonError::into_inner);
        }
        house.recorders += 1;
        Tenant(())
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        house().recorders -= 1;
        CHANGED.notify_all();
    }
}

/// Keeps the recorders of other threads waiting until it is dropped.
#[must_use = "the process is shared again as soon as this is dropped"]
pub struct Exclusive {
    _of_this_thread: PhantomData<*const ()>,
}

/// Asks to be the only test of the process that records.
///
/// It waits for the recorders that live to be dropped, and new ones on other threads wait for the
/// returned guard. So call it before you make a recorder. One that was leaked, as by a context that
/// is never dropped, keeps it waiting for ever. While it is held, [`unclaimed`] lists
/// this test's lost spans and nobody else's, and [`Trace::assert_no_orphans`] fails on them too.
///
/// # Panics
///
/// Where the same thread holds it already, or has a recorder: it would wait for itself.
///
/// [`unclaimed`]: super::unclaimed
/// [`Trace::assert_no_orphans`]: super::Trace::assert_no_orphans
pub fn exclusive() -> Exclusive {
    assert!(!holds_it(), "this thread is exclusive already");
    assert!(
        !super::lost_context::has_recorder(),
        "this thread has a recorder, which `exclusive` would wait for; call it first"
    );
    let mut house = CHANGED
        .wait_while(house(), |house| house.taken || house.recorders > 0)
        .unwrap_or_else(PoisonError::into_inner);
    house.taken = true;
    drop(house);
    HOLDS_IT.set(true);
    super::lost_context::forget_unclaimed();
    Exclusive {
        _of_this_thread: PhantomData,
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        HOLDS_IT.set(false);
        house().taken = false;
        CHANGED.notify_all();
    }
}

/// Whether a recorder lives, on whatever thread.
pub(super) fn is_anybody_recording() -> bool {
    house().recorders > 0
}

pub(super) fn holds_it() -> bool {
    HOLDS_IT.try_with(Cell::get).unwrap_or(false)
}
