//! What is known of a trace that is not decided.

use std::time::{Duration, Instant, SystemTime};

use enter_span::native::EndedSpan;
use opentelemetry::trace::{SpanId, TraceId};

use crate::host::clock::Reading;
use crate::keep::place_table::Key;
use crate::keep::stretch::Stretch;
use crate::queue::budget::Size;
use crate::queue::leaving_spans::LeavingSpans;
use crate::queue::lost_roots::LostRoot;
use crate::queue::span_list::SpanList;

pub(super) struct PendingTrace {
    pub(super) key: Key,
    /// Since its first span came.
    pub(super) since: Instant,
    pub(super) spans: SpanList,
    pub(super) size: Size,
    /// The place of the root, when it has ended.
    pub(super) root: Option<usize>,
    /// Whether it has ended, and found no room.
    has_lost_root: bool,
    pub(super) has_error: bool,
    /// Whether a start was told by its maker, who has another clock.
    pub(super) has_told_start: bool,
    /// The numbers of the keys that were found.
    pub(super) keys: Vec<u16>,
    /// Spans that others may have taken for the root.
    pub(super) aliases: Vec<SpanId>,
}

impl PendingTrace {
    pub(super) fn new(key: Key, since: Instant, spans: SpanList) -> Self {
        PendingTrace {
            key,
            since,
            spans,
            size: Size::default(),
            root: None,
            has_lost_root: false,
            has_error: false,
            has_told_start: false,
            keys: Vec::new(),
            aliases: Vec::new(),
        }
    }

    pub(super) fn trace_id(&self) -> TraceId {
        self.key.trace_id
    }

    pub(super) fn root_span(&self) -> Option<&EndedSpan> {
        self.spans.span(self.root?)
    }

    /// Takes the spans of a stretch out of their list.
    #[inline]
    pub(super) fn take(&mut self, leaving: &mut LeavingSpans<'_>, stretch: &Stretch, bytes: usize) {
        let before = self.spans.len();
        self.root = stretch.root.map(|root| before + root).or(self.root);
        self.has_error |= stretch.has_error;
        self.has_told_start |= stretch.has_told_start;
        self.size.spans += stretch.next.spans;
        self.size.bytes += bytes;
        self.spans.push_few(leaving, stretch.next);
    }

    /// Adds the spans of another one, which has the same root.
    pub(super) fn absorb(&mut self, mut other: PendingTrace) -> SpanList {
        let before = self.spans.len();
        self.root = self.root.or(other.root.map(|root| before + root));
        self.spans.append(&mut other.spans);
        self.size.spans += other.size.spans;
        self.size.bytes += other.size.bytes;
        self.has_lost_root |= other.has_lost_root;
        self.has_error |= other.has_error;
        self.has_told_start |= other.has_told_start;
        self.keys.append(&mut other.keys);
        self.aliases.append(&mut other.aliases);
        other.spans
    }

    pub(super) fn lose_root(&mut self, root: LostRoot) {
        self.has_lost_root = true;
        self.has_error |= root.has_error;
    }

    /// How long the root took; of one that is open, how long it has taken at least; of one that is lost, how long the
    /// others took.
    pub(super) fn lasted(&self, reading: &Reading) -> Duration {
        if let Some(root) = self.root_span() {
            let (start, end) = times(root, reading);
            return end.duration_since(start).unwrap_or_default();
        }
        let times = |span| times(span, reading);
        let all = self.spans.spans().iter();
        let Some(first) = all.clone().map(|span| times(span).0).min() else {
            return Duration::ZERO;
        };
        let last = all.map(|span| times(span).1).max();
        let end = last.filter(|_| self.has_lost_root);
        let end = end.unwrap_or_else(|| reading.now());
        end.duration_since(first).unwrap_or_default()
    }
}

/// Start and end. An end is never before its start.
pub(super) fn times(span: &EndedSpan, reading: &Reading) -> (SystemTime, SystemTime) {
    let details = span.details.as_deref();
    let start = details.and_then(|details| details.start);
    let end = details.and_then(|details| details.end);
    let start = start.unwrap_or_else(|| reading.wall_time_of(span.start));
    let end = end.unwrap_or_else(|| reading.wall_time_of(span.end));
    (start, end.max(start))
}
