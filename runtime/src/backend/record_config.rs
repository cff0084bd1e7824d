//! What the spans of a backend have in common, and what is recorded of each.

use opentelemetry::Context;

use crate::attribute::limit::SpanLimits;
use crate::backend::ended_span::EndedSpan;
use crate::backend::record_sink::RecordSink;

/// What the spans of a backend have in common.
pub struct RecordConfig {
    pub limits: SpanLimits,
    pub extras: Extras,
    pub sink: Box<dyn RecordSink>,
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

    #[cold]
    #[inline(never)]
    fn note_root(&self, span: &mut EndedSpan, parent: &Context) {
        span.root = self.sink.root_of(self.mark(), &span.parentage, parent);
    }

    /// By which its spans are known from those of other pipelines.
    pub(crate) fn mark(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
