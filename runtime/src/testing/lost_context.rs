//! Spans that no recorder got.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::exclusive::is_anybody_recording;
use super::recorder::Shared;
use crate::span::recorder_hooks::{self, LostSpans};

thread_local! {
    /// The recorders that were made on this thread and live.
    static HERE: RefCell<Vec<Weak<Shared>>> = const { RefCell::new(Vec::new()) };
}

static UNCLAIMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A test that runs for days must not fill the memory.
const MOST_UNCLAIMED: usize = 1024;

fn unclaimed_list() -> MutexGuard<'static, Vec<String>> {
    UNCLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of spans that started without a recorder on threads that have none, while recorders
/// lived elsewhere. At most 1024, each name once.
pub fn unclaimed() -> Vec<String> {
    unclaimed_list().clone()
}

pub(super) fn forget_unclaimed() {
    unclaimed_list().clear();
}

pub(super) fn register(recorder: &Arc<Shared>) {
    recorder_hooks::register(&Unclaimed);
    let weak = Arc::downgrade(recorder);
    // A dying thread has no test left to tell.
    let _ = HERE.try_with(|here| {
        let mut here = here.borrow_mut();
        here.retain(|weak| weak.strong_count() > 0);
        here.push(weak);
    });
}

fn newest_here() -> Option<Arc<Shared>> {
    let newest =
        |here: &RefCell<Vec<Weak<Shared>>>| here.borrow().iter().rev().find_map(Weak::upgrade);
    HERE.try_with(newest).ok().flatten()
}

pub(super) fn has_recorder() -> bool {
    newest_here().is_some()
}

/// Registered with the first recorder.
struct Unclaimed;

impl LostSpans for Unclaimed {
    fn is_recorder_alive(&self) -> bool {
        is_anybody_recording()
    }

    fn unrecorded(&self, name: &str) {
        if let Some(recorder) = newest_here() {
            recorder.add_orphan(name);
            return;
        }
        let mut unclaimed = unclaimed_list();
        if unclaimed.len() < MOST_UNCLAIMED && !unclaimed.iter().any(|known| known == name) {
            unclaimed.push(name.to_owned());
        }
    }

    /// The recorder of this thread lost it.
    fn recorded_by_process(&self, name: &str) {
        if let Some(recorder) = newest_here() {
            recorder.add_orphan(name);
        }
    }
}
