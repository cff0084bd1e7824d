//! The open spans of a layer, by the ids that the subscriber gave them.
//!
//! Beside the registry's extensions, since those allocate for each span and are behind a lock that user code may
//! hold. No user code runs under the locks here.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Mutex, MutexGuard, PoisonError};

use enter_span::native::BridgedSpan;
use tracing_core::span::Id;

use crate::callsite::AddressHasher;

/// Threads that make spans at the same moment seldom meet in one of these.
const SHARDS: usize = 64;

pub(crate) struct SpanTable {
    shards: [Mutex<Shard>; SHARDS],
}

/// On cache lines of its own.
#[repr(align(128))]
#[derive(Default)]
struct Shard(HashMap<u64, BridgedSpan, BuildHasherDefault<AddressHasher>>);

impl SpanTable {
    pub(crate) fn new() -> Self {
        SpanTable {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Gives what had the id before, if a subscriber uses one twice.
    pub(crate) fn insert(&self, id: &Id, span: BridgedSpan) -> Option<BridgedSpan> {
        self.shard(id).0.insert(id.into_u64(), span)
    }

    /// What is read of a span, if it is known.
    pub(crate) fn with<R>(&self, id: &Id, read: impl FnOnce(&BridgedSpan) -> R) -> Option<R> {
        self.shard(id).0.get(&id.into_u64()).map(read)
    }

    pub(crate) fn remove(&self, id: &Id) -> Option<BridgedSpan> {
        self.shard(id).0.remove(&id.into_u64())
    }

    fn shard(&self, id: &Id) -> MutexGuard<'_, Shard> {
        let hash = id.into_u64().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let shard = &self.shards[(hash >> 58) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
