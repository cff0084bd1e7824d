//! Collects exported spans until their trace is finished, within limits. `lib.rs` defines *finished*.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{SpanId, Status, TraceId};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SpanData;

const MOST_SPANS: usize = 50_000;
const MOST_TRACES: usize = 1_000;
const MOST_BYTES: usize = 64 << 20;
const MOST_REMEMBERED: usize = 100_000;

/// Spans of one trace that are shown together.
pub(super) struct Part {
    pub(super) spans: Vec<SpanData>,
    pub(super) gaps: Gaps,
}

/// What a part lacks of its trace.
#[derive(Clone, Copy, Default)]
pub(super) struct Gaps {
    /// Other spans of the trace were shown before.
    is_continued: bool,
    /// Something above one of the spans has not been exported.
    is_incomplete: bool,
}

impl Gaps {
    /// What the heading says.
    pub(super) fn notes(self) -> impl Iterator<Item = &'static str> {
        let continued = self.is_continued.then_some("continued");
        let incomplete = self.is_incomplete.then_some("incomplete");
        continued.into_iter().chain(incomplete)
    }

    /// Why a parent of this process is not in the part.
    pub(super) fn absence(self) -> &'static str {
        if self.is_continued && !self.is_incomplete {
            "parent shown before"
        } else {
            "parent missing"
        }
    }
}

/// The traces that an exporter collects, from its first batch to its shutdown.
pub(super) struct TraceCollector(Mutex<Option<PendingTraces>>);

impl TraceCollector {
    pub(super) fn new() -> Self {
        TraceCollector(Mutex::new(Some(PendingTraces::default())))
    }

    /// Takes a batch, and gives what is to be shown now.
    pub(super) fn add(&self, batch: Vec<SpanData>) -> Result<Vec<Part>, OTelSdkError> {
        let mut pending = self.pending();
        let pending = pending.as_mut().ok_or(OTelSdkError::AlreadyShutdown)?;
        Ok(pending.add(batch))
    }

    /// All that is pending.
    pub(super) fn flush(&self) -> Vec<Part> {
        let mut pending = self.pending();
        pending
            .as_mut()
            .map_or_else(Vec::new, PendingTraces::take_all)
    }

    /// The same, and there will be no more.
    pub(super) fn shut_down(&self) -> Result<Vec<Part>, OTelSdkError> {
        let pending = self.pending().take();
        let mut pending = pending.ok_or(OTelSdkError::AlreadyShutdown)?;
        Ok(pending.take_all())
    }

    fn pending(&self) -> MutexGuard<'_, Option<PendingTraces>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is not finished yet, and what was shown.
#[derive(Default)]
struct PendingTraces {
    traces: HashMap<TraceId, PendingTrace>,
    /// The traces that are pending, in the order of their arrival.
    order: BTreeMap<u64, TraceId>,
    arrivals: u64,
    spans: usize,
    bytes: usize,
    shown: ShownSpans,
}

/// The spans of one trace.
#[derive(Default)]
struct PendingTrace {
    arrival: u64,
    spans: Vec<SpanData>,
    bytes: usize,
    /// One of the spans needs nothing above it.
    has_top: bool,
}

impl PendingTraces {
    /// Gives what is finished by the batch, and what there is no room for.
    fn add(&mut self, batch: Vec<SpanData>) -> Vec<Part> {
        let mut touched = Vec::new();
        for span in batch {
            let trace = span.span_context.trace_id();
            if touched.last() != Some(&trace) {
                touched.push(trace);
            }
            self.store(trace, span);
        }
        let mut parts: Vec<Part> = touched
            .into_iter()
            .filter_map(|trace| self.take_settled(trace))
            .collect();
        while self.is_full() {
            let Some((_, trace)) = self.order.pop_first() else {
                break;
            };
            parts.extend(self.take_unsettled(trace));
        }
        by_start(parts)
    }

    fn take_all(&mut self) -> Vec<Part> {
        let traces = mem::take(&mut self.order).into_values();
        let parts = traces.filter_map(|trace| self.take_unsettled(trace));
        by_start(parts.collect())
    }

    fn store(&mut self, trace: TraceId, span: SpanData) {
        let is_top = self.is_top(&span);
        let size = size(&span);
        let pending = self.traces.entry(trace).or_insert_with(|| {
            self.arrivals += 1;
            self.order.insert(self.arrivals, trace);
            PendingTrace {
                arrival: self.arrivals,
                ..PendingTrace::default()
            }
        });
        pending.has_top |= is_top;
        pending.bytes += size;
        pending.spans.push(span);
        self.bytes += size;
        self.spans += 1;
    }

    fn is_top(&self, span: &SpanData) -> bool {
        let trace = span.span_context.trace_id();
        span.parent_span_id == SpanId::INVALID
            || span.parent_span_is_remote
            || self.shown.has(trace, span.parent_span_id)
    }

    fn is_full(&self) -> bool {
        self.spans > MOST_SPANS || self.traces.len() > MOST_TRACES || self.bytes > MOST_BYTES
    }

