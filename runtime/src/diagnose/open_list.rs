//! The list of the spans that are open, written by the threads that start and end them.
//!
//! No thread that starts or ends a span waits here. Each has slots of its own in chunks that the process
//! keeps: a start writes into a free slot, and goes on to the next one where somebody reads; an end turns a
//! switch, on whatever thread it is. No user code runs while a slot is locked.
//!
//! A forked child has the slots of its parent. One that another thread was writing at the fork stays locked:
//! it is left out and never used again.
//!
//! The slots of a thread go when it has ended and its spans have too, or when few of them are in use. Until then
//! they take about 200 bytes for each span of the most that were open together.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, Weak};

use crate::backend::site::Site;
use crate::context::clock::Monotonic;
use crate::context::identity::SpanContext;

/// What is known of a span that has started.
#[derive(Clone, Debug)]
pub(crate) struct OpenSpanInfo {
    pub(crate) name: Cow<'static, str>,
    pub(crate) site: &'static Site,
    pub(crate) identity: SpanContext,
    pub(crate) parent: SpanContext,
    pub(crate) place: OpenSpanPlace,
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
    pub(super) started: Monotonic,
    pub(super) info: OpenSpanInfo,
}

#[derive(Default)]
struct Slot {
    is_open: AtomicBool,
    /// Stays after the end until the slot is used again.
    entry: RwLock<Option<OpenEntry>>,
}

/// Slots for the spans that one thread starts. They live as long as the thread or one of the spans.
struct Chunk(Box<[Slot]>);

/// The chunks of all threads, in a few parts: where one is locked, another takes the new chunk.
static CHUNKS: [RwLock<Vec<Weak<Chunk>>>; 4] = [const { RwLock::new(Vec::new()) }; 4];

thread_local! {
    static OWN: RefCell<OwnChunks> = const { RefCell::new(OwnChunks::new()) };
}

/// The chunks of this thread, and where it looks first for a free slot.
struct OwnChunks {
    chunks: Vec<Arc<Chunk>>,
    chunk: usize,
    slot: usize,
    /// In all chunks.
    slots: usize,
    /// So many spans may start before the free slots are counted again.
    starts_left: usize,
    numbers: std::ops::Range<u64>,
}

/// A span's line in the list, which goes when this does.
pub(crate) struct Listed {
    chunk: Arc<Chunk>,
    slot: usize,
}

/// Slots in the first chunk of a thread. The next ones double what it has.
const FEW: usize = 16;

/// Puts a span that has started into the list.
#[inline]
pub(crate) fn enlist(info: OpenSpanInfo) -> Listed {
    let mut info = Some(info);
    let listed = OWN.try_with(|own| own.borrow_mut().enlist(&mut info));
    // A thread that is dying makes a chunk for this span alone.
    listed.unwrap_or_else(|_| OwnChunks::new().enlist(&mut info))
}

impl OwnChunks {
    const fn new() -> Self {
        OwnChunks {
            chunks: Vec::new(),
            chunk: 0,
            slot: 0,
            slots: 0,
            starts_left: 0,
            numbers: 0..0,
        }
    }

    fn enlist(&mut self, info: &mut Option<OpenSpanInfo>) -> Listed {
        let number = self.next_number();
        let mut entry = info.take().map(|info| OpenEntry {
            number,
            started: Monotonic::now(),
            info,
        });
        if self.starts_left == 0 {
            self.make_room();
        }
        self.starts_left -= 1;
        loop {
            for _ in 0..self.slots {
                let free = self.slot().filter(|(_, slot)| slot.open(&mut entry));
                if let Some((chunk, _)) = free {
                    return Listed {
                        chunk: Arc::clone(chunk),
                        slot: self.slot,
                    };
                }
                self.go_on();
            }
            // Those that are free are being read.
            self.grow();
        }
    }

    #[inline]
    fn slot(&self) -> Option<(&Arc<Chunk>, &Slot)> {
        let chunk = self.chunks.get(self.chunk)?;
        Some((chunk, chunk.0.get(self.slot)?))
    }

    /// To the next slot, behind the last to the first.
    #[cold]
    fn go_on(&mut self) {
        self.slot += 1;
        if self.slot().is_none() {
            self.slot = 0;
            self.chunk = (self.chunk + 1) % self.chunks.len().max(1);
        }
    }

