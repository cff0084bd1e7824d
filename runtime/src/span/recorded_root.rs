//! The local root that the record of a span names: it decides with which spans it is exported.
//!
//! Other than in the table of open roots, a guess of one span is not the next one's: each asks its parent first.
//! A thread remembers its last spans. Another thread asks the span in OpenTelemetry's context, whose type its API
//! cannot give back. So that one is asked whether it records, and answers beside that.
//!
//! The thread-locals here are read by `try_with` alone. `with` is not inlined, and one more of it in this crate can
//! move that of a span's start out of `enter`, which costs each span 30 to 50 instructions.

use std::cell::Cell;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, SpanRef, TraceContextExt as _};

use crate::backend::ended_span::Parentage;
use crate::context::unwind;
use crate::span::root_table;

/// The root in a record, and whose record it is.
#[derive(Clone, Copy)]
struct RecordedRoot {
    /// Not valid if the pipeline does not ask for it.
    root: SpanId,
    /// The pipeline, by the address of its config.
    pipeline: usize,
}

/// One of the thread's last spans.
#[derive(Clone, Copy)]
struct LastSpan {
    span: SpanId,
    recorded: RecordedRoot,
}

const MOST: usize = 64;

const NONE: LastSpan = LastSpan {
    span: SpanId::INVALID,
    recorded: RecordedRoot {
        root: SpanId::INVALID,
        pipeline: 0,
    },
};

thread_local! {
    static LAST: [Cell<LastSpan>; MOST] = const { [const { Cell::new(NONE) }; MOST] };
    static ANSWER: Cell<Answer> = const { Cell::new(Answer::Unasked) };
}

#[derive(Clone, Copy)]
enum Answer {
    Unasked,
    Asked,
    Root(RecordedRoot),
}

/// The local root of a span that starts in this pipeline at this place below `parent`. It is the span itself without
/// a local parent, or below a span of another pipeline, whose end does not come here. It is the parent where nobody
/// knows better.
///
/// The table is asked last: where several roots of a trace are open, it can only guess.
#[cold]
#[inline(never)]
pub fn root_of(pipeline: usize, parentage: &Parentage, parent: &Context) -> SpanId {
    let (own, above) = (parentage.span_id, parentage.parent);
    let root = if above == SpanId::INVALID || parentage.parent_is_remote {
        own
    } else {
        match recall(above).or_else(|| ask(&parent.span())) {
            Some(recorded) if recorded.pipeline == pipeline => recorded.root,
            Some(_) => own,
            None => root_table::find(parent.span().span_context()).unwrap_or(above),
        }
    };
    let last = LastSpan {
        span: own,
        recorded: RecordedRoot { root, pipeline },
    };
    // A dying thread remembers none.
    let _ = LAST.try_with(|all| all[slot_of(own)].set(last));
    root
}

#[inline]
fn slot_of(span: SpanId) -> usize {
    usize::from(span.to_bytes()[7]) % MOST
}

#[inline]
fn recall(span: SpanId) -> Option<RecordedRoot> {
    let last = LAST.try_with(|all| all[slot_of(span)].get()).ok()?;
    (last.span == span).then_some(last.recorded)
}

/// The root that a span knows. `None` if it does not answer.
fn ask(span: &SpanRef<'_>) -> Option<RecordedRoot> {
    say(Answer::Asked)?;
    // Another provider's code may run here.
    let _ = unwind::shielded(|| span.is_recording());
    match say(Answer::Unasked)? {
        Answer::Root(root) => Some(root),
        Answer::Unasked | Answer::Asked => None,
    }
}

/// Answers with the root of a record, if it is asked for. The first answer holds.
#[inline]
pub fn answer_root(root: impl FnOnce() -> Option<(SpanId, usize)>) {
    if let Ok(Answer::Asked) = ANSWER.try_with(Cell::get) {
        if let Some((root, pipeline)) = root() {
            say(Answer::Root(RecordedRoot { root, pipeline }));
        }
    }
}

/// Returns what it held before; `None` on a thread that is being torn down.
fn say(answer: Answer) -> Option<Answer> {
    ANSWER.try_with(|own| own.replace(answer)).ok()
}
