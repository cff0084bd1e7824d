//! The open mirrors, by the span that each shows: for contexts that are carried elsewhere, and for handles, which
//! know no more of a span than its ids. No subscriber is called under the locks here.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanId;

use crate::mirror::span::MirrorSpan;

/// Threads that make spans at the same moment seldom meet in one of these.
const SHARDS: usize = 64;

static SHARDS_OF_MIRRORS: [Mutex<Shard>; SHARDS] =
    [const { Mutex::new(Shard::with_hasher(BuildHasherDefault::new())) }; SHARDS];

type Shard = HashMap<u64, Arc<MirrorSpan>, BuildHasherDefault<IdHasher>>;

/// Whether there ever was a mirror.
static IS_USED: AtomicBool = AtomicBool::new(false);

#[inline(always)]
pub(crate) fn is_used() -> bool {
    IS_USED.load(Ordering::Relaxed)
}

pub(crate) fn insert(mirror: &Arc<MirrorSpan>) {
    if mirror.shown == SpanId::INVALID {
        return;
    }
    if !is_used() {
        IS_USED.store(true, Ordering::Relaxed);
    }
    let id = number(mirror.shown);
    let replaced = shard(id).insert(id, Arc::clone(mirror));
    // Outside of the lock: its subscriber is called.
    drop(replaced);
}

pub(crate) fn find(shown: SpanId) -> Option<Arc<MirrorSpan>> {
    let id = number(shown);
    shard(id).get(&id).cloned()
}

/// The caller drops it, outside of the lock.
pub(crate) fn remove(mirror: &Arc<MirrorSpan>) -> Option<Arc<MirrorSpan>> {
    let id = number(mirror.shown);
    let mut shard = shard(id);
    // A provider may give one id to two spans.
    let is_there = shard
        .get(&id)
        .is_some_and(|known| Arc::ptr_eq(known, mirror));
    if is_there { shard.remove(&id) } else { None }
}

fn number(id: SpanId) -> u64 {
    u64::from_be_bytes(id.to_bytes())
}

fn shard(id: u64) -> MutexGuard<'static, Shard> {
    let shard = &SHARDS_OF_MIRRORS[(mixed(id) >> 58) as usize % SHARDS];
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids are random, but for those of tests.
fn mixed(id: u64) -> u64 {
    id.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        // The table takes its upper bits and its lower ones.
        let mixed = mixed(self.0 ^ number);
        self.0 = mixed ^ (mixed >> 32);
    }
}