    /// Counts what is free, and sees to it that it is half of all, but not much more. Until half of that is used,
    /// no start looks at more than a few slots, taken together, and none counts again.
    #[cold]
    fn make_room(&mut self) {
        let open: usize = self.chunks.iter().map(|chunk| chunk.open()).sum();
        if 8 * open < self.slots && self.slots > FEW {
            self.chunks.retain(|chunk| chunk.open() > 0);
            self.slots = self.chunks.iter().map(|chunk| chunk.0.len()).sum();
            (self.chunk, self.slot) = (0, 0);
        }
        if 2 * open > self.slots || self.slots == 0 {
            self.grow();
        }
        self.starts_left = (self.slots / 4).max(1);
    }

    /// Looks into the new chunk first.
    #[cold]
    fn grow(&mut self) {
        let slots = self.slots.max(FEW);
        let chunk = Arc::new(Chunk((0..slots).map(|_| Slot::default()).collect()));
        publish(&chunk);
        self.chunk = self.chunks.len();
        self.slot = 0;
        self.slots += slots;
        self.chunks.push(chunk);
    }

    /// From a block of numbers, so that threads do not write to one counter for each span.
    #[inline]
    fn next_number(&mut self) -> u64 {
        if self.numbers.is_empty() {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            const BLOCK: u64 = 1024;
            let first = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
            self.numbers = first..first + BLOCK;
        }
        self.numbers.next().unwrap_or_default()
    }
}

/// Shows a chunk to those who read. One that finds no part free is not shown: a lock of the parent's is never
/// opened in a forked child.
fn publish(chunk: &Arc<Chunk>) {
    const ROUNDS: u32 = 1_000;
    for _ in 0..ROUNDS {
        if let Some(mut chunks) = CHUNKS.iter().find_map(try_write) {
            // Without those that are gone.
            chunks.retain(|chunk| chunk.strong_count() > 0);
            chunks.push(Arc::downgrade(chunk));
            return;
        }
        std::hint::spin_loop();
    }
}

impl Chunk {
    fn open(&self) -> usize {
        let is_open = |slot: &&Slot| slot.is_open.load(Ordering::Relaxed);
        self.0.iter().filter(is_open).count()
    }
}

impl Slot {
    /// Says whether it was free, and has the entry now.
    #[inline]
    fn open(&self, entry: &mut Option<OpenEntry>) -> bool {
        // Acquire: what ended here wrote before that.
        if self.is_open.load(Ordering::Acquire) {
            return false;
        }
        let Some(mut written) = try_write(&self.entry) else {
            return false;
        };
        *written = entry.take();
        // Under the lock: who reads an entry sees whose it is.
        self.is_open.store(true, Ordering::Release);
        true
    }
}

impl Listed {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        self.chunk.0.get(self.slot)
    }

    /// Not while somebody reads that line and stands still: then it keeps its name in the list.
    #[cold]
    pub(crate) fn rename(&self, name: Cow<'static, str>) {
        const ROUNDS: u32 = 64;
        let Some(slot) = self.slot() else { return };
        for _ in 0..ROUNDS {
            if let Some(mut entry) = try_write(&slot.entry) {
                let before = entry
                    .as_mut()
                    .map(|entry| std::mem::replace(&mut entry.info.name, name));
                drop(entry);
                drop(before);
                return;
            }
            std::hint::spin_loop();
        }
    }
}

impl Drop for Listed {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.slot() {
            slot.is_open.store(false, Ordering::Release);
        }
    }
}

/// What is made of each span that is open. One that starts, ends or is renamed meanwhile may be missing.
pub(super) fn read<R>(mut read: impl FnMut(&OpenEntry) -> Option<R>) -> Vec<R> {
    let chunks: Vec<Weak<Chunk>> = CHUNKS
        .iter()
        .filter_map(try_read_soon)
        .flat_map(|chunks| chunks.clone())
        .collect();
    let chunks: Vec<Arc<Chunk>> = chunks.iter().filter_map(Weak::upgrade).collect();
    let slots = chunks.iter().flat_map(|chunk| &chunk.0);
    let open = slots.filter(|slot| slot.is_open.load(Ordering::Acquire));
    open.filter_map(|slot| {
        let entry = try_read_soon(&slot.entry)?;
        let is_open = slot.is_open.load(Ordering::Relaxed);
        entry.as_ref().filter(|_| is_open).and_then(&mut read)
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
    const ROUNDS: u32 = 1_000;
    for _ in 0..ROUNDS {
        if let Some(guard) = try_read(lock) {
            return Some(guard);
        }
        std::thread::yield_now();
    }
    None
}
