//! Where the spans of a root go: to a trace that is not decided, or the way of one that is.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use enter_span::native::EndedSpan;
use opentelemetry::trace::{SpanId, TraceId};

use crate::keep::verdict::Verdict;

/// A local trace: by its trace id alone, two roots of one process would be one.
//
// Packed as a record's parentage is: a trace id asks for 16 bytes' alignment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(Rust, packed)]
pub(super) struct Key {
    pub(super) trace_id: TraceId,
    pub(super) root: SpanId,
}

impl Key {
    #[inline]
    pub(super) fn of(span: &EndedSpan) -> Self {
        Key {
            trace_id: span.parentage.trace_id,
            root: span.root,
        }
    }

    pub(super) fn with_root(self, root: SpanId) -> Self {
        Key { root, ..self }
    }
}

/// The ids of spans of this process are random: nobody outside chooses what collides.
impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Key { trace_id, root } = *self;
        let trace = u128::from_be_bytes(trace_id.to_bytes()) as u64;
        state.write_u64(trace ^ u64::from_be_bytes(root.to_bytes()));
    }
}

#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 ^= value;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// The number of a trace.
    Pending(u32),
    Decided(Verdict),
}

#[derive(Clone, Copy)]
enum Entry {
    Place(Place),
    /// What was taken for a root is below this one.
    Below(SpanId),
}

/// Verdicts that are remembered.
pub(super) const MOST_VERDICTS: usize = 16_384;

#[derive(Default)]
pub(super) struct PlaceTable {
    entries: HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>,
    /// The keys of those that are decided, in their order.
    decided: VecDeque<Key>,
}

/// Spans of others that stand between a span and its root, each of which was taken for one.
const MOST_STEPS: usize = 16;

impl PlaceTable {
    /// Where spans with this key go.
    #[inline]
    pub(super) fn find(&self, mut key: Key) -> Option<Place> {
        for _ in 0..MOST_STEPS {
            match *self.entries.get(&key)? {
                Entry::Below(root) => key.root = root,
                Entry::Place(place) => return Some(place),
            }
        }
        None
    }

    pub(super) fn set_pending(&mut self, key: Key, number: u32) {
        let place = Place::Pending(number);
        self.entries.insert(key, Entry::Place(place));
    }

    /// Has what is below `key` go where `root` goes. Gives the trace that took it for its root.
    pub(super) fn set_below(&mut self, key: Key, root: SpanId) -> Option<u32> {
        match self.entries.get(&key) {
            None => {
                self.entries.insert(key, Entry::Below(root));
                None
            }
            Some(Entry::Place(Place::Pending(number))) => {
                let number = *number;
                self.entries.insert(key, Entry::Below(root));
                Some(number)
            }
            Some(Entry::Place(Place::Decided(_)) | Entry::Below(_)) => None,
        }
    }

    /// Remembers a verdict, and forgets the oldest one if there are too many.
    pub(super) fn decide(&mut self, key: Key, verdict: Verdict) {
        let place = Place::Decided(verdict);
        let before = self.entries.insert(key, Entry::Place(place));
        if matches!(before, Some(Entry::Place(Place::Decided(_)))) {
            return;
        }
        self.decided.push_back(key);
        if self.decided.len() > MOST_VERDICTS {
            if let Some(oldest) = self.decided.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}
