//! Spans that the worker took in one turn, shared by all exporters.
//!
//! A chunk never changes. An exporter that is behind reads the same lists later, and joins or cuts them to
//! other batches than the exporter beside it. The lists go back to their threads as soon as the last exporter
//! has read them. The chunk is counted, and its room is free again, when the last exporter is done with all of
//! it. So each span is counted once.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use crate::host::clock::{Clock, Reading};
use crate::queue::budget::Size;
use crate::queue::span_list::Stretch;
use crate::queue::span_queue::{DrainedList, SpanQueue};
use crate::stats::counts::{DropCause, Ledger};

/// What is counted of a chunk.
pub(crate) struct Chunk {
    size: Size,
    /// Spans that an exporter does not export.
    losses: Mutex<Vec<(Range<usize>, DropCause)>>,
    queue: Arc<SpanQueue>,
    ledger: Arc<Ledger>,
}

/// The spans of a chunk. Each exporter converts them on its own thread, since memory that one thread
/// allocates and another frees is expensive.
pub(crate) struct Content {
    lists: Vec<DrainedList>,
    /// Of the clocks, at the first exporter: all of them see the same times.
    reading: OnceLock<Reading>,
    clock: Arc<Clock>,
    /// Characters of a text.
    text: Option<usize>,
    queue: Arc<SpanQueue>,
}

/// A part of a chunk, as it waits for one exporter.
#[derive(Clone)]
pub(crate) struct Portion {
    share: Share,
    content: Arc<Content>,
}

/// What is counted of a portion.
#[derive(Clone)]
pub(crate) struct Share {
    chunk: Arc<Chunk>,
    spans: Range<usize>,
}

/// The spans of a portion.
pub(crate) struct Part {
    content: Arc<Content>,
    spans: Range<usize>,
    is_whole: bool,
}

impl Portion {
    fn whole(lists: Vec<DrainedList>, size: Size, builder: &ChunkBuilder<'_>) -> Self {
        let chunk = Chunk {
            size,
            losses: Mutex::default(),
            queue: Arc::clone(builder.queue),
            ledger: Arc::clone(builder.ledger),
        };
        let content = Content {
            lists,
            reading: OnceLock::new(),
            clock: Arc::clone(builder.clock),
            text: builder.text,
            queue: Arc::clone(builder.queue),
        };
        Portion {
            share: Share {
                chunk: Arc::new(chunk),
                spans: 0..size.spans,
            },
            content: Arc::new(content),
        }
    }

    /// The bytes are those of the whole chunk: more than a part of it has, and never less.
    pub(crate) fn size(&self) -> Size {
        Size {
            spans: self.share.spans.len(),
            bytes: self.share.chunk.size.bytes,
        }
    }

    /// Cuts the first so many spans off.
    pub(crate) fn split(&mut self, spans: usize) -> Portion {
        let mut first = self.clone();
        let middle = (self.share.spans.start + spans).min(self.share.spans.end);
        first.share.spans.end = middle;
        self.share.spans.start = middle;
        first
    }

    /// What is counted, and what is read.
    pub(crate) fn apart(self) -> (Share, Part) {
        let Portion { share, content } = self;
        let part = Part {
            content,
            spans: share.spans.clone(),
            is_whole: share.spans.len() == share.chunk.size.spans,
        };
        (share, part)
    }

    /// No exporter takes it.
    pub(crate) fn lose(mut self, cause: DropCause) {
        let spans = self.share.spans();
        self.share.lose(spans, cause);
    }

    pub(crate) fn into_share(self) -> Share {
        self.share
    }
}

impl Share {
    pub(crate) fn spans(&self) -> usize {
        self.spans.len()
    }

    /// What an exporter has less to keep when it is done with this. The bytes are in use until it is done
    /// with the last part of the chunk.
    pub(crate) fn room(&self) -> Size {
        let is_last = self.spans.end == self.chunk.size.spans;
        Size {
            spans: self.spans.len(),
            bytes: if is_last { self.chunk.size.bytes } else { 0 },
        }
    }

