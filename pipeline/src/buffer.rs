//! The hand-over from the threads of the application to the worker.
//!
//! Each thread has a buffer of its own for each pipeline. Its lock is held for one push, and taken by
//! the worker a few times a second, so that threads do not wait for each other. How much all of them
//! may hold together is given out in portions, and what a thread has not used goes back.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::KeyValue;

use crate::ended::{Ended, Spans};
use crate::limit::Limits;

/// All buffers of a pipeline, and what they may hold.
pub(crate) struct Queue {
    number: u64,
    limits: Limits,
    buffers: Mutex<Vec<Arc<Buffer>>>,
    /// One of them, for threads that are dying.
    of_the_dying: Arc<Buffer>,
    /// Given out to buffers, or on its way to an exporter.
    spans: AtomicUsize,
    bytes: AtomicUsize,
    is_closed: AtomicBool,
    /// Portions were taken back, and are not given out any more until the worker has been there: each
    /// span asks for itself.
    is_scarce: AtomicBool,
    reclaiming: Mutex<()>,
    /// The counts of buffers whose thread is gone.
    gone: Mutex<Counted>,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Buffer(Mutex<Filled>);

/// What the worker has taken out of a buffer, and will give back empty.
pub(crate) struct Drained {
    pub(crate) records: Spans,
    home: Arc<Buffer>,
}

#[derive(Default)]
struct Filled {
    records: Spans,
    /// What may still be pushed before another portion is asked for.
    spans_left: usize,
    bytes_left: usize,
    counted: Counted,
}

/// What happened at the buffers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) recorded: u64,
    pub(crate) queue_full: u64,
    pub(crate) after_shutdown: u64,
}

impl Counted {
    fn add(&mut self, other: Counted) {
        self.recorded += other.recorded;
        self.queue_full += other.queue_full;
        self.after_shutdown += other.after_shutdown;
    }
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

/// A thread that ends gives back what it has not used.
impl Drop for Own {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.take_back(&mut self.buffer.filled());
        }
    }
}

impl Drained {
    /// The list, which is empty now, goes back to its thread.
    pub(crate) fn give_back(self) {
        let mut filled = self.home.filled();
        if filled.records.len() == 0 {
            let _ = std::mem::replace(&mut filled.records, self.records);
        }
    }
}

impl Buffer {
    fn filled(&self) -> MutexGuard<'_, Filled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a span was not kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Full,
    Closed,
}

