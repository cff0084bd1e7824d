//! Spans that started without a recorder.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::state::{self, RecorderState};
use crate::span::recorder_hooks::{self, LostSpans};

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

pub(super) fn clear_unclaimed() {
    unclaimed_list().clear();
}

/// Has all spans that start from now on checked.
pub(super) fn register() {
    recorder_hooks::register(&Unclaimed);
}

struct Unclaimed;

impl LostSpans for Unclaimed {
    fn is_recorder_alive(&self) -> bool {
        state::is_recorder_alive()
    }

    fn add(&self, name: &str, is_recorded: bool) {
        if let Some(recorder) = RecorderState::newest_here() {
            recorder.add_orphan(name);
            return;
        }
        let mut unclaimed = unclaimed_list();
        let is_known = is_recorded || unclaimed.iter().any(|known| known == name);
        if !is_known && unclaimed.len() < MOST_UNCLAIMED {
            unclaimed.push(name.to_owned());
        }
    }
}
