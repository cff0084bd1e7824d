//! A span as it is handed over, in lists that are used again: what one thread allocates and another
//! frees is dear, so in the common case it has no memory of its own.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::vec::Drain;

use enter_span::native::{Library, Site};
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::clock::{Moment, Reading};
use crate::place::Place;

pub(crate) struct Ended {
    pub(crate) place: Place,
    pub(crate) state: Option<Box<TraceState>>,
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) origin: Origin,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    /// How many of those beside it are its own.
    pub(crate) attributes: usize,
    /// How many of the place in source are written after them.
    pub(crate) code: usize,
    pub(crate) dropped_attributes: u32,
    pub(crate) status: Status,
    /// Most spans have none.
    pub(crate) details: Option<Box<Details>>,
    /// Bytes that it holds, about, beside itself.
    pub(crate) held: usize,
}

#[derive(Default)]
pub(crate) struct Details {
    pub(crate) events: Vec<Happened>,
    pub(crate) dropped_events: u32,
    pub(crate) links: Vec<Link>,
    pub(crate) dropped_links: u32,
}

pub(crate) struct Happened {
    pub(crate) name: Cow<'static, str>,
    pub(crate) moment: Moment,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) dropped_attributes: u32,
}

/// Who made a span, and where.
pub(crate) enum Origin {
    Site(&'static Site),
    Library(&'static Site, Box<Library>),
    Scope(Arc<InstrumentationScope>),
    Nowhere,
}

impl Origin {
    /// If attributes of its place in source can be written.
    #[inline]
    pub(crate) fn site(&self) -> Option<&'static Site> {
        match self {
            Origin::Site(site) | Origin::Library(site, _) => site.place().is_some().then_some(site),
            Origin::Scope(_) | Origin::Nowhere => None,
        }
    }

    fn scope(&self) -> InstrumentationScope {
        match self {
            Origin::Site(site) => site.library().scope(),
            Origin::Library(_, library) => library.scope(),
            Origin::Scope(scope) => (**scope).clone(),
            Origin::Nowhere => InstrumentationScope::default(),
        }
    }
}

/// Spans in the order of their end, and the attributes of all of them.
#[derive(Default)]
pub(crate) struct Spans {
    spans: Vec<Ended>,
    attributes: Vec<KeyValue>,
}

impl Spans {
    #[inline]
    pub(crate) fn push(&mut self, span: &mut Ended, attributes: &mut Vec<KeyValue>) {
        self.spans.push(span.take());
        self.attributes.append(attributes);
    }

    /// As exporters have them. The lists keep their room.
    pub(crate) fn convert(&mut self, reading: &Reading, to: &mut Vec<SpanData>) {
        let mut attributes = self.attributes.drain(..);
        let spans = self.spans.drain(..);
        to.extend(spans.map(|span| span.into_data(&mut attributes, reading)));
    }
}

/// An empty one.
impl Default for Ended {
    fn default() -> Self {
        Ended {
            place: Place {
                trace_id: TraceId::INVALID,
                span_id: SpanId::INVALID,
                flags: TraceFlags::NOT_SAMPLED,
                parent: SpanId::INVALID,
                parent_is_remote: false,
            },
            state: None,
            kind: SpanKind::Internal,
            name: Cow::Borrowed(""),
            origin: Origin::Nowhere,
            start: Moment::Counted(0),
            end: Moment::Counted(0),
            attributes: 0,
            code: 0,
            dropped_attributes: 0,
            status: Status::Unset,
            details: None,
            held: 0,
        }
    }
}

impl Ended {
    #[inline]
    pub(crate) fn identity(&self) -> SpanContext {
        let state = self.state.as_deref().cloned();
        self.place.identity(state.unwrap_or(TraceState::NONE))
    }

    /// Takes out what it holds.
    #[inline]
    fn take(&mut self) -> Self {
        Ended {
            place: self.place,
            state: self.state.take(),
            kind: self.kind.clone(),
            name: mem::take(&mut self.name),
            origin: mem::replace(&mut self.origin, Origin::Nowhere),
            start: self.start,
            end: self.end,
            attributes: self.attributes,
            code: self.code,
            dropped_attributes: mem::take(&mut self.dropped_attributes),
            status: mem::take(&mut self.status),
            details: self.details.take(),
            held: self.held,
        }
    }

    /// About how much memory it holds, itself included.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        let description = match &self.status {
            Status::Error { description } => description.len(),
            Status::Unset | Status::Ok => 0,
        };
        mem::size_of::<Ended>() + self.held + description
    }

    #[inline]
    fn into_data(self, all: &mut Drain<'_, KeyValue>, reading: &Reading) -> SpanData {
        let start_time = reading.tell(self.start);
        let site = self.origin.site();
        let mut attributes = Vec::with_capacity(self.attributes + self.code);
        attributes.extend(all.by_ref().take(self.attributes));
        if let Some(site) = site {
            let most = attributes.len() + self.code;
            site.each_code(|pair| {
                if attributes.len() < most {
                    attributes.push(pair);
                }
            });
        }
        let (events, links) = match self.details {
            Some(details) => details.into_data(reading),
            None => Default::default(),
        };
        let state = self.state.map_or(TraceState::NONE, |state| *state);
        SpanData {
            span_context: self.place.identity(state),
            parent_span_id: self.place.parent,
            parent_span_is_remote: self.place.parent_is_remote,
            span_kind: self.kind,
            start_time,
            // Never before its start, also where its maker says so.
            end_time: reading.tell(self.end).max(start_time),
            attributes,
            dropped_attributes_count: self.dropped_attributes,
            events,
            links,
            status: self.status,
            instrumentation_scope: self.origin.scope(),
            name: self.name,
        }
    }
}

impl Details {
    fn into_data(self, reading: &Reading) -> (SpanEvents, SpanLinks) {
        let events = self.events.into_iter().map(|event| {
            let time = reading.tell(event.moment);
            Event::new(event.name, time, event.attributes, event.dropped_attributes)
        });
        let mut all = (SpanEvents::default(), SpanLinks::default());
        all.0.events = events.collect();
        all.0.dropped_count = self.dropped_events;
        all.1.links = self.links;
        all.1.dropped_count = self.dropped_links;
        all
    }
}
