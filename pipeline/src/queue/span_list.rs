//! Ended spans in lists that are used again, and their conversion for exporters of the SDK's kind.
//!
//! Memory that one thread allocates and another frees is expensive, so in the common case a span has
//! none of its own. It is moved by value into the list of its thread, and its attributes into a second
//! list behind each other. A list is written from front to back, which the processor foresees. Spans
//! that were handed over by pointer cost 60 ns at the first touch of a box that came back.

use std::ops::Range;
use std::time::SystemTime;
use std::vec::Drain;
use std::{iter, mem, ptr};

use enter_span::native::{Details, EndedSpan, Library, Site, SpanSource};
use opentelemetry::trace::{Event, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::host::clock::Reading;
use crate::queue::leaving_spans::{LeavingSpans, Next};

/// Spans in the order of their end, and the attributes of all of them.
#[derive(Clone, Default)]
pub(crate) struct SpanList {
    spans: Vec<EndedSpan>,
    attributes: Vec<KeyValue>,
}

impl SpanList {
    #[inline(always)]
    pub(crate) fn push(&mut self, span: &mut EndedSpan, attributes: &mut Vec<KeyValue>) {
        span.attributes = attributes.len() as u32;
        if self.spans.len() == self.spans.capacity() {
            grow(&mut self.spans, 1);
        }
        // Made in its place: a push would make it elsewhere and copy it.
        self.spans.extend(iter::once_with(|| span.take()));
        if self.attributes.capacity() - self.attributes.len() < attributes.len() {
            grow(&mut self.attributes, attributes.len());
        }
        self.attributes.append(attributes);
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Takes the next spans of those that leave another list.
    #[inline]
    pub(crate) fn push_next(&mut self, leaving: &mut LeavingSpans<'_>, next: Next) {
        if self.spans.capacity() - self.spans.len() < next.spans {
            grow(&mut self.spans, next.spans);
        }
        self.push_all(leaving, next);
    }

    /// The same for a list that may stay short.
    #[inline]
    pub(crate) fn push_few(&mut self, leaving: &mut LeavingSpans<'_>, next: Next) {
        if self.spans.capacity() - self.spans.len() < next.spans {
            grow_few(&mut self.spans, next.spans);
        }
        self.push_all(leaving, next);
    }

    #[inline]
    fn push_all(&mut self, leaving: &mut LeavingSpans<'_>, next: Next) {
        leaving.move_next(next, &mut self.spans, &mut self.attributes);
    }

    /// Adds an attribute to the last span.
    pub(crate) fn add_to_last(&mut self, attribute: KeyValue) {
        if let Some(span) = self.spans.last_mut() {
            span.attributes += 1;
            self.attributes.push(attribute);
        }
    }

    /// Adds an attribute to a span.
    pub(crate) fn add_to(&mut self, index: usize, attribute: KeyValue) {
        let end = self.attributes_end(index + 1);
        if let Some(span) = self.spans.get_mut(index) {
            span.attributes += 1;
            self.attributes
                .insert(end.min(self.attributes.len()), attribute);
        }
    }

    /// How many attributes the first spans have.
    fn attributes_end(&self, spans: usize) -> usize {
        let first = self.spans.iter().take(spans);
        first.map(|span| span.attributes as usize).sum()
    }

    pub(crate) fn spans(&self) -> &[EndedSpan] {
        &self.spans
    }

    #[inline]
    pub(crate) fn span(&self, index: usize) -> Option<&EndedSpan> {
        self.spans.get(index)
    }

    /// Spans that it has room for.
    pub(crate) fn room(&self) -> usize {
        self.spans.capacity()
    }

    /// Whether it has room for no more than so many spans, with a few attributes each.
    pub(crate) fn is_short(&self, most: usize) -> bool {
        const FEW: usize = 8;
        self.spans.capacity() <= most && self.attributes.capacity() <= FEW * most
    }

    /// Moves all spans of the other one behind its own.
    pub(crate) fn append(&mut self, other: &mut SpanList) {
        if self.spans.capacity() - self.spans.len() < other.spans.len() {
            grow(&mut self.spans, other.spans.len());
        }
        self.spans.append(&mut other.spans);
        if self.attributes.capacity() - self.attributes.len() < other.attributes.len() {
            grow(&mut self.attributes, other.attributes.len());
        }
        self.attributes.append(&mut other.attributes);
    }

    /// Empties it from front to back. The list keeps its room.
    pub(crate) fn leave(&mut self) -> LeavingSpans<'_> {
        LeavingSpans::new(self.spans.drain(..), self.attributes.drain(..))
    }

    /// Has the last span come first.
    pub(super) fn rotate_last(&mut self) {
        let own = self.spans.last().map_or(0, |span| span.attributes as usize);
        self.spans.rotate_right(1);
        let all = self.attributes.len();
        self.attributes.rotate_right(own.min(all));
    }

    /// Moves all spans of the other one. Their order is given by their places, and those of their first attributes.
    pub(super) fn append_sorted(
        &mut self,
        other: &mut SpanList,
        order: impl Iterator<Item = (usize, usize)>,
    ) {
        for (index, first) in order {
            let span = &mut other.spans[index];
            let own = first..first + span.attributes as usize;
            let own = other.attributes.get_mut(own).unwrap_or_default();
            let taken = |place| mem::replace(place, KeyValue::new("", false));
            self.spans.extend(iter::once_with(|| span.take()));
            self.attributes.extend(own.iter_mut().map(taken));
        }
        // What was taken owns nothing, so there is nothing to drop.
        other.spans.drain(..).for_each(mem::forget);
        other.attributes.drain(..).for_each(mem::forget);
    }

    /// The attributes of these spans.
    fn attributes(&self, spans: &Range<usize>) -> &[KeyValue] {
        let count = |spans: Option<&[EndedSpan]>| -> usize {
            let spans = spans.unwrap_or_default().iter();
            spans.map(|span| span.attributes as usize).sum()
        };
        let start = count(self.spans.get(..spans.start));
        let end = start + count(self.spans.get(spans.clone()));
        self.attributes.get(start..end).unwrap_or_default()
    }

    fn copy(&self, spans: &Range<usize>) -> SpanList {
        SpanList {
            spans: self.spans.get(spans.clone()).unwrap_or_default().to_vec(),
            attributes: self.attributes(spans).to_vec(),
        }
    }

    /// Each of these spans with its own attributes.
    pub(crate) fn records(
        &self,
        spans: Range<usize>,
    ) -> impl Iterator<Item = (&EndedSpan, &[KeyValue])> {
        let mut rest = self.attributes(&spans);
        let spans = self.spans.get(spans).unwrap_or_default();
        spans.iter().map(move |span| {
            // `push` keeps both lists in step.
            let own = (span.attributes as usize).min(rest.len());
            let (own, others) = rest.split_at(own);
            rest = others;
            (span, own)
        })
    }

    /// Drops all. The lists keep their room.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.attributes.clear();
    }

    /// As exporters of the SDK's kind have them. The lists keep their room.
    pub(crate) fn convert(
        &mut self,
        reading: &Reading,
        text: Option<usize>,
        to: &mut Vec<SpanData>,
    ) {
        let mut attributes = self.attributes.drain(..);
        let mut scopes = Scopes::default();
        let spans = self.spans.drain(..);
        to.extend(spans.map(|span| {
            let scope = scopes.of(&span.source);
            into_data(span, scope, &mut attributes, text, reading)
        }));
    }
}

