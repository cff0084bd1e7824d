//! The spans that are kept, in lists which go round between the worker and the exporters' threads.

use opentelemetry::{KeyValue, StringValue};

use crate::keep::verdict::KEPT;
use crate::queue::budget::{Shares, Size};
use crate::queue::buffers::Buffers;
use crate::queue::leaving_spans::LeavingSpans;
use crate::queue::span_list::SpanList;
use crate::queue::span_queue::{DrainedList, ListHome};

pub(super) struct Outbox {
    home: ListHome,
    /// What a list holds. A larger span has one of its own.
    limit: Size,
    full: Vec<DrainedList>,
    open: SpanList,
    size: Size,
    spare: Vec<SpanList>,
}

impl Outbox {
    pub(super) fn new(limit: Size) -> Self {
        Outbox {
            home: ListHome::default(),
            limit,
            full: Vec::new(),
            open: SpanList::default(),
            size: Size::default(),
            spare: Vec::new(),
        }
    }

    /// Takes all spans of a list.
    pub(super) fn push_all(&mut self, list: &mut SpanList, size: Size) {
        let (spans, bytes) = (self.size.spans + size.spans, self.size.bytes + size.bytes);
        if spans <= self.limit.spans && bytes <= self.limit.bytes {
            self.size = Size { spans, bytes };
            self.open.append(list);
            return;
        }
        let mut shares = Shares::of(size);
        let mut leaving = list.leave();
        while !leaving.spans().is_empty() {
            self.push_next(&mut leaving, shares.next(), None);
        }
    }

    /// Takes the next one of those that leave another list, and why its trace is kept if it is the root.
    pub(super) fn push_next(
        &mut self,
        leaving: &mut LeavingSpans<'_>,
        bytes: usize,
        reason: Option<StringValue>,
    ) {
        self.make_room(bytes);
        let one = leaving.one();
        self.open.push_next(leaving, one);
        if let Some(reason) = reason {
            self.open.add_to_last(KeyValue::new(KEPT, reason));
        }
    }

    #[inline]
    fn make_room(&mut self, bytes: usize) {
        let (spans, all) = (self.size.spans, self.size.bytes + bytes);
        if spans >= self.limit.spans || (spans > 0 && all > self.limit.bytes) {
            self.close();
        }
        self.size.spans += 1;
        self.size.bytes += bytes;
    }

    #[cold]
    fn close(&mut self) {
        let next = self.spare.pop().unwrap_or_default();
        let items = std::mem::replace(&mut self.open, next);
        let size = std::mem::take(&mut self.size);
        self.full.push(self.home.list(items, size));
    }

    /// All that is in it.
    pub(super) fn take(&mut self, buffers: &Buffers<SpanList>) -> Vec<DrainedList> {
        if self.size.spans > 0 {
            if self.spare.is_empty() {
                self.spare = buffers.spare_at(&self.home);
            }
            self.close();
        }
        std::mem::take(&mut self.full)
    }
}
