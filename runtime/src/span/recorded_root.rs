//! The local root that the record of a span names: it decides with which spans it is exported.
//!
//! Other than in the table of open roots, a guess of one span is not the next one's: each asks its parent first.
//! A thread remembers its last spans. Another thread asks the span in OpenTelemetry's context, whose type its API
//! cannot give back. So that one is asked whether it records, and answers beside that.

use std::cell::Cell;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, SpanRef, TraceContextExt as _};

use crate::backend::ended_span::Parentage;
use crate::context::unwind;
use crate::span::root_table;

/// A span, and the root in its record.
#[derive(Clone, Copy)]
struct RecordedRoot {
    span: SpanId,
    root: SpanId,
}

const MOST: usize = 64;

const NONE: RecordedRoot = RecordedRoot {
    span: SpanId::INVALID,
    root: SpanId::INVALID,
};

thread_local! {
    static LAST: [Cell<RecordedRoot>; MOST] = const { [const { Cell::new(NONE) }; MOST] };
    static ANSWER: Cell<Answer> = const { Cell::new(Answer::Unasked) };
}

#[derive(Clone, Copy)]
enum Answer {
    Unasked,
    Asked,
    Root(SpanId),
}

/// The local root of a span that starts at this place below `parent`: itself without a local parent, and the parent
/// where nobody knows better.
///
/// The table is asked last: where several roots of a trace are open, it can only guess.
#[cold]
#[inline(never)]
pub fn root_of(parentage: &Parentage, parent: &Context) -> SpanId {
    let (own, above) = (parentage.span_id, parentage.parent);
    let root = if above == SpanId::INVALID || parentage.parent_is_remote {
        own
    } else {
        recall(above).unwrap_or_else(|| find(above, parent))
    };
    let last = RecordedRoot { span: own, root };
    LAST.with(|all| all[slot_of(own)].set(last));
    root
}

#[inline]
fn slot_of(span: SpanId) -> usize {
    usize::from(span.to_bytes()[7]) % MOST
}

#[inline]
fn recall(span: SpanId) -> Option<SpanId> {
    let last = LAST.with(|all| all[slot_of(span)].get());
    (last.span == span).then_some(last.root)
}

fn find(above: SpanId, parent: &Context) -> SpanId {
    let span = parent.span();
    let in_table = || root_table::find(span.span_context());
    ask(&span).or_else(in_table).unwrap_or(above)
}

/// The root that a span knows. `None` if it does not answer.
fn ask(span: &SpanRef<'_>) -> Option<SpanId> {
    ANSWER.set(Answer::Asked);
    // Another provider's code may run here.
    let _ = unwind::shielded(|| span.is_recording());
    match ANSWER.replace(Answer::Unasked) {
        Answer::Root(root) => Some(root),
        Answer::Unasked | Answer::Asked => None,
    }
}

/// Answers with the root of a record, if it is asked for. The first answer holds.
#[inline]
pub fn answer_root(root: impl FnOnce() -> Option<SpanId>) {
    if let Answer::Asked = ANSWER.get() {
        if let Some(root) = root() {
            ANSWER.set(Answer::Root(root));
        }
    }
}
