//! The local roots of the spans that a thread has started last, as their records name them.
//!
//! The thread-local is read by `try_with` alone. `with` is not inlined, and one more of it in this crate can move
//! that of a span's start out of `enter`, which costs each span 30 to 50 instructions.

use std::cell::Cell;

use opentelemetry::trace::SpanId;

/// The root in a record, and whose record it is.
#[derive(Clone, Copy)]
pub(crate) struct RecordedRoot {
    /// Not valid if the pipeline does not ask for it.
    pub(crate) root: SpanId,
    /// The pipeline, by the mark of its config.
    pub(crate) pipeline: usize,
}

impl RecordedRoot {
    /// The root, if a span of this pipeline has it.
    #[inline]
    pub(crate) fn of_pipeline(self, mark: usize) -> Option<SpanId> {
        (self.pipeline == mark).then_some(self.root)
    }
}

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
}

#[inline]
fn slot_of(span: SpanId) -> usize {
    usize::from(span.to_bytes()[7]) % MOST
}

#[inline]
pub(crate) fn recall(span: SpanId) -> Option<RecordedRoot> {
    let last = LAST.try_with(|all| all[slot_of(span)].get()).ok()?;
    (last.span == span).then_some(last.recorded)
}

#[inline]
pub(crate) fn remember(span: SpanId, recorded: RecordedRoot) {
    // A dying thread remembers none.
    let _ = LAST.try_with(|all| all[slot_of(span)].set(LastSpan { span, recorded }));
}
