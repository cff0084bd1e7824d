//! The local root that the record of a span names: it decides with which spans it is exported.
//!
//! Other than in the table of open roots, a guess of one span is not the next one's: each asks its parent first.
//! A thread remembers its last spans (`last_roots.rs`). Another thread asks the span in OpenTelemetry's context,
//! whose type its API cannot give back. So that one is asked whether it records, and answers beside that.

use std::cell::Cell;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, SpanRef, TraceContextExt as _};

use crate::backend::last_roots::{self, RecordedRoot};
use crate::context::unwind;
use crate::span::root_table;

thread_local! {
    static ANSWER: Cell<Answer> = const { Cell::new(Answer::Unasked) };
}

#[derive(Clone, Copy)]
enum Answer {
    Unasked,
    Asked,
    Root(RecordedRoot),
}

/// The local root of a span of this pipeline that starts below the local one that is current in `parent`. `None` if
/// that one is another pipeline's.
///
/// The table is asked last: where several roots of a trace are open, it can only guess. Where it knows none, it is the
/// parent.
#[cold]
#[inline(never)]
pub fn root_above(mark: usize, parent: &Context) -> Option<SpanId> {
    let span = parent.span();
    let identity = span.span_context();
    match ask(&span) {
        Some(recorded) => {
            // For the next one below it.
            last_roots::remember(identity.span_id(), recorded);
            recorded.of_pipeline(mark)
        }
        None => Some(root_table::find(identity).unwrap_or(identity.span_id())),
    }
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

/// Answers with the root of a record, and the mark of its pipeline, if it is asked for. The first answer holds.
#[inline]
pub fn answer_root(root: impl FnOnce() -> (SpanId, usize)) {
    if let Ok(Answer::Asked) = ANSWER.try_with(Cell::get) {
        let (root, pipeline) = root();
        say(Answer::Root(RecordedRoot { root, pipeline }));
    }
}

/// Returns what it held before; `None` on a thread that is being torn down.
fn say(answer: Answer) -> Option<Answer> {
    ANSWER.try_with(|own| own.replace(answer)).ok()
}
