//! The root of a trace that is decided behind the next full drain.

use crate::keep::place_table::Key;
use crate::queue::lost_roots::LostRoot;

pub(super) struct EndedRoot {
    pub(super) key: Key,
    /// If it found no room, what is known of it.
    pub(super) lost: Option<LostRoot>,
}

impl EndedRoot {
    pub(super) fn arrived(key: Key) -> Self {
        EndedRoot { key, lost: None }
    }

    pub(super) fn lost(lost: LostRoot) -> Self {
        let key = Key {
            trace_id: lost.trace_id,
            root: lost.span_id,
        };
        EndedRoot {
            key,
            lost: Some(lost),
        }
    }
}
