//! The buffers of all threads. Who works with them takes a snapshot and works outside of any lock.

use std::sync::Arc;

use crate::host::process::Process;
use crate::host::sync::{Mutex, spin_loop, try_lock, try_lock_soon};
use crate::queue::thread_buffer::ThreadBuffer;

type Snapshot<L> = Arc<Vec<Arc<ThreadBuffer<L>>>>;

/// In a few parts, of which the first is used wherever it is free: a thread that joins takes another one
/// instead of waiting.
pub(super) struct BufferList<L>([Mutex<Snapshot<L>>; PARTS]);

/// In the model one part is enough: each part is handled alike, and more of them take minutes.
const PARTS: usize = if cfg!(enter_span_loom) { 1 } else { 4 };

impl<L> Default for BufferList<L> {
    fn default() -> Self {
        BufferList(std::array::from_fn(|_| Mutex::new(Arc::default())))
    }
}

impl<L: Default> BufferList<L> {
    /// Never waits for a thread that stands still, unless as many of them as there are parts do.
    pub(super) fn add(&self, process: &Process, buffer: &Arc<ThreadBuffer<L>>) {
        for round in 1_u32.. {
            if let Some(mut buffers) = self.0.iter().find_map(try_lock) {
                Arc::make_mut(&mut buffers).push(Arc::clone(buffer));
                return;
            }
            if round % 64 == 0 && process.is_forked() {
                return;
            }
            spin_loop();
        }
    }

    /// All that were added before.
    pub(super) fn snapshot(&self, process: &Process) -> impl Iterator<Item = Arc<ThreadBuffer<L>>> {
        let snapshot = |part| process.lock(part).map(|buffers| Arc::clone(&buffers));
        each(self.0.iter().filter_map(snapshot).collect())
    }

    /// The same on a thread of the application, which goes on where a part stays locked.
    pub(super) fn try_snapshot(&self) -> impl Iterator<Item = Arc<ThreadBuffer<L>>> {
        let snapshot = |part| try_lock_soon(part).map(|buffers| Arc::clone(&buffers));
        each(self.0.iter().filter_map(snapshot).collect())
    }

    pub(super) fn remove_drained(&self, process: &Process) {
        for mut buffers in self.0.iter().filter_map(|part| process.lock(part)) {
            if buffers.iter().any(|buffer| buffer.is_drained()) {
                Arc::make_mut(&mut buffers).retain(|buffer| !buffer.is_drained());
            }
        }
    }

    /// A part that stays locked keeps it.
    pub(super) fn try_remove(&self, left: &Arc<ThreadBuffer<L>>) {
        let is_left = |buffer: &Arc<ThreadBuffer<L>>| Arc::ptr_eq(buffer, left);
        for mut buffers in self.0.iter().filter_map(try_lock_soon) {
            if buffers.iter().any(is_left) {
                Arc::make_mut(&mut buffers).retain(|buffer| !is_left(buffer));
            }
        }
    }
}

/// Of snapshots that were all taken before.
fn each<L>(snapshots: Vec<Snapshot<L>>) -> impl Iterator<Item = Arc<ThreadBuffer<L>>> {
    snapshots
        .into_iter()
        .flat_map(|buffers| (0..buffers.len()).filter_map(move |index| buffers.get(index).cloned()))
}
