//! The list of the spans that are open, written by the threads that start and end them.
//!
//! No thread that starts or ends a span waits here. Each recording has a slot, which is used again with it: a
//! start writes into it, and takes another one where somebody reads; an end turns a switch. No user code runs
//! while a slot is locked.
//!
//! A forked child has the slots of its parent. One that another thread was writing at the fork stays locked:
//! it is left out and never used again.
//!
//! A slot takes about 200 bytes. Each thread keeps a few.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, Weak};
use std::thread;
use std::time::Duration;

use crate::backend::record_config::RecordConfig;
use crate::backend::site::Site;
use crate::context::identity::{SpanContext, SpanId};
use crate::diagnose::start_time::{CountedStart, Now, Started};

/// A span that has started.
pub(crate) struct BegunSpan<'a> {
    /// `None`: that of its site.
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) site: &'static Site,
    pub(crate) identity: &'a opentelemetry::trace::SpanContext,
    /// Not valid if it has none.
    pub(crate) parent: opentelemetry::trace::SpanId,
    pub(crate) place: OpenSpanPlace,
}

/// What the list has of it.
#[derive(Clone, Debug)]
pub(crate) struct OpenSpanInfo {
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) site: &'static Site,
    pub(super) identity: SpanContext,
    pub(super) parent: SpanId,
    pub(super) place: OpenSpanPlace,
}

/// Where a span stands among those of its trace that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenSpanPlace {
    First,
    Below,
}

/// A span's line.
pub(super) struct OpenEntry {
    /// Unique; in the order of the starts of one thread.
    pub(super) number: u64,
    started: Started,
    pub(super) info: OpenSpanInfo,
}

#[derive(Default)]
struct Slot {
    is_open: AtomicBool,
    /// Stays after the end until the slot is used again.
    line: RwLock<Line>,
}

#[derive(Default)]
struct Line {
    entry: Option<OpenEntry>,
    /// Whose counter it goes by. Most lines that follow each other in a slot have the same.
    config: Option<Arc<RecordConfig>>,
}

/// The slot of one recording, which keeps it for its next span.
#[derive(Default)]
pub(crate) struct ListPlace(Option<Arc<Slot>>);

/// Slots that a thread keeps of recordings that have no next span.
const MOST_SPARE: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Arc<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// All slots, in a few parts: where one is locked, another takes the new slot.
static SLOTS: [RwLock<Vec<Weak<Slot>>>; 4] = [const { RwLock::new(Vec::new()) }; 4];

/// Slots in all parts, and those of them whose recording is gone.
static LISTED: AtomicUsize = AtomicUsize::new(0);
static GONE: AtomicUsize = AtomicUsize::new(0);

/// So many slots that are gone may stay, however few there are.
const FEW: usize = 64;

impl ListPlace {
    /// Puts a span that has started into the list; with its start, if its record's sink has counted that.
    #[inline]
    pub(crate) fn open(&mut self, mut begun: BegunSpan<'_>, start: CountedStart<'_>) {
        let is_listed = |slot: &Arc<Slot>| slot.open(&mut begun, start);
        if !self.0.as_ref().is_some_and(is_listed) {
            self.open_other(begun, start);
        }
    }

    /// There is none yet, or somebody reads it.
    #[cold]
    #[inline(never)]
    fn open_other(&mut self, mut begun: BegunSpan<'_>, start: CountedStart<'_>) {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        let spare = spare.ok().flatten();
        *self = ListPlace(spare.filter(|slot| slot.open(&mut begun, start)));
        if self.0.is_none() {
            let slot = Arc::<Slot>::default();
            slot.open(&mut begun, start);
            // What is not shown is not used again.
            *self = ListPlace(publish(&slot).then_some(slot));
        }
    }

    /// The span has ended, and its recording may have another one.
    #[inline]
    pub(crate) fn close(&self) {
        if let Some(slot) = &self.0 {
            slot.is_open.store(false, Ordering::Release);
        }
    }

    /// The span has ended, and others may keep its recording: the thread keeps the slot.
    pub(crate) fn close_and_leave(&mut self) {
        self.close();
        let slot = &mut self.0;
        // A dying thread has no next span.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST_SPARE {
                spare.extend(slot.take());
            }
        });
    }

    /// Not while somebody reads that line and stands still: then it keeps its name in the list.
    #[cold]
    pub(crate) fn rename(&self, name: Cow<'static, str>) {
        const ROUNDS: u32 = 64;
        let Some(slot) = &self.0 else { return };
        for _ in 0..ROUNDS {
            if let Some(mut line) = try_write(&slot.line) {
                let before = line
                    .entry
                    .as_mut()
                    .and_then(|entry| entry.info.name.replace(name));
                drop(line);
                drop(before);
                return;
            }
            std::hint::spin_loop();
        }
    }
}

