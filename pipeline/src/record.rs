//! A span while it is recorded, in a box that its thread uses again and again.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use enter_span::native::{self, Site};
use opentelemetry::trace::{Event, Link, SpanContext, SpanKind, Status, TraceState};
use opentelemetry::{KeyValue, Value};

use crate::clock::Moment;
use crate::core::Common;
use crate::ended::{Details, Ended, Happened, Origin};
use crate::limit::SpanLimits;
use crate::place::Place;
use crate::size;

pub(crate) struct Record {
    common: Arc<Common>,
    span: Ended,
    /// Kept here until it ends, so that the list is used again.
    attributes: Vec<KeyValue>,
}

/// What is known of a span when it starts.
pub(crate) struct Beginning {
    pub(crate) place: Place,
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) origin: Origin,
    pub(crate) start: Moment,
}

impl Record {
    /// In a box that this thread used before, if there is one.
    #[inline]
    pub(crate) fn begin(
        common: &Arc<Common>,
        beginning: Beginning,
        state: &TraceState,
    ) -> Box<Self> {
        let mut record = spare::take(common).unwrap_or_else(|| Record::new(common));
        let span = &mut record.span;
        span.place = beginning.place;
        span.kind = beginning.kind;
        span.name = size::bound(beginning.name, common.limits.bytes / 2);
        span.origin = beginning.origin;
        span.start = beginning.start;
        span.code = 0;
        if common.tells_place && span.origin.site().is_some() {
            span.code = Site::CODE_KEYS.len().min(common.limits.attributes);
            span.dropped_attributes = (Site::CODE_KEYS.len() - span.code) as u32;
        }
        span.held = span.name.len();
        if *state != TraceState::NONE {
            span.held += size::of_state(state);
            span.state = Some(Box::new(state.clone()));
        }
        record
    }

    #[cold]
    fn new(common: &Arc<Common>) -> Box<Self> {
        Box::new(Record {
            common: Arc::clone(common),
            span: Ended::default(),
            attributes: Vec::new(),
        })
    }

    /// The specification's upsert: the last value of a key holds.
    #[inline]
    pub(crate) fn set_attribute(&mut self, mut attribute: KeyValue) {
        let (span, limits) = (&mut self.span, &self.common.limits);
        if let Some(most) = limits.text {
            size::shorten(&mut attribute.value, most);
        }
        let known = self.attributes.iter().position(|a| a.key == attribute.key);
        let replaced = known.map_or(0, |known| size::of_pair(&self.attributes[known]));
        let room = limits.bytes.saturating_sub(span.held - replaced);
        let is_full = known.is_none() && self.attributes.len() >= span.most_attributes(limits);
        if is_full || !size::fit(&mut attribute, room) {
            span.dropped_attributes += 1;
            return;
        }
        span.held = span.held - replaced + size::of_pair(&attribute);
        match known {
            Some(known) => self.attributes[known].value = attribute.value,
            None => self.attributes.push(attribute),
        }
    }

    /// What says how the span ended is kept before others.
    fn set_default(&mut self, attribute: KeyValue) {
        if self.attributes.iter().any(|a| a.key == attribute.key) {
            return;
        }
        let (span, limits) = (&mut self.span, &self.common.limits);
        let needed = size::of_pair(&attribute);
        let most = span.most_attributes(limits);
        while self.attributes.len() >= most || span.held + needed > limits.bytes {
            let Some(given_up) = self.attributes.pop() else {
                break;
            };
            span.held -= size::of_pair(&given_up);
            span.dropped_attributes += 1;
        }
        self.set_attribute(attribute);
    }

    fn is_of_place(&self, key: &str) -> bool {
        key.starts_with("code.") && self.span.code > 0 && Site::CODE_KEYS.contains(&key)
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        let moment = self.span.moment(time, &self.common);
        self.span
            .add_event(name, moment, attributes, &self.common.limits);
    }

    pub(crate) fn add_link(&mut self, link: Link) {
        self.span.add_link(link, &self.common.limits);
    }

    pub(crate) fn set_name(&mut self, name: Cow<'static, str>) {
        let name = size::bound(name, self.common.limits.bytes / 2);
        let span = &mut self.span;
        span.held = (span.held + name.len()).saturating_sub(span.name.len());
        span.name = name;
    }

    /// An error does not replace `Ok`, which is the operator's word; else the last call holds.
    pub(crate) fn set_status(&mut self, status: Status) {
        if self.span.status == Status::Ok || status == Status::Unset {
            return;
        }
        self.span.status = match status {
            Status::Error { description } => Status::Error {
                description: size::bound(description, self.common.limits.bytes / 2),
            },
            other => other,
        };
    }