    /// Takes up to so many spans out, which are not exported by one exporter at least. Returns how many.
    pub(crate) fn lose(&mut self, spans: usize, cause: DropCause) -> usize {
        let lost = self.spans.len().min(spans);
        if lost > 0 {
            let middle = self.spans.start + lost;
            let losses = self.chunk.losses.lock();
            let mut losses = losses.unwrap_or_else(PoisonError::into_inner);
            losses.push((self.spans.start..middle, cause));
            self.spans.start = middle;
        }
        lost
    }
}

impl Part {
    /// For an exporter of the SDK's kind: the spans themselves if nobody else reads them, else copies.
    pub(crate) fn convert(mut self, to: &mut Vec<SpanData>) {
        match Arc::get_mut(&mut self.content) {
            Some(content) if self.is_whole => content.drain(to),
            _ => {
                for stretch in self.stretches() {
                    stretch.convert(self.content.text, to);
                }
            }
        }
    }

    /// Its spans, list by list.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = Stretch<'_>> + Clone {
        let reading = self.content.reading();
        let (spans, mut end) = (&self.spans, 0);
        self.content.lists.iter().filter_map(move |list| {
            let start = end;
            end += list.items.len();
            let (from, to) = (spans.start.clamp(start, end), spans.end.clamp(start, end));
            let stretch = Stretch {
                list: &list.items,
                spans: from - start..to - start,
                reading,
            };
            (from < to).then_some(stretch)
        })
    }

    /// Characters of a text.
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub(crate) fn text(&self) -> Option<usize> {
        self.content.text
    }
}

impl Content {
    fn reading(&self) -> &Reading {
        self.reading.get_or_init(|| self.clock.read())
    }

    fn drain(&mut self, to: &mut Vec<SpanData>) {
        let reading = *self.reading();
        for list in &mut self.lists {
            list.items.convert(&reading, self.text, to);
        }
    }
}

/// All exporters have read it.
impl Drop for Content {
    fn drop(&mut self) {
        for mut list in self.lists.drain(..) {
            list.items.clear();
            self.queue.buffers.return_list(list);
        }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.queue.buffers.release(self.size);
        let losses = self.losses.get_mut();
        let losses = std::mem::take(losses.unwrap_or_else(PoisonError::into_inner));
        if losses.is_empty() {
            self.ledger.count(self.size.spans, None);
            return;
        }
        // Of each span, the first cause counts. One that is in a spool is lost if another exporter lost it.
        let mut fates = vec![None; self.size.spans];
        for (spans, cause) in &losses {
            for fate in fates.get_mut(spans.clone()).into_iter().flatten() {
                if fate.is_none_or(|before| before == DropCause::Spooled) {
                    *fate = Some(*cause);
                }
            }
        }
        for same in fates.chunk_by(PartialEq::eq) {
            self.ledger.count(same.len(), same[0]);
        }
        // Without an exporter, the worker drops it, and warns nobody.
        let is_silent = |cause| matches!(cause, DropCause::NoExporter | DropCause::Spooled);
        if losses.iter().any(|(_, cause)| !is_silent(*cause)) {
            self.queue.report_drops();
        }
    }
}

/// Joins drained lists to chunks, none larger than a batch.
pub(crate) struct ChunkBuilder<'a> {
    pub(crate) queue: &'a Arc<SpanQueue>,
    pub(crate) ledger: &'a Arc<Ledger>,
    pub(crate) clock: &'a Arc<Clock>,
    /// What a batch holds. A larger span has a chunk of its own.
    pub(crate) limit: Size,
    /// Characters of a text.
    pub(crate) text: Option<usize>,
}

impl ChunkBuilder<'_> {
    pub(crate) fn chunks(&self, all: Vec<DrainedList>, mut send: impl FnMut(Portion)) {
        let (mut lists, mut total) = (Vec::new(), Size::default());
        for drained in all {
            let size = drained.size;
            let fits = total.spans + size.spans <= self.limit.spans
                && total.bytes + size.bytes <= self.limit.bytes;
            if !fits && !lists.is_empty() {
                let full = (std::mem::take(&mut lists), std::mem::take(&mut total));
                send(Portion::whole(full.0, full.1, self));
            }
            total.spans += size.spans;
            total.bytes += size.bytes;
            lists.push(drained);
        }
        if !lists.is_empty() {
            send(Portion::whole(lists, total, self));
        }
    }
}