impl Queue {
    pub(crate) fn new(limits: Limits, wake: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let of_the_dying = Arc::<Buffer>::default();
        Arc::new(Queue {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            limits,
            buffers: Mutex::new(vec![Arc::clone(&of_the_dying)]),
            of_the_dying,
            spans: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            is_scarce: AtomicBool::new(false),
            reclaiming: Mutex::new(()),
            gone: Mutex::default(),
            wake: Box::new(wake),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// From now on what is pushed is counted and dropped. What was pushed before is in the buffers.
    pub(crate) fn close(&self) {
        // Relaxed is enough: the worker locks each buffer after this, and who locks it later sees it.
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Takes a span out of its place. Never waits for an exporter. One that does not fit is left there
    /// and counted as dropped; then this is `false`.
    #[inline]
    pub(crate) fn push(self: &Arc<Self>, span: &mut Ended, attributes: &mut Vec<KeyValue>) -> bool {
        let pushed = self.with_own(|own| self.push_to(&own.buffer, span, attributes));
        let pushed = pushed.unwrap_or_else(|| self.push_to(&self.of_the_dying, span, attributes));
        if pushed == Some(self.wake_at()) {
            (self.wake)();
        }
        pushed.is_some()
    }

    /// Gives how many wait then; none if it was dropped.
    #[inline]
    fn push_to(
        &self,
        buffer: &Buffer,
        span: &mut Ended,
        attributes: &mut Vec<KeyValue>,
    ) -> Option<usize> {
        let bytes = span.bytes();
        let mut room = self.room(buffer, bytes);
        if room.as_ref().is_err_and(|cause| *cause == Cause::Full) {
            self.reclaim();
            room = self.room(buffer, bytes);
        }
        match room {
            Ok(mut filled) => {
                filled.records.push(span, attributes);
                Some(filled.records.len())
            }
            Err(cause) => {
                self.count(buffer, cause);
                None
            }
        }
    }

    /// A batch, or half of what may wait.
    fn wake_at(&self) -> usize {
        let half = self.limits.queue_spans / 2;
        self.limits.batch_spans.min(half).max(1)
    }

    /// A buffer, locked, in which there is room for one more.
    fn room<'a>(&self, buffer: &'a Buffer, bytes: usize) -> Result<MutexGuard<'a, Filled>, Cause> {
        let mut filled = buffer.filled();
        if self.is_closed() {
            return Err(Cause::Closed);
        }
        if !self.has_room(&mut filled, bytes) {
            return Err(Cause::Full);
        }
        filled.counted.recorded += 1;
        filled.spans_left -= 1;
        filled.bytes_left -= bytes;
        Ok(filled)
    }

    #[cold]
    fn count(&self, buffer: &Buffer, cause: Cause) {
        let mut filled = buffer.filled();
        filled.counted.recorded += 1;
        match cause {
            Cause::Full => filled.counted.queue_full += 1,
            Cause::Closed => filled.counted.after_shutdown += 1,
        }
    }

    /// Takes back what other threads were given and have not used, once until the worker has been
    /// there.
    #[cold]
    fn reclaim(&self) {
        if self.is_scarce.load(Ordering::Relaxed) {
            // Perhaps by a thread that is still at it: what it takes back is there afterwards.
            let _others = self.reclaiming();
            return;
        }
        let reclaiming = self.reclaiming();
        self.is_scarce.store(true, Ordering::Relaxed);
        for buffer in self.buffers().iter() {
            self.take_back(&mut buffer.filled());
        }
        drop(reclaiming);
        (self.wake)();
    }

    fn reclaiming(&self) -> MutexGuard<'_, ()> {
        self.reclaiming
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn take_back(&self, filled: &mut Filled) {
        let spans = std::mem::take(&mut filled.spans_left);
        let bytes = std::mem::take(&mut filled.bytes_left);
        self.release(spans, bytes);
    }

    /// Asks for another portion where the last one is used up.
    fn has_room(&self, filled: &mut Filled, bytes: usize) -> bool {
        let is_scarce = self.is_scarce.load(Ordering::Relaxed);
        if filled.spans_left == 0 {
            let portion = match is_scarce {
                true => 1,
                false => (self.limits.queue_spans / 64).clamp(1, 32),
            };
            filled.spans_left += take(&self.spans, self.limits.queue_spans, portion, 1);
        }
        if filled.bytes_left < bytes {
            let missing = bytes - filled.bytes_left;
            let portion = match is_scarce {
                true => missing,
                false => (self.limits.queue_bytes / 64)
                    .clamp(1, 32 * 1024)
                    .max(missing),
            };
            filled.bytes_left += take(&self.bytes, self.limits.queue_bytes, portion, missing);
        }
        let has_room = filled.spans_left > 0 && filled.bytes_left >= bytes;
        if is_scarce && !has_room {
            self.take_back(filled);
        }
        has_room
    }

    /// What was taken out, and is exported or dropped now, makes room.
    pub(crate) fn release(&self, spans: usize, bytes: usize) {
        self.spans.fetch_sub(spans, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn buffers(&self) -> MutexGuard<'_, Vec<Arc<Buffer>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With this thread's own, made at its first span; `None` on a thread that is dying.
    #[inline]
    fn with_own<R>(self: &Arc<Self>, mut work: impl FnMut(&mut Own) -> R) -> Option<R> {
        OWN.try_with(|all| {
            let mut all = all.borrow_mut();
            let known = all.iter().position(|own| own.number == self.number);
            let place = known.unwrap_or_else(|| self.make_own(&mut all));
            work(&mut all[place])
        })
        .ok()
    }

    #[cold]
    fn make_own(self: &Arc<Self>, all: &mut Vec<Own>) -> usize {
        // Pipelines that are gone leave their buffers here.
        all.retain(|own| own.queue.strong_count() > 0);
        let buffer = Arc::<Buffer>::default();
        self.buffers().push(Arc::clone(&buffer));
        all.push(Own {
            number: self.number,
            queue: Arc::downgrade(self),
            buffer,
        });
        all.len() - 1
    }

    /// Takes out all that waits. What it holds stays counted until it is released.
    pub(crate) fn drain(&self) -> Vec<Drained> {
        self.is_scarce.store(false, Ordering::Relaxed);
        let mut all = Vec::new();
        self.buffers().retain(|buffer| {
            // Asked before: if its thread is gone now, nothing is pushed after this.
            let lives = Arc::strong_count(buffer) > 1;
            let mut filled = buffer.filled();
            let records = std::mem::take(&mut filled.records);
            self.take_back(&mut filled);
            let counted = filled.counted;
            drop(filled);
            if !lives {
                self.gone().add(counted);
            }
            if records.len() > 0 {
                all.push(Drained {
                    records,
                    home: Arc::clone(buffer),
                });
            }
            lives
        });
        all
    }

    fn gone(&self) -> MutexGuard<'_, Counted> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counted(&self) -> Counted {
        let buffers = self.buffers();
        let mut sum = *self.gone();
        for buffer in buffers.iter() {
            sum.add(buffer.filled().counted);
        }
        sum
    }
}

/// Takes up to `wanted`, but at least `needed`, of what is left under `most`; or nothing.
fn take(used: &AtomicUsize, most: usize, wanted: usize, needed: usize) -> usize {
    let mut taken = 0;
    let grow = |now: usize| {
        let left = most.saturating_sub(now);
        taken = if left < needed { 0 } else { left.min(wanted) };
        (taken > 0).then(|| now + taken)
    };
    match used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow) {
        Ok(_) => taken,
        Err(_) => 0,
    }
}
