//! A span while it is recorded, in a box that its thread uses again and again.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use enter_span::backend::{self, Site};
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{KeyValue, Value};

use crate::clock::Moment;
use crate::core::Core;
use crate::ended::{Details, Ended, Happened, Origin};
use crate::limit::SpanLimits;
use crate::size;

pub(crate) struct Record {
    core: Arc<Core>,
    /// Until it is handed over.
    pub(crate) span: Option<Ended>,
    /// Kept here until then, so that the list is used again.
    pub(crate) attributes: Vec<KeyValue>,
}

/// What is known of a span when it starts.
pub(crate) struct Beginning<'a> {
    pub(crate) identity: &'a SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) origin: Origin,
    pub(crate) start: Moment,
}

/// Attributes that a box keeps its room for.
const MOST_KEPT: usize = 64;

impl Record {
    /// In a box that this thread used before, if there is one.
    pub(crate) fn begin(core: &Arc<Core>, beginning: Beginning<'_>) -> Box<Self> {
        let mut record = core.queue.spare().unwrap_or_else(|| {
            Box::new(Record {
                core: Arc::clone(core),
                span: None,
                attributes: Vec::new(),
            })
        });
        let name = size::bound(beginning.name, core.limits.bytes / 2);
        let state = match beginning.identity.trace_state() {
            none if *none == TraceState::NONE => None,
            state => Some(Box::new(state.clone())),
        };
        record.span = Some(Ended {
            held: name.len() + state.as_deref().map_or(0, size::of_state),
            trace_id: beginning.identity.trace_id(),
            span_id: beginning.identity.span_id(),
            flags: beginning.identity.trace_flags(),
            state,
            parent: beginning.parent,
            parent_is_remote: beginning.parent_is_remote,
            kind: beginning.kind,
            name,
            origin: beginning.origin,
            start: beginning.start,
            end: beginning.start,
            attributes: 0,
            dropped_attributes: 0,
            status: Status::Unset,
            details: None,
        });
        record
    }

    fn change(&mut self, change: impl FnOnce(&mut Ended, &Core)) {
        if let Some(span) = &mut self.span {
            change(span, &self.core);
        }
    }

    /// The specification's upsert: the last value of a key holds.
    #[inline]
    pub(crate) fn set_attribute(&mut self, mut attribute: KeyValue) {
        let Some(span) = &mut self.span else {
            return;
        };
        let limits = &self.core.limits;
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
        let Some(span) = &mut self.span else {
            return;
        };
        if self.attributes.iter().any(|a| a.key == attribute.key) {
            return;
        }
        let is_full = self.attributes.len() >= span.most_attributes(&self.core.limits);
        if is_full && self.attributes.pop().is_some() {
            span.dropped_attributes += 1;
        }
        self.set_attribute(attribute);
    }

    fn is_of_place(&self, key: &str) -> bool {
        let site = self.span.as_ref().and_then(|span| span.origin.site());
        key.starts_with("code.") && site.is_some() && Site::CODE_KEYS.contains(&key)
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        self.change(|span, core| {
            let moment = span.moment(time, core);
            span.add_event(name, moment, attributes, &core.limits);
        });
    }

    pub(crate) fn add_link(&mut self, link: Link) {
        self.change(|span, core| span.add_link(link, &core.limits));
    }

    pub(crate) fn set_name(&mut self, name: Cow<'static, str>) {
        self.change(|span, core| {
            let name = size::bound(name, core.limits.bytes / 2);
            span.held = (span.held + name.len()).saturating_sub(span.name.len());
            span.name = name;
        });
    }

    /// An error does not replace `Ok`, which is the operator's word; else the last call holds.
    pub(crate) fn set_status(&mut self, status: Status) {
        self.change(|span, core| {
            if span.status != Status::Ok && status != Status::Unset {
                span.status = match status {
                    Status::Error { description } => Status::Error {
                        description: size::bound(description, core.limits.bytes / 2),
                    },
                    other => other,
                };
            }
        });
    }

    /// Hands it over. One that is recorded and not sampled goes nowhere.
    pub(crate) fn finish(mut self: Box<Self>, time: Option<SystemTime>) {
        let attributes = self.attributes.len();
        let mut is_sampled = false;
        self.change(|span, core| {
            span.end = span.moment(time, core);
            span.attributes = attributes;
            is_sampled = span.flags.is_sampled();
        });
        if is_sampled {
            Core::push(self);
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Whether it can be used again: its span was handed over, and it holds little.
    pub(crate) fn is_spare(&self) -> bool {
        self.span.is_none() && self.attributes.capacity() <= MOST_KEPT
    }
}

impl Ended {
    fn moment(&self, told: Option<SystemTime>, core: &Core) -> Moment {
        match (told, self.start) {
            (Some(told), _) => Moment::Told(told),
            (None, Moment::Counted(_)) => core.clock.now(),
            // Who told the start has a clock of their own.
            (None, Moment::Told(_)) => Moment::Told(SystemTime::now()),
        }
    }

    /// Room for so many attributes, with those of the place in source.
    fn most_attributes(&self, limits: &SpanLimits) -> usize {
        match self.origin.site() {
            Some(_) => limits.attributes.saturating_sub(Site::CODE_KEYS.len()),
            None => limits.attributes,
        }
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

impl backend::Record for Record {
    #[inline]
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
