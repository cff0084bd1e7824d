//! Spans of a list in the order of their starts, and their attributes on the way out.

use std::{mem, slice};

use enter_span::native::EndedSpan;
use opentelemetry::KeyValue;

/// The places of spans, each with its start and the place of its first attribute. Used again.
#[derive(Default)]
pub(crate) struct SpanOrder(Vec<(u64, usize, usize)>);

impl SpanOrder {
    /// Their starts, their places, and those of their first attributes. Those that start together stay in their order.
    pub(super) fn of<'a>(
        &'a mut self,
        spans: &[EndedSpan],
        start: impl Fn(&EndedSpan) -> u64,
    ) -> &'a [(u64, usize, usize)] {
        let SpanOrder(order) = self;
        let mut first = 0;
        order.clear();
        order.extend(spans.iter().enumerate().map(|(index, span)| {
            let own = first;
            first += span.attributes as usize;
            (start(span), index, own)
        }));
        order.sort_unstable();
        order
    }
}

/// The attributes of one span, moved out of their places.
pub(crate) struct TakenAttributes<'a>(slice::IterMut<'a, KeyValue>);

impl<'a> TakenAttributes<'a> {
    pub(super) fn of(own: &'a mut [KeyValue]) -> Self {
        TakenAttributes(own.iter_mut())
    }
}

impl Iterator for TakenAttributes<'_> {
    type Item = KeyValue;

    #[inline]
    fn next(&mut self) -> Option<KeyValue> {
        let place = self.0.next()?;
        Some(mem::replace(place, KeyValue::new("", false)))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