/// Some spans of a list beside each other, which many may read.
#[derive(Clone)]
pub(crate) struct Stretch<'a> {
    pub(crate) list: &'a SpanList,
    pub(crate) spans: Range<usize>,
    /// Of the clocks, for their times.
    pub(crate) reading: &'a Reading,
}

impl<'a> Stretch<'a> {
    /// Copies of them, as exporters of the SDK's kind have them.
    pub(crate) fn convert(&self, text: Option<usize>, to: &mut Vec<SpanData>) {
        self.list.copy(&self.spans).convert(self.reading, text, to);
    }

    /// Each span with its own attributes.
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub(crate) fn records(&self) -> impl Iterator<Item = (&'a EndedSpan, &'a [KeyValue])> {
        self.list.records(self.spans.clone())
    }
}

/// A list that may stay short grows to the double, until it is not short.
#[cold]
fn grow_few(list: &mut Vec<EndedSpan>, more: usize) {
    const SHORT: usize = 64;
    match list.len() {
        0 => list.reserve_exact(more),
        few if few < SHORT => list.reserve_exact(few.max(3).max(more)),
        _ => grow(list, more),
    }
}

/// Lists grow by a quarter and not to the double: what they have to spare is in nobody's budget.
#[cold]
fn grow<T>(list: &mut Vec<T>, more: usize) {
    const FEW: usize = 16;
    list.reserve_exact(more.max(list.len() / 4).max(FEW));
}

