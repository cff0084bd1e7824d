//! The open spans of a layer, by the ids that the subscriber gave them.
//!
//! Beside the registry's extensions, since those allocate for each span and are behind a lock that user code may
//! hold. No user code runs under the locks here.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use enter_span::native::BridgedSpan;
use tracing_core::span::Id;

use crate::callsite::AddressHasher;

/// Threads that make spans at the same moment seldom meet in one of these.
const SHARDS: usize = 64;

pub(crate) struct SpanTable {
    is_used: AtomicBool,
    shards: [Mutex<Shard>; SHARDS],
}

/// On cache lines of its own.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    /// Most often there is no more than one: it is found without hashing.
    first: Option<(u64, BridgedSpan)>,
    others: HashMap<u64, BridgedSpan, BuildHasherDefault<AddressHasher>>,
}

impl SpanTable {
    pub(crate) fn new() -> Self {
        SpanTable {
            is_used: AtomicBool::new(false),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Whether it ever had a span.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// Gives what had the id before, if a subscriber uses one twice.
    pub(crate) fn insert(&self, id: &Id, span: BridgedSpan) -> Option<BridgedSpan> {
        if !self.is_used() {
            self.is_used.store(true, Ordering::Relaxed);
        }
        let number = id.into_u64();
        let mut shard = self.shard(id);
        match &mut shard.first {
            Some((first, known)) if *first == number => Some(mem::replace(known, span)),
            Some(_) => shard.others.insert(number, span),
            None => {
                shard.first = Some((number, span));
                shard.remove_other(number)
            }
        }
    }

    /// What is read of a span, if it is known.
    pub(crate) fn with<R>(&self, id: &Id, read: impl FnOnce(&BridgedSpan) -> R) -> Option<R> {
        let number = id.into_u64();
        let shard = self.shard(id);
        match &shard.first {
            Some((first, span)) if *first == number => Some(read(span)),
            _ => shard.others.get(&number).map(read),
        }
    }

    pub(crate) fn remove(&self, id: &Id) -> Option<BridgedSpan> {
        let number = id.into_u64();
        let mut shard = self.shard(id);
        match shard.first.take_if(|(first, _)| *first == number) {
            Some((_, span)) => Some(span),
            None => shard.remove_other(number),
        }
    }

    fn shard(&self, id: &Id) -> MutexGuard<'_, Shard> {
        let hash = id.into_u64().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let shard = &self.shards[(hash >> 58) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    #[inline]
    fn remove_other(&mut self, number: u64) -> Option<BridgedSpan> {
        if self.others.is_empty() {
            None
        } else {
            self.others.remove(&number)
        }
    }
}