    fn take_settled(&mut self, trace: TraceId) -> Option<Part> {
        if !self.traces.get(&trace)?.has_top {
            return None;
        }
        let pending = self.take(trace)?;
        let mut is_settled = self.settled(&pending.spans).into_iter();
        let (settled, others) = pending
            .spans
            .into_iter()
            .partition(|_| is_settled.next().unwrap_or(true));
        self.store_rest(trace, pending.arrival, others);
        Some(self.part(trace, settled, false))
    }

    fn take_unsettled(&mut self, trace: TraceId) -> Option<Part> {
        let pending = self.take(trace)?;
        Some(self.part(trace, pending.spans, true))
    }

    fn take(&mut self, trace: TraceId) -> Option<PendingTrace> {
        let pending = self.traces.remove(&trace)?;
        self.order.remove(&pending.arrival);
        self.spans -= pending.spans.len();
        self.bytes -= pending.bytes;
        Some(pending)
    }

    /// The rest of a trace keeps its place.
    fn store_rest(&mut self, trace: TraceId, arrival: u64, spans: Vec<SpanData>) {
        if spans.is_empty() {
            return;
        }
        let pending = PendingTrace {
            arrival,
            bytes: spans.iter().map(size).sum(),
            has_top: false,
            spans,
        };
        self.spans += pending.spans.len();
        self.bytes += pending.bytes;
        self.order.insert(arrival, trace);
        self.traces.insert(trace, pending);
    }

    fn part(&mut self, trace: TraceId, spans: Vec<SpanData>, is_incomplete: bool) -> Part {
        let is_continued = self.shown.traces.contains_key(&trace);
        self.shown.remember(trace, &spans);
        let gaps = Gaps {
            is_continued,
            is_incomplete,
        };
        Part { spans, gaps }
    }

    /// For each span, whether the way upwards ends at a top.
    fn settled(&self, spans: &[SpanData]) -> Vec<bool> {
        let ids = spans.iter().enumerate();
        let by_id: HashMap<SpanId, usize> = ids
            .map(|(index, span)| (span.span_context.span_id(), index))
            .collect();
        let mut known: Vec<Option<bool>> = vec![None; spans.len()];
        for start in 0..spans.len() {
            let mut way = Vec::new();
            let mut next = start;
            let is_settled = loop {
                if let Some(is_settled) = known[next] {
                    break is_settled;
                }
                // Who comes by here again has walked in a circle.
                known[next] = Some(false);
                way.push(next);
                if self.is_top(&spans[next]) {
                    break true;
                }
                match by_id.get(&spans[next].parent_span_id) {
                    Some(&parent) => next = parent,
                    None => break false,
                }
            };
            way.into_iter()
                .for_each(|span| known[span] = Some(is_settled));
        }
        known.into_iter().map(|known| known == Some(true)).collect()
    }
}

/// A batch has the spans of one thread behind those of another; parts are shown in the order of their starts.
fn by_start(mut parts: Vec<Part>) -> Vec<Part> {
    let start = |part: &Part| part.spans.iter().map(|span| span.start_time).min();
    parts.sort_by_cached_key(start);
    parts
}

/// The ids of what was shown, within a limit. The trace that was shown first is
/// forgotten first.
#[derive(Default)]
struct ShownSpans {
    traces: HashMap<TraceId, HashSet<SpanId>>,
    order: VecDeque<TraceId>,
    spans: usize,
}

impl ShownSpans {
    fn has(&self, trace: TraceId, span: SpanId) -> bool {
        let spans = self.traces.get(&trace);
        spans.is_some_and(|spans| spans.contains(&span))
    }

    fn remember(&mut self, trace: TraceId, spans: &[SpanData]) {
        let ids = self.traces.entry(trace).or_insert_with(|| {
            self.order.push_back(trace);
            HashSet::new()
        });
        let before = ids.len();
        ids.extend(spans.iter().map(|span| span.span_context.span_id()));
        self.spans += ids.len() - before;
        while self.spans > MOST_REMEMBERED {
            let Some(first) = self.order.pop_front() else {
                break;
            };
            let forgotten = self.traces.remove(&first);
            self.spans -= forgotten.map_or(0, |ids| ids.len());
        }
    }
}

/// The bytes that a span holds, about.
fn size(span: &SpanData) -> usize {
    let event_attributes = span.events.iter().map(|event| &event.attributes);
    let link_attributes = span.links.iter().map(|link| &link.attributes);
    let others = event_attributes.chain(link_attributes);
    let attributes = others.chain([&span.attributes]).flatten().map(pair);
    let names = span.events.iter().map(|event| 64 + event.name.len());
    let description = match &span.status {
        Status::Error { description } => description.len(),
        Status::Unset | Status::Ok => 0,
    };
    mem::size_of::<SpanData>()
        + span.name.len()
        + description
        + attributes.sum::<usize>()
        + names.sum::<usize>()
}

fn pair(KeyValue { key, value, .. }: &KeyValue) -> usize {
    let value = match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(_) => value.as_str().len(),
        _ => 0,
    };
    mem::size_of::<KeyValue>() + key.as_str().len() + value
}
