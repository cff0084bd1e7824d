//! Spans of a list in the order of their starts.

use enter_span::native::EndedSpan;

use crate::queue::span_list::SpanList;

/// Sorts lists. Its memory is used again.
#[derive(Default)]
pub(crate) struct SpanOrder {
    places: Vec<Place>,
    sorted: SpanList,
}

/// Of a span, from the highest bits: its start, its place, and that of its first attribute. One number is
/// compared in one step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u128);

impl Place {
    #[inline]
    fn new(start: u64, index: u32, first: u32) -> Self {
        Place(u128::from(start) << 64 | u128::from(index) << 32 | u128::from(first))
    }

    #[inline]
    fn index(self) -> usize {
        (self.0 >> 32) as u32 as usize
    }

    #[inline]
    fn first(self) -> usize {
        self.0 as u32 as usize
    }
}

/// The most spans that there is room for, after the sort of a longer list.
const MOST_ROOM: usize = 1024;

impl SpanOrder {
    /// The spans of a list in the order of their starts, to be moved on. Those that start together stay in
    /// their order.
    pub(crate) fn sort<'a>(
        &'a mut self,
        list: &'a mut SpanList,
        start: impl Fn(&EndedSpan) -> u64,
    ) -> &'a mut SpanList {
        let Some((last, others)) = list.spans().split_last() else {
            return list;
        };
        if others.is_sorted_by_key(&start) {
            let last = start(last);
            if others.last().is_none_or(|before| start(before) <= last) {
                return list;
            }
            // As of a root whose children came one after the other.
            if others.first().is_some_and(|first| last < start(first)) {
                list.rotate_last();
                return list;
            }
        }
        self.sort_apart(list, start)
    }

    fn sort_apart(
        &mut self,
        list: &mut SpanList,
        start: impl Fn(&EndedSpan) -> u64,
    ) -> &mut SpanList {
        let mut first = 0;
        self.places.clear();
        let places = (0..).zip(list.spans()).map(|(index, span)| {
            let own = first;
            first += span.attributes;
            Place::new(start(span), index, own)
        });
        self.places.extend(places);
        self.places.sort_unstable();
        if self.sorted.room() > MOST_ROOM {
            self.sorted = SpanList::default();
        }
        self.sorted.clear();
        let order = self.places.iter();
        let order = order.map(|place| (place.index(), place.first()));
        self.sorted.append_sorted(list, order);
        &mut self.sorted
    }
}