/// With its recording.
impl Drop for ListPlace {
    #[inline]
    fn drop(&mut self) {
        self.close();
    }
}

/// Where most slots are gone, they leave the list.
impl Drop for Slot {
    fn drop(&mut self) {
        let gone = GONE.fetch_add(1, Ordering::Relaxed) + 1;
        if gone > FEW && 2 * gone > LISTED.load(Ordering::Relaxed) {
            GONE.store(0, Ordering::Relaxed);
            SLOTS.iter().filter_map(try_write).for_each(remove_gone);
        }
    }
}

fn remove_gone(mut slots: RwLockWriteGuard<'_, Vec<Weak<Slot>>>) {
    let before = slots.len();
    slots.retain(|slot| slot.strong_count() > 0);
    let left = slots.len();
    slots.shrink_to(2 * left);
    LISTED.fetch_sub(before - left, Ordering::Relaxed);
}

/// Shows a slot to those who read, if it finds a part free: a lock of the parent's is never opened in a forked
/// child.
fn publish(slot: &Arc<Slot>) -> bool {
    const ROUNDS: u32 = 1_000;
    for _ in 0..ROUNDS {
        if let Some(mut slots) = SLOTS.iter().find_map(try_write) {
            slots.push(Arc::downgrade(slot));
            LISTED.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        std::hint::spin_loop();
    }
    false
}

/// From a block of numbers, so that threads do not write to one counter for each span.
#[inline]
fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        /// The next one, and the end of the block.
        static OWN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }
    const BLOCK: u64 = 1024;
    let next = |own: &Cell<(u64, u64)>| {
        let (mut next, mut end) = own.get();
        if next == end {
            next = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
            end = next + BLOCK;
        }
        own.set((next + 1, end));
        next
    };
    OWN.try_with(next).unwrap_or_default()
}

impl Slot {
    /// Says whether nobody reads it: then it has the span.
    #[inline]
    fn open(&self, begun: &mut BegunSpan<'_>, start: CountedStart<'_>) -> bool {
        let Some(mut line) = try_write(&self.line) else {
            return false;
        };
        line.write(begun, start);
        // Under the lock: who reads a line sees whose it is.
        self.is_open.store(true, Ordering::Release);
        true
    }
}

impl Line {
    #[inline]
    fn write(&mut self, begun: &mut BegunSpan<'_>, start: CountedStart<'_>) {
        self.entry = Some(OpenEntry {
            number: next_number(),
            started: Started::at(start),
            info: OpenSpanInfo {
                name: begun.name.take(),
                site: begun.site,
                identity: SpanContext(begun.identity.clone()),
                parent: SpanId(begun.parent),
                place: begun.place,
            },
        });
        let config = start.map(|(config, _)| config);
        if self.config.as_ref().map(Arc::as_ptr) != config.map(Arc::as_ptr) {
            self.config = config.cloned();
        }
    }
}

/// What is made of each span that is open, with its age. One that starts, ends or is renamed meanwhile may be
/// missing.
pub(super) fn read<R>(mut read: impl FnMut(&OpenEntry, Duration) -> Option<R>) -> Vec<R> {
    let mut now = Now::read();
    let slots: Vec<Weak<Slot>> = SLOTS
        .iter()
        .filter_map(try_read_soon)
        .flat_map(|slots| slots.clone())
        .collect();
    let slots = slots.iter().filter_map(Weak::upgrade);
    let open = slots.filter(|slot| slot.is_open.load(Ordering::Acquire));
    open.filter_map(|slot| {
        let line = try_read_soon(&slot.line)?;
        let is_open = slot.is_open.load(Ordering::Relaxed);
        let entry = line.entry.as_ref().filter(|_| is_open)?;
        read(entry, now.age(entry.started, line.config.as_ref()))
    })
    .collect()
}

fn try_read<T>(lock: &RwLock<T>) -> Option<RwLockReadGuard<'_, T>> {
    match lock.try_read() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[inline]
fn try_write<T>(lock: &RwLock<T>) -> Option<RwLockWriteGuard<'_, T>> {
    match lock.try_write() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Who reads has time, but not for ever: a lock of the parent's is never opened in a forked child.
fn try_read_soon<T>(lock: &RwLock<T>) -> Option<RwLockReadGuard<'_, T>> {
    const YIELDS: u32 = 1_000;
    const PAUSES: u32 = 100;
    for round in 0..YIELDS + PAUSES {
        if let Some(guard) = try_read(lock) {
            return Some(guard);
        }
        if round < YIELDS {
            thread::yield_now();
        } else {
            thread::sleep(Duration::from_millis(1));
        }
    }
    None
}