/// Of a text so many characters.
pub(crate) fn head(text: &'static str, most: Option<usize>) -> &'static str {
    let end = most.and_then(|most| text.char_indices().nth(most));
    end.map_or(text, |(end, _)| &text[..end])
}

/// The last library that was met, as exporters have it: most spans of a list are of one.
#[derive(Default)]
struct Scopes(Option<(&'static Library, InstrumentationScope)>);

impl Scopes {
    #[inline]
    fn of(&mut self, source: &SpanSource) -> InstrumentationScope {
        let SpanSource::Site(site) = source else {
            return source.scope();
        };
        let library = site.library();
        match &self.0 {
            Some((last, scope)) if ptr::eq(*last, library) => scope.clone(),
            _ => self.0.insert((library, library.scope())).1.clone(),
        }
    }
}

#[inline]
fn into_data(
    mut span: EndedSpan,
    scope: InstrumentationScope,
    all: &mut Drain<'_, KeyValue>,
    text: Option<usize>,
    reading: &Reading,
) -> SpanData {
    let site = span.source.site();
    let (own, code) = (span.attributes as usize, usize::from(span.code));
    let mut attributes = Vec::with_capacity(own + code);
    attributes.extend(all.by_ref().take(own));
    push_code(&mut attributes, site, code, text);
    let status = span.take_status();
    let name = span.take_name();
    let counted = (
        reading.wall_time_of(span.start),
        reading.wall_time_of(span.end),
    );
    let (state, (start, end), events, links) = match span.details {
        Some(details) => apart(*details, counted, reading),
        None => (
            TraceState::NONE,
            counted,
            SpanEvents::default(),
            SpanLinks::default(),
        ),
    };
    SpanData {
        span_context: span.parentage.identity(state),
        parent_span_id: span.parentage.parent,
        parent_span_is_remote: span.parentage.parent_is_remote,
        span_kind: span.kind,
        start_time: start,
        // Never before its start, also where its maker says so.
        end_time: end.max(start),
        attributes,
        dropped_attributes_count: span.dropped_attributes,
        events,
        links,
        status,
        instrumentation_scope: scope,
        name,
    }
}

#[inline]
fn push_code(
    attributes: &mut Vec<KeyValue>,
    site: Option<&'static Site>,
    code: usize,
    text: Option<usize>,
) {
    if let Some((function, file, line)) = site.and_then(Site::location) {
        // Not by `each_code`: what a closure is handed is made elsewhere and copied.
        let [function_key, file_key, line_key] = Site::CODE_KEYS;
        if code > 0 {
            attributes.push(KeyValue::new(function_key, head(function, text)));
        }
        if code > 1 {
            attributes.push(KeyValue::new(file_key, head(file, text)));
        }
        if code > 2 {
            attributes.push(KeyValue::new(line_key, i64::from(line)));
        }
    }
}

type Times = (SystemTime, SystemTime);

fn apart(
    details: Details,
    (start, end): Times,
    reading: &Reading,
) -> (TraceState, Times, SpanEvents, SpanLinks) {
    let times = (details.start.unwrap_or(start), details.end.unwrap_or(end));
    let all = details.events.into_iter().map(|event| {
        let time = reading.wall_time(event.timestamp);
        Event::new(event.name, time, event.attributes, event.dropped_attributes)
    });
    let mut events = SpanEvents::default();
    events.events = all.collect();
    events.dropped_count = details.dropped_events;
    let mut links = SpanLinks::default();
    links.links = details.links;
    links.dropped_count = details.dropped_links;
    (details.state, times, events, links)
}
