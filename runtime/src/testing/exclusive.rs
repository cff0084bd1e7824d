//! Tests that need the process for themselves.

use std::marker::PhantomData;

use super::lost_context;
use super::state::{self, RecorderState};

/// Keeps the recorders of other threads waiting until it is dropped.
#[must_use = "the process is shared again as soon as this is dropped"]
pub struct Exclusive {
    _of_this_thread: PhantomData<*const ()>,
}

/// Asks to be the only test of the process that records.
///
/// It waits for the recorders that live to be dropped, and new ones on other threads wait for the
/// returned guard. So call it before you make a recorder. One that was leaked, as by a context that
/// is never dropped, keeps it waiting for ever. While the guard lives, [`unclaimed`] lists
/// this test's lost spans and nobody else's, and [`Trace::assert_no_orphans`] fails on them too.
///
/// # Panics
///
/// If the same thread has the guard already, or has a recorder: it would wait for itself.
///
/// [`unclaimed`]: super::unclaimed
/// [`Trace::assert_no_orphans`]: super::Trace::assert_no_orphans
pub fn exclusive() -> Exclusive {
    assert!(!state::is_exclusive(), "this thread is exclusive already");
    assert!(
        RecorderState::newest_here().is_none(),
        "this thread has a recorder, which `exclusive` would wait for; call it first"
    );
    state::start_exclusive();
    lost_context::clear_unclaimed();
    Exclusive {
        _of_this_thread: PhantomData,
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        state::end_exclusive();
    }
}
