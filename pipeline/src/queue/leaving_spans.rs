//! Spans on their way from one list into others, some together.

use std::vec::Drain;

use enter_span::native::EndedSpan;
use opentelemetry::KeyValue;

/// Spans on their way out of a list, from front to back. Those that are not taken are dropped.
pub(crate) struct LeavingSpans<'a> {
    spans: Drain<'a, EndedSpan>,
    attributes: Drain<'a, KeyValue>,
}

/// How many spans come next, and how many attributes they have together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Next {
    pub(crate) spans: usize,
    pub(crate) attributes: usize,
}

impl<'a> LeavingSpans<'a> {
    pub(super) fn new(spans: Drain<'a, EndedSpan>, attributes: Drain<'a, KeyValue>) -> Self {
        LeavingSpans { spans, attributes }
    }

    /// Moves the next ones behind what is in these lists.
    #[inline]
    pub(super) fn move_next(
        &mut self,
        next: Next,
        spans: &mut Vec<EndedSpan>,
        attributes: &mut Vec<KeyValue>,
    ) {
        spans.extend(self.spans.by_ref().take(next.spans));
        attributes.extend(self.attributes.by_ref().take(next.attributes));
    }

    /// Those that are left.
    #[inline]
    pub(crate) fn spans(&self) -> &[EndedSpan] {
        self.spans.as_slice()
    }

    /// The first of them.
    #[inline]
    pub(crate) fn one(&self) -> Next {
        let first = self.spans().first();
        Next {
            spans: 1,
            attributes: first.map_or(0, |span| span.attributes as usize),
        }
    }

    /// The attributes of the next ones.
    pub(crate) fn attributes(&self, next: Next) -> &[KeyValue] {
        let left = self.attributes.as_slice();
        left.get(..next.attributes).unwrap_or(left)
    }

    pub(crate) fn drop_next(&mut self, next: Next) {
        self.spans.by_ref().take(next.spans).for_each(drop);
        let attributes = self.attributes.by_ref().take(next.attributes);
        attributes.for_each(drop);
    }
}
