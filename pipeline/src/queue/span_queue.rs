//! The queue as the threads of the application see it: each has a buffer of its own, found without a
//! lock.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use enter_span::native::EndedSpan;
use opentelemetry::KeyValue;

use crate::queue::budget::Room;
use crate::queue::buffers::{self, InstallCall, Pushed, Store, Tally};
use crate::queue::limit::Limits;
use crate::queue::span_list::Spans;

pub(crate) type Drained = buffers::Drained<Spans>;
type Buffer = buffers::Buffer<Spans>;

/// All that waits in a pipeline, or is on its way.
pub(crate) struct Queue {
    number: u64,
    store: Store<Spans>,
    /// A buffer for threads that are dying, and for what comes too late.
    shared: Arc<Buffer>,
    record_only: AtomicU64,
    call: Box<dyn Fn(InstallCall) + Send + Sync>,
}

thread_local! {
    /// The buffers of this thread, with the numbers of their pipelines.
    static OWN: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

/// A thread's buffer for one pipeline.
struct Own {
    number: u64,
    queue: Weak<Queue>,
    buffer: Arc<Buffer>,
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.store.leave(&self.buffer);
        }
    }
}

impl Queue {
    pub(crate) fn new(
        limits: Limits,
        call: impl Fn(InstallCall) + Send + Sync + 'static,
    ) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // A batch, or half of what may wait.
        let due = limits.batch_spans.min(limits.queue_spans / 2).max(1);
        let store = Store::new(limits.queue(), limits.batch(), due);
        Arc::new(Queue {
            // Relaxed: the numbers only have to differ.
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            shared: store.join(),
            store,
            record_only: AtomicU64::new(0),
            call: Box::new(call),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.store.is_closed()
    }

    /// From now on what is pushed is counted and dropped. What was pushed before is in the buffers.
    pub(crate) fn close(&self) {
        self.store.close();
    }

    /// Whether this is a forked child of the pipeline's process, where it is off.
    pub(crate) fn is_forked(&self) -> bool {
        self.store.is_forked()
    }

    /// Takes a span of so many bytes out of its place. Never waits for an exporter. One that does not fit is
    /// left there and counted as dropped; then this is `false`.
    #[inline]
    pub(crate) fn push(
        self: &Arc<Self>,
        span: &mut EndedSpan,
        attributes: &mut Vec<KeyValue>,
        bytes: usize,
    ) -> bool {
        let own = self.with_own(|own| {
            let buffer = own.map_or(&self.shared, |own| &own.buffer);
            self.store
                .push(buffer, bytes, |spans| spans.push(span, attributes))
        });
        let pushed = own.unwrap_or_else(|| self.push_shared(bytes, span, attributes));
        if let Some(call) = pushed.call {
            self.call_worker(call);
        }
        pushed.is_accepted
    }

    #[cold]
    fn call_worker(&self, call: InstallCall) {
        // A child has no worker: it learns it here, at the latest when its buffers are full.
        if !self.is_forked() {
            (self.call)(call);
        }
    }

    /// What was taken out has been dropped: the worker tells the application.
    pub(crate) fn tell_of_drops(&self) {
        (self.call)(InstallCall::Soon);
    }

    #[cold]
    fn push_shared(
        &self,
        bytes: usize,
        span: &mut EndedSpan,
        attributes: &mut Vec<KeyValue>,
    ) -> Pushed {
        let put = |spans: &mut Spans| spans.push(span, attributes);
        self.store.push(&self.shared, bytes, put)
    }

    /// A span that a sampler wanted to be recorded and not exported has ended.
    pub(crate) fn count_record_only(&self) {
        self.record_only.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_only(&self) -> u64 {
        self.record_only.load(Ordering::Relaxed)
    }

    /// What was taken out, and is exported or dropped now, makes room.
    pub(crate) fn release(&self, room: Room) {
        self.store.release(room);
    }

    /// The worker's side: whether nothing waits. Then it is called when something does.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.store.fall_asleep()
    }

    pub(crate) fn wake_up(&self) {
        self.store.wake_up();
    }

    /// Takes out all that waits. What it holds stays counted until it is released.
    pub(crate) fn drain(&self) -> Vec<Drained> {
        self.store.drain()
    }

    /// A list, which is empty now, goes back to its thread.
    pub(crate) fn give_back(&self, drained: Drained) {
        self.store.give_back(drained);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.store.tally()
    }

    /// What was refused alone, without a lock.
    pub(crate) fn refused(&self) -> Tally {
        self.store.refused()
    }

    /// With this thread's own, made at its first span; with none where a new one would be of no use.
    /// `None` on a thread that is dying.
    #[inline(always)]
    fn with_own<R>(self: &Arc<Self>, work: impl FnOnce(Option<&Own>) -> R) -> Option<R> {
        let with = |all: &RefCell<Vec<Own>>| {
            let mut all = all.borrow_mut();
            let known = all.iter().position(|own| own.number == self.number);
            let parentage = known.or_else(|| self.make_own(&mut all));
            work(parentage.and_then(|parentage| all.get(parentage)))
        };
        OWN.try_with(with).ok()
    }

    #[cold]
    fn make_own(self: &Arc<Self>, all: &mut Vec<Own>) -> Option<usize> {
        // Pipelines that are gone leave their buffers here.
        all.retain(|own| own.queue.strong_count() > 0);
        if self.is_closed() {
            return None;
        }
        all.push(Own {
            number: self.number,
            queue: Arc::downgrade(self),
            buffer: self.store.join(),
        });
        Some(all.len() - 1)
    }
}
