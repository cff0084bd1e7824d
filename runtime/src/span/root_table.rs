//! Which local root a span is below, without a value in OpenTelemetry's context, which a root would pay with
//! three allocations and each child with a look into it.
//!
//! That a span is below a root stays true for ever, so a thread remembers a few such facts: a span that starts
//! finds its parent's there and adds its own. Where it finds none, because the context came from another thread
//! or through code that is not ours, a table of the roots that are open has it by the trace.
//!
//! Nobody waits for the table: each open root has a slot, whose lock is only tried (`root_slot.rs`). Where all of
//! its slots are taken it is in a list, whose lock is tried too (`root_overflow.rs`). A root that finds all of this
//! taken at the same moment is not known: below it, a context that other code carries to another thread has its own
//! span as the root. What a root holds drops outside of the locks, and no user code runs under them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use crate::span::root_overflow::{Overflow, OverflowRoot};
use crate::span::root_slot::{Entry, Origin, Root, Slot, tag_of};

/// Facts that a thread remembers, each in the slot of its span.
const FACTS: usize = 64;

/// A span of ours, and the local root that it is below, or is.
#[derive(Clone, Copy)]
struct Fact {
    span: SpanId,
    root: SpanId,
}

const NOTHING: Fact = Fact {
    span: SpanId::INVALID,
    root: SpanId::INVALID,
};

thread_local! {
    static KNOWN: [Cell<Fact>; FACTS] = const { [const { Cell::new(NOTHING) }; FACTS] };
}

#[inline]
fn slot_of(span: SpanId) -> usize {
    usize::from(span.to_bytes()[7]) % FACTS
}

/// Has this thread remember the root of a span of ours.
#[inline]
pub(crate) fn remember(span: SpanId, root: SpanId) {
    // It needs no destructor, so it is there while the thread dies too.
    KNOWN.with(|known| known[slot_of(span)].set(Fact { span, root }));
}

/// The root of a span of ours, if this thread remembers it.
#[inline]
pub(crate) fn recall(span: SpanId) -> Option<SpanId> {
    let fact = KNOWN.with(|known| known[slot_of(span)].get());
    (fact.span == span && fact.root != SpanId::INVALID).then_some(fact.root)
}

/// Keeps a local root known until it drops.
#[expect(dead_code, reason = "its parts are there to be dropped")]
pub(crate) enum OpenRoot {
    Slot(OccupiedSlot),
    Overflow(OverflowRoot),
}

/// Is empty again when it drops.
pub(crate) struct OccupiedSlot(&'static Slot);

impl Drop for OccupiedSlot {
    #[inline(never)]
    fn drop(&mut self) {
        self.0.empty();
    }
}

impl OpenRoot {
    /// `None` if it finds no room.
    #[inline(never)]
    pub(crate) fn open(
        trace_id: TraceId,
        span_id: SpanId,
        origin: Origin,
        context: &Context,
    ) -> Option<Self> {
        let part = Part::of(trace_id);
        let root = Root {
            trace_id,
            span_id,
            origin,
            number: part.next_number(),
        };
        match part.slots.iter().find(|slot| slot.fill(root, context)) {
            Some(slot) => Some(OpenRoot::Slot(OccupiedSlot(slot))),
            None => OpenRoot::overflow(root, context),
        }
    }

    #[cold]
    #[inline(never)]
    fn overflow(root: Root, context: &Context) -> Option<Self> {
        let entry = Arc::new(Entry {
            root,
            context: Some(context.clone()),
        });
        let tag = tag_of(root.trace_id);
        let opened = Part::overflows(root.trace_id).find_map(|list| list.open(tag, &entry));
        opened.map(OpenRoot::Overflow)
    }
}

const PARTS: usize = 64;

const SLOTS: usize = 2;

/// Lists that are tried for a root.
const TRIED: usize = 4;

/// By the trace. On a cache line of its own, so that threads seldom disturb each other.
#[repr(align(64))]
struct Part {
    number: AtomicU64,
    slots: [Slot; SLOTS],
    overflow: Overflow,
}

static TABLE: [Part; PARTS] = [const { Part::empty() }; PARTS];

impl Part {
    const fn empty() -> Self {
        Part {
            number: AtomicU64::new(0),
            slots: [const { Slot::free() }; SLOTS],
            overflow: Overflow::empty(),
        }
    }

    #[inline]
    fn index(trace_id: TraceId) -> usize {
        usize::from(trace_id.to_bytes()[15]) % PARTS
    }

    #[inline]
    fn of(trace_id: TraceId) -> &'static Self {
        &TABLE[Part::index(trace_id)]
    }

    /// Threads that ask at the same moment may get the same one: neither root is the later one.
    #[inline]
    fn next_number(&self) -> u64 {
        let number = self.number.load(Ordering::Relaxed).wrapping_add(1);
        self.number.store(number, Ordering::Relaxed);
        number
    }

    fn overflows(trace_id: TraceId) -> impl Iterator<Item = &'static Overflow> {
        let parts = TABLE.iter().cycle().skip(Part::index(trace_id));
        parts.take(TRIED).map(|part| &part.overflow)
    }

    /// What `read` says of the open roots of a trace.
    fn search<R>(trace_id: TraceId, read: impl Fn(Root, &Context) -> Option<R>) -> Vec<R> {
        let slots = &Part::of(trace_id).slots;
        let mut found: Vec<_> = slots
            .iter()
            .filter_map(|slot| slot.read(trace_id, &read))
            .collect();
        for entry in Part::overflows(trace_id).flat_map(|list| list.find(tag_of(trace_id))) {
            let root = entry.of_trace(trace_id);
            found.extend(root.and_then(|(root, context)| read(root, context)));
        }
        found
    }
}

/// The root above a span of this process, and who made it: the span itself, if that is an open root.
///
/// Of several roots in one trace, the last one that started stands for spans that are not known.
#[cold]
#[inline(never)]
pub(crate) fn look_up(span: &SpanContext) -> Option<(SpanId, Origin)> {
    let rank = |root: &Root| (root.span_id == span.span_id(), root.number);
    let roots = Part::search(span.trace_id(), |root, _| Some(root));
    let root = roots.into_iter().max_by_key(rank)?;
    Some((root.span_id, root.origin))
}

/// The root above a span, or the span itself where it is one. `None` where none is known.
pub(crate) fn find(span: &SpanContext) -> Option<SpanId> {
    if span.is_remote() || !span.is_valid() {
        return None;
    }
    let known = recall(span.span_id());
    known.or_else(|| look_up(span).map(|(root, _)| root))
}

/// Where an open root is current.
pub(crate) fn context_of(trace_id: TraceId, root: SpanId) -> Option<Context> {
    let mut found = Part::search(trace_id, |one, context| {
        (one.span_id == root).then(|| context.clone())
    });
    found.pop()
}