    /// Hands it over. One that is recorded and not sampled goes nowhere.
    #[inline]
    pub(crate) fn finish(mut self: Box<Self>, time: Option<SystemTime>) {
        let span = &mut self.span;
        span.end = span.moment(time, &self.common);
        span.attributes = self.attributes.len();
        if !span.place.flags.is_sampled() {
            self.common.queue.count_record_only();
        } else if self.common.queue.push(span, &mut self.attributes) {
            spare::keep(self);
        }
    }
}

/// Records that a thread keeps for its next spans: they are empty.
mod spare {
    use std::cell::RefCell;
    use std::sync::Arc;

    use super::Record;
    use crate::core::Common;

    const MOST: usize = 64;

    /// A record that holds room for more attributes is not kept.
    const MOST_ATTRIBUTES: usize = 64;

    thread_local! {
        #[expect(clippy::vec_box, reason = "it is the boxes that are used again")]
        static SPARE: RefCell<Vec<Box<Record>>> = const { RefCell::new(Vec::new()) };
    }

    #[inline]
    pub(super) fn take(common: &Arc<Common>) -> Option<Box<Record>> {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        // Of another pipeline it is of no use.
        spare
            .ok()
            .flatten()
            .filter(|record| Arc::ptr_eq(&record.common, common))
    }

    #[inline]
    pub(super) fn keep(record: Box<Record>) {
        if record.attributes.capacity() > MOST_ATTRIBUTES {
            return;
        }
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST {
                spare.push(record);
            }
        });
    }
}

impl Ended {
    #[inline]
    fn moment(&self, told: Option<SystemTime>, common: &Common) -> Moment {
        match (told, self.start) {
            (Some(told), _) => Moment::Told(told),
            (None, Moment::Counted(_)) => common.clock.now(),
            // Who told the start has a clock of their own.
            (None, Moment::Told(_)) => Moment::Told(SystemTime::now()),
        }
    }

    /// Room for so many attributes, with those of the place in source.
    fn most_attributes(&self, limits: &SpanLimits) -> usize {
        limits.attributes - self.code
    }

    fn add_event(
        &mut self,
        name: Cow<'static, str>,
        moment: Moment,
        mut attributes: Vec<KeyValue>,
        limits: &SpanLimits,
    ) {
        let own = mem::size_of::<Event>() + name.len();
        let details: &mut Details = self.details.get_or_insert_default();
        if details.events.len() >= limits.events || self.held + own > limits.bytes {
            details.dropped_events += 1;
            return;
        }
        self.held += own;
        let most = limits.event_attributes;
        let dropped_attributes = cut(&mut attributes, most, limits, &mut self.held);
        details.events.push(Happened {
            name,
            moment,
            attributes,
            dropped_attributes,
        });
    }

    fn add_link(&mut self, mut link: Link, limits: &SpanLimits) {
        let own = mem::size_of::<Link>() + size::of_state(link.span_context.trace_state());
        let details: &mut Details = self.details.get_or_insert_default();
        if details.links.len() >= limits.links || self.held + own > limits.bytes {
            details.dropped_links += 1;
            return;
        }
        self.held += own;
        let most = limits.link_attributes;
        let dropped = cut(&mut link.attributes, most, limits, &mut self.held);
        link.dropped_attributes_count += dropped;
        details.links.push(link);
    }
}

/// Leaves what fits, and gives how many that were not.
fn cut(attributes: &mut Vec<KeyValue>, most: usize, limits: &SpanLimits, held: &mut usize) -> u32 {
    let before = attributes.len();
    attributes.truncate(most);
    attributes.retain_mut(|attribute| {
        if let Some(most) = limits.text {
            size::shorten(&mut attribute.value, most);
        }
        let fits = size::fit(attribute, limits.bytes.saturating_sub(*held));
        if fits {
            *held += size::of_pair(attribute);
        }
        fits
    });
    (before - attributes.len()) as u32
}

impl native::Record for Record {
    fn identity(&self) -> SpanContext {
        self.span.identity()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if !self.is_of_place(attribute.key.as_str()) {
            Record::set_attribute(self, attribute);
        }
    }

    fn set_default(&mut self, key: &'static str, value: Value) {
        if !self.is_of_place(key) {
            Record::set_default(self, KeyValue::new(key, value));
        }
    }

    fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        Record::add_event(self, name, time, attributes);
    }

    fn add_link(&mut self, linked: SpanContext, attributes: Vec<KeyValue>) {
        Record::add_link(self, Link::new(linked, attributes, 0));
    }

    fn update_name(&mut self, name: Cow<'static, str>) {
        self.set_name(name);
    }

    fn end(mut self: Box<Self>, time: Option<SystemTime>, status: Option<Status>) {
        if let Some(status) = status {
            self.set_status(status);
        }
        self.finish(time);
    }
}
