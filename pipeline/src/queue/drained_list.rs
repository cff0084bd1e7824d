//! Lists on their way through the worker and the exporters, and where they go back to.

use std::sync::Arc;

use crate::queue::budget::Size;
use crate::queue::thread_buffer::ThreadBuffer;

/// A list that the worker has taken out of a buffer, and will give back empty.
pub(crate) struct DrainedList<L> {
    pub(crate) items: L,
    pub(crate) size: Size,
    pub(super) home: Arc<ThreadBuffer<L>>,
}

/// The place of lists that are filled by the worker, and that no thread's buffer gets back.
#[derive(Default)]
pub(crate) struct ListHome<L>(pub(super) Arc<ThreadBuffer<L>>);

impl<L> ListHome<L> {
    /// A list that goes the way of those that were drained.
    pub(crate) fn list(&self, items: L, size: Size) -> DrainedList<L> {
        DrainedList {
            items,
            size,
            home: Arc::clone(&self.0),
        }
    }
}
