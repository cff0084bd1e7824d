//! Which local root a span is below, without a value in OpenTelemetry's context, which a root would pay with
//! three allocations and each child with a look into it.
//!
//! That a span is below a root stays true for ever, so a thread remembers a few such facts: a span that starts
//! finds its parent's there and adds its own. Where it finds none, because the context came from another thread
//! or through code that is not ours, a table of the roots that are open has it by the trace.
//!
//! No user code runs under a lock, and what a root holds drops outside of it. A lock that another thread of the
//! parent held at a fork never opens in the child. So each lock is tried first, the process id is read only where
//! it is taken, and the child goes on with a table of its own.

use std::cell::Cell;
use std::iter;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

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

/// A local root that is open.
struct OpenRoot {
    trace_id: TraceId,
    span_id: SpanId,
    /// Where it is the current span.
    context: Context,
    origin: Origin,
    /// Spans that keep it here: itself, or those of ours that are its children.
    users: usize,
}

impl OpenRoot {
    #[inline]
    fn is(&self, trace_id: TraceId, span_id: SpanId) -> bool {
        self.span_id == span_id && self.trace_id == trace_id
    }
}

/// Who made a local root.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Origin {
    Ours,
    /// Others: ours are below it.
    Foreign,
}

const PARTS: usize = 64;

/// Roots for which a part keeps its room.
const FEW: usize = 16;

/// By the trace. On a cache line of its own, so that threads seldom wait for each other.
#[repr(align(64))]
struct Part(Mutex<Vec<OpenRoot>>);

/// The roots that are open in a process.
struct Table {
    /// Whose it is; nobody's until it is used.
    process: AtomicU32,
    parts: [Part; PARTS],
    /// That of a forked child, where a part of this one was locked at the fork.
    next: OnceLock<Box<Table>>,
}

static FIRST: Table = Table::of(0);

impl Table {
    const fn of(process: u32) -> Self {
        Table {
            process: AtomicU32::new(process),
            parts: [const { Part(Mutex::new(Vec::new())) }; PARTS],
            next: OnceLock::new(),
        }
    }

    #[inline]
    fn part(&self, trace_id: TraceId) -> &Mutex<Vec<OpenRoot>> {
        &self.parts[usize::from(trace_id.to_bytes()[15]) % PARTS].0
    }

    /// Asks the operating system, where there is something to wait for.
    #[cold]
    fn wait(&'static self, trace_id: TraceId) -> MutexGuard<'static, Vec<OpenRoot>> {
        let process = std::process::id();
        let table = if self.process.load(Ordering::Relaxed) == process {
            self
        } else {
            self.next.get_or_init(|| Box::new(Table::of(process)))
        };
        let part = table.part(trace_id).lock();
        part.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a trace.
fn lock(trace_id: TraceId) -> MutexGuard<'static, Vec<OpenRoot>> {
    let mut table = &FIRST;
    while let Some(next) = table.next.get() {
        table = next;
    }
    if table.process.load(Ordering::Relaxed) == 0 {
        table.process.store(std::process::id(), Ordering::Relaxed);
    }
    match table.part(trace_id).try_lock() {
        Ok(roots) => roots,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => table.wait(trace_id),
    }
}

/// The root above a span of this process, and who made it: the span itself, if that is an open root.
///
/// Of several roots in one trace, the last one that started stands for spans that are not known.
#[cold]
#[inline(never)]
pub(crate) fn look_up(span: &SpanContext) -> Option<(SpanId, Origin)> {
    let roots = lock(span.trace_id());
    let of_trace = |root: &&OpenRoot| root.trace_id == span.trace_id();
    let mut found = roots.iter().filter(of_trace);
    let itself = found.clone().find(|root| root.span_id == span.span_id());
    let root = itself.or_else(|| found.next_back())?;
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
    let roots = lock(trace_id);
    let root = roots.iter().find(|one| one.is(trace_id, root))?;
    Some(root.context.clone())
}

/// Opens a root, or has one more span keep it open.
#[inline(never)]
pub(crate) fn open(trace_id: TraceId, root: SpanId, origin: Origin, context: &Context) {
    let mut roots = lock(trace_id);
    if origin == Origin::Foreign {
        if let Some(known) = roots.iter_mut().find(|one| one.is(trace_id, root)) {
            known.users += 1;
            return;
        }
    }
    // Made in its place: a push would make it elsewhere and copy it.
    roots.extend(iter::once_with(|| OpenRoot {
        trace_id,
        span_id: root,
        context: context.clone(),
        origin,
        users: 1,
    }));
}

/// A span does not keep the root open any more.
#[inline(never)]
pub(crate) fn close(trace_id: TraceId, root: SpanId) {
    let mut roots = lock(trace_id);
    let is_last = |last: &OpenRoot| last.is(trace_id, root) && last.users == 1;
    // In the order of their starts, of which the last one is often the only one.
    let context = if roots.capacity() <= FEW && roots.last().is_some_and(is_last) {
        roots.pop().map(|root| root.context)
    } else {
        leave(&mut roots, trace_id, root)
    };
    // Outside of the lock: what else the context holds is the user's.
    drop(roots);
    drop(context);
}

/// What it held, if it is not open any more.
#[cold]
#[inline(never)]
fn leave(roots: &mut Vec<OpenRoot>, trace_id: TraceId, root: SpanId) -> Option<Context> {
    let index = roots.iter().rposition(|one| one.is(trace_id, root))?;
    roots[index].users -= 1;
    if roots[index].users > 0 {
        return None;
    }
    let context = roots.remove(index).context;
    if roots.len() < roots.capacity() / 4 {
        let room = 2 * roots.len();
        roots.shrink_to(room);
    }
    Some(context)
}
