//! What the spans of a backend have in common, and what is recorded of each.

use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::SpanId;

use crate::attribute::limit::SpanLimits;
use crate::backend::ended_span::EndedSpan;
use crate::backend::last_roots::{self, RecordedRoot};
use crate::backend::record_sink::RecordSink;

/// What the spans of a backend have in common.
pub struct RecordConfig {
    pub limits: SpanLimits,
    pub extras: Extras,
    pub sink: Box<dyn RecordSink>,
    /// By which its spans are known from those of other pipelines, also of those that are gone.
    mark: usize,
}

/// What is recorded of each span beside what its code says.
//
// One byte, so that a start asks once for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extras(u8);

impl Extras {
    pub const NONE: Extras = Extras(0);
    /// The place in source.
    pub const PLACE: Extras = Extras(1);
    /// The local root.
    pub const ROOT: Extras = Extras(2);

    #[must_use]
    pub fn and(self, other: Extras) -> Self {
        Extras(self.0 | other.0)
    }

    #[inline]
    pub fn include(self, other: Extras) -> bool {
        self.0 & other.0 == other.0
    }
}

impl RecordConfig {
    pub fn new(limits: SpanLimits, extras: Extras, sink: Box<dyn RecordSink>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        RecordConfig {
            limits,
            extras,
            sink,
            // Relaxed: the marks only have to differ.
            mark: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Says whether a span that starts below `parent` records its place in source.
    #[inline(always)]
    pub(crate) fn note_extras(&self, span: &mut EndedSpan, parent: &Context) -> bool {
        match self.extras {
            Extras::PLACE => true,
            Extras::NONE => false,
            extras => {
                self.note_root(span, parent);
                extras.include(Extras::PLACE)
            }
        }
    }

    /// The root of what starts below its parent: the span itself without a local parent, or below a span of another
    /// pipeline, whose end does not come here.
    #[inline(always)]
    fn note_root(&self, span: &mut EndedSpan, parent: &Context) {
        let (own, above) = (span.parentage.span_id, span.parentage.parent);
        let root = if above == SpanId::INVALID || span.parentage.parent_is_remote {
            own
        } else {
            let below = match last_roots::recall(above) {
                Some(recorded) => recorded.of_pipeline(self.mark()),
                None => self.sink.root_above(self.mark(), parent),
            };
            below.unwrap_or(own)
        };
        span.root = root;
        let recorded = RecordedRoot {
            root,
            pipeline: self.mark(),
        };
        last_roots::remember(own, recorded);
    }

    #[inline]
    pub(crate) fn mark(&self) -> usize {
        self.mark
    }
}
