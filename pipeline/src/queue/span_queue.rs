//! The queue of ended spans, as the threads of the application see it: each finds its own buffer without a
//! lock.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use enter_span::native::EndedSpan;
use opentelemetry::KeyValue;

use crate::queue::buffers::Buffers;
use crate::queue::drained_list;
use crate::queue::limit::Limits;
use crate::queue::lost_roots::LostRoots;
use crate::queue::push_result::{PushResult, WorkerCall};
use crate::queue::span_list::SpanList;
use crate::queue::thread_buffer::BufferOwner;

pub(crate) type DrainedList = drained_list::DrainedList<SpanList>;
pub(crate) type ListHome = drained_list::ListHome<SpanList>;

/// All that waits in a pipeline, or is on its way.
pub(crate) struct SpanQueue {
    number: u64,
    pub(crate) buffers: Buffers<SpanList>,
    pub(crate) lost_roots: LostRoots,
    record_only: AtomicU64,
    call: Box<dyn Fn(WorkerCall) + Send + Sync>,
}

thread_local! {
    /// The buffers of this thread, with the numbers of their pipelines.
    static OWN_BUFFERS: RefCell<Vec<OwnBuffer>> = const { RefCell::new(Vec::new()) };
}

/// A thread's buffer for one pipeline.
struct OwnBuffer {
    number: u64,
    queue: Weak<SpanQueue>,
    buffer: BufferOwner<SpanList>,
}

impl Drop for OwnBuffer {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.buffers.leave(&self.buffer);
        }
    }
}

impl SpanQueue {
    pub(crate) fn new(
        limits: Limits,
        call: impl Fn(WorkerCall) + Send + Sync + 'static,
    ) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // A batch, or half of what may wait.
        let due = limits.batch_spans.min(limits.queue_spans / 2).max(1);
        let buffers = Buffers::new(limits.queue(), limits.batch(), due);
        Arc::new(SpanQueue {
            // Relaxed: the numbers only have to differ.
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            buffers,
            lost_roots: LostRoots::default(),
            record_only: AtomicU64::new(0),
            call: Box::new(call),
        })
    }

    /// Takes a span of so many bytes. Never waits. One that does not fit is
    /// left there and counted as dropped; then this is `false`.
    #[inline]
    pub(crate) fn push(
        self: &Arc<Self>,
        span: &mut EndedSpan,
        attributes: &mut Vec<KeyValue>,
        bytes: usize,
    ) -> bool {
        let own = self.with_own(|own| {
            let put = |spans: &mut SpanList| spans.push(span, attributes);
            Some(self.buffers.push(&own?.buffer, bytes, put))
        });
        let pushed = own
            .flatten()
            .unwrap_or_else(|| self.push_alone(bytes, span, attributes));
        if let Some(call) = pushed.call {
            self.call_worker(call);
        }
        pushed.is_accepted
    }

    /// A span that was not taken: the worker learns of it, if it is a local root.
    #[cold]
    pub(crate) fn lose(&self, span: &EndedSpan) {
        if self.lost_roots.note(span) {
            self.call_worker(WorkerCall::Soon);
        }
    }

    #[cold]
    fn call_worker(&self, call: WorkerCall) {
        // A child has no worker: it learns it here, at the latest when its buffers are full.
        if !self.buffers.is_forked() {
            (self.call)(call);
        }
    }

    /// Drained spans were dropped: the worker warns the application.
    pub(crate) fn report_drops(&self) {
        (self.call)(WorkerCall::Soon);
    }

    /// With a buffer for this span alone: on a thread that is dying, or too late.
    #[cold]
    fn push_alone(
        &self,
        bytes: usize,
        span: &mut EndedSpan,
        attributes: &mut Vec<KeyValue>,
    ) -> PushResult {
        let put = |spans: &mut SpanList| spans.push(span, attributes);
        let buffer = self.buffers.join();
        let pushed = self.buffers.push(&buffer, bytes, put);
        self.buffers.leave(&buffer);
        pushed
    }

    /// A span that a sampler wanted to be recorded and not exported has ended.
    pub(crate) fn count_record_only(&self) {
        self.record_only.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_only(&self) -> u64 {
        self.record_only.load(Ordering::Relaxed)
    }

    /// With this thread's own, made at its first span; with none where a new one would be of no use.
    /// `None` on a thread that is dying.
    #[inline(always)]
    fn with_own<R>(self: &Arc<Self>, work: impl FnOnce(Option<&OwnBuffer>) -> R) -> Option<R> {
        let with = |all: &RefCell<Vec<OwnBuffer>>| {
            let mut all = all.borrow_mut();
            match all.first() {
                // Most processes have one pipeline.
                Some(own) if own.number == self.number => work(Some(own)),
                _ => {
                    let index = self.index_of_own(&mut all);
                    work(index.and_then(|index| all.get(index)))
                }
            }
        };
        OWN_BUFFERS.try_with(with).ok()
    }

    #[cold]
    fn index_of_own(self: &Arc<Self>, all: &mut Vec<OwnBuffer>) -> Option<usize> {
        let known = all.iter().position(|own| own.number == self.number);
        known.or_else(|| self.add_own(all))
    }

    fn add_own(self: &Arc<Self>, all: &mut Vec<OwnBuffer>) -> Option<usize> {
        // Pipelines that are gone leave their buffers here.
        all.retain(|own| own.queue.strong_count() > 0);
        if self.buffers.is_closed() {
            return None;
        }
        all.push(OwnBuffer {
            number: self.number,
            queue: Arc::downgrade(self),
            buffer: self.buffers.join(),
        });
        Some(all.len() - 1)
    }
}
