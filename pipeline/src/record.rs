//! A span while it is recorded, and on its way to the exporter: one box, which is handed over by
//! pointer, emptied by the worker, and used again.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use enter_span::backend::{self, Library, Site};
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::clock::{Moment, Reading};
use crate::core::Core;
use crate::limit::SpanLimits;
use crate::size;

/// Handed over by pointer, and never copied.
pub(crate) type Records = Vec<Box<Record>>;

pub(crate) struct Record {
    /// Whose it is, until it ends.
    core: Option<Arc<Core>>,
    identity: SpanContext,
    parent: SpanId,
    parent_is_remote: bool,
    kind: SpanKind,
    name: Cow<'static, str>,
    origin: Origin,
    start: Moment,
    end: Moment,
    attributes: Vec<KeyValue>,
    dropped_attributes: u32,
    events: Vec<Happened>,
    dropped_events: u32,
    links: Vec<Link>,
    dropped_links: u32,
    status: Status,
    /// What it holds beside itself, about.
    held: usize,
    /// What it is counted with while it waits.
    pub(crate) bytes: usize,
}

/// Who made a span, and where.
pub(crate) enum Origin {
    Site(&'static Site, Cow<'static, Library>),
    Scope(Arc<InstrumentationScope>),
}

/// What is known of a span when it starts.
pub(crate) struct Beginning {
    pub(crate) identity: SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) origin: Origin,
    pub(crate) start: Moment,
}

struct Happened {
    name: Cow<'static, str>,
    moment: Moment,
    attributes: Vec<KeyValue>,
    dropped_attributes: u32,
}

impl Origin {
    fn scope(&self) -> InstrumentationScope {
        match self {
            Origin::Site(_, library) => library.scope(),
            Origin::Scope(scope) => (**scope).clone(),
        }
    }

    /// The attributes that the worker writes for the place in source.
    fn site(&self) -> Option<&'static Site> {
        match self {
            Origin::Site(site, _) => site.place().is_some().then_some(site),
            Origin::Scope(_) => None,
        }
    }
}

impl Record {
    /// In a box that was used before, if there is one.
    pub(crate) fn begin(core: &Arc<Core>, mut beginning: Beginning) -> Box<Self> {
        beginning.name = size::bound(beginning.name, core.limits.bytes / 2);
        match core.queue.spare() {
            Some(mut record) => {
                record.reuse(core, beginning);
                record
            }
            None => Box::new(Record::new(core, beginning)),
        }
    }

    fn new(core: &Arc<Core>, beginning: Beginning) -> Self {
        Record {
            core: Some(Arc::clone(core)),
            held: beginning.held(),
            identity: beginning.identity,
            parent: beginning.parent,
            parent_is_remote: beginning.parent_is_remote,
            kind: beginning.kind,
            name: beginning.name,
            origin: beginning.origin,
            start: beginning.start,
            end: beginning.start,
            attributes: Vec::new(),
            dropped_attributes: 0,
            events: Vec::new(),
            dropped_events: 0,
            links: Vec::new(),
            dropped_links: 0,
            status: Status::Unset,
            bytes: 0,
        }
    }

    /// What is not written here, `take_data` has emptied.
    fn reuse(&mut self, core: &Arc<Core>, beginning: Beginning) {
        self.core = Some(Arc::clone(core));
        self.held = beginning.held();
        self.identity = beginning.identity;
        self.parent = beginning.parent;
        self.parent_is_remote = beginning.parent_is_remote;
        self.kind = beginning.kind;
        self.name = beginning.name;
        self.origin = beginning.origin;
        self.start = beginning.start;
        self.end = beginning.start;
    }

    fn limits(&self) -> SpanLimits {
        self.core
            .as_ref()
            .map_or_else(SpanLimits::default, |core| core.limits)
    }

    fn moment(&self, told: Option<SystemTime>) -> Moment {
        match (told, self.start, &self.core) {
            (Some(told), ..) => Moment::Told(told),
            (None, Moment::Counted(_), Some(core)) => core.clock.now(),
            // Who told the start has a clock of their own.
            (None, ..) => Moment::Told(SystemTime::now()),
        }
    }

    /// Room for so many attributes, with those of the place in source.
    fn most_attributes(&self, limits: &SpanLimits) -> usize {
        match self.origin.site() {
            Some(_) => limits.attributes.saturating_sub(Site::CODE_KEYS.len()),
            None => limits.attributes,
        }
    }

    /// The specification's upsert: the last value of a key holds.
    pub(crate) fn set_attribute(&mut self, mut attribute: KeyValue) {
        let limits = self.limits();
        if let Some(most) = limits.text {
            size::shorten(&mut attribute.value, most);
        }
        let known = self.attributes.iter().position(|a| a.key == attribute.key);
        let replaced = known.map_or(0, |known| size::of_pair(&self.attributes[known]));
        let room = limits.bytes.saturating_sub(self.held - replaced);
        let is_full = known.is_none() && self.attributes.len() >= self.most_attributes(&limits);
        if is_full || !size::fit(&mut attribute, room) {
            self.dropped_attributes += 1;
            return;
        }
        self.held = self.held - replaced + size::of_pair(&attribute);
        match known {
            Some(known) => self.attributes[known].value = attribute.value,
            None => self.attributes.push(attribute),
        }
    }

    fn is_of_place(&self, key: &str) -> bool {
        key.starts_with("code.") && self.origin.site().is_some() && Site::CODE_KEYS.contains(&key)
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        mut attributes: Vec<KeyValue>,
    ) {
        let limits = self.limits();
        let own = mem::size_of::<Event>() + name.len();
        if self.events.len() >= limits.events || self.held + own > limits.bytes {
            self.dropped_events += 1;
            return;
        }
        self.held += own;
        let dropped_attributes = self.cut(&mut attributes, limits.event_attributes, &limits);
        self.events.push(Happened {
            name,
            moment: self.moment(time),
            attributes,
            dropped_attributes,
        });
    }

    pub(crate) fn add_link(&mut self, mut link: Link) {
        let limits = self.limits();
        let own = mem::size_of::<Link>() + size::of_identity(&link.span_context);
        if self.links.len() >= limits.links || self.held + own > limits.bytes {
            self.dropped_links += 1;
            return;
        }
        self.held += own;
        link.dropped_attributes_count +=
            self.cut(&mut link.attributes, limits.link_attributes, &limits);
        self.links.push(link);
    }

    /// Leaves what fits, and gives how many that were not.
    fn cut(&mut self, attributes: &mut Vec<KeyValue>, most: usize, limits: &SpanLimits) -> u32 {
        let before = attributes.len();
        attributes.truncate(most);
        attributes.retain_mut(|attribute| {
            if let Some(most) = limits.text {
                size::shorten(&mut attribute.value, most);
            }
            let fits = size::fit(attribute, limits.bytes.saturating_sub(self.held));
            if fits {
                self.held += size::of_pair(attribute);
            }
            fits
        });
        (before - attributes.len()) as u32
    }

    pub(crate) fn set_name(&mut self, name: Cow<'static, str>) {
        let name = size::bound(name, self.limits().bytes / 2);
        self.held = (self.held + name.len()).saturating_sub(self.name.len());
        self.name = name;
    }

    /// An error does not replace `Ok`, which is the operator's word; else the last call holds.
    pub(crate) fn set_status(&mut self, status: Status) {
        if self.status == Status::Ok || status == Status::Unset {
            return;
        }
        self.status = match status {
            Status::Error { description } => Status::Error {
                description: size::bound(description, self.limits().bytes / 2),
            },
            other => other,
        };
    }

    /// Hands it over. One that is recorded and not sampled goes nowhere.
    pub(crate) fn finish(mut self: Box<Self>, time: Option<SystemTime>) {
        self.end = self.moment(time);
        let Some(core) = self.core.take() else {
            return;
        };
        if self.identity.is_sampled() {
            core.queue.push(self);
        }
    }

    /// About how much memory it holds, itself included.
    pub(crate) fn measure(&mut self) -> usize {
        let description = match &self.status {
            Status::Error { description } => description.len(),
            Status::Unset | Status::Ok => 0,
        };
        let spare = self.attributes.capacity() - self.attributes.len();
        let spare = spare * mem::size_of::<KeyValue>();
        self.bytes = mem::size_of::<Record>() + self.held + description + spare;
        self.bytes
    }

    /// Empties it for its next use. The list of attributes keeps its room here, and the exporter gets
    /// one that its own thread has made.
    pub(crate) fn take_data(&mut self, reading: &Reading) -> SpanData {
        let start_time = reading.tell(self.start);
        SpanData {
            span_context: mem::replace(&mut self.identity, SpanContext::NONE),
            parent_span_id: self.parent,
            parent_span_is_remote: self.parent_is_remote,
            span_kind: self.kind.clone(),
            name: mem::take(&mut self.name),
            start_time,
            // Never before its start, also where its maker says so.
            end_time: reading.tell(self.end).max(start_time),
            attributes: self.take_attributes(),
            dropped_attributes_count: mem::take(&mut self.dropped_attributes),
            events: self.take_events(reading),
            links: self.take_links(),
            status: mem::take(&mut self.status),
            instrumentation_scope: self.origin.scope(),
        }
    }

    fn take_attributes(&mut self) -> Vec<KeyValue> {
        let code = self.origin.site().and_then(Site::code);
        let code = code.into_iter().flatten();
        let room = self.attributes.len() + Site::CODE_KEYS.len();
        let mut attributes = Vec::with_capacity(room);
        attributes.append(&mut self.attributes);
        attributes.extend(code);
        if self.attributes.capacity() > MOST_KEPT {
            self.attributes = Vec::new();
        }
        attributes
    }

    fn take_events(&mut self, reading: &Reading) -> SpanEvents {
        let events = mem::take(&mut self.events).into_iter().map(|event| {
            let time = reading.tell(event.moment);
            Event::new(event.name, time, event.attributes, event.dropped_attributes)
        });
        let mut taken = SpanEvents::default();
        taken.events = events.collect();
        taken.dropped_count = mem::take(&mut self.dropped_events);
        taken
    }

    fn take_links(&mut self) -> SpanLinks {
        let mut taken = SpanLinks::default();
        taken.links = mem::take(&mut self.links);
        taken.dropped_count = mem::take(&mut self.dropped_links);
        taken
    }
}

/// Attributes that an empty record keeps its room for.
const MOST_KEPT: usize = 16;

impl Beginning {
    fn held(&self) -> usize {
        self.name.len() + size::of_identity(&self.identity)
    }
}

impl backend::Record for Record {
    fn set_attribute(&mut self, attribute: KeyValue) {
        if !self.is_of_place(attribute.key.as_str()) {
            Record::set_attribute(self, attribute);
        }
    }

    fn set_default(&mut self, key: &'static str, value: Value) {
        if self.is_of_place(key) || self.attributes.iter().any(|a| a.key.as_str() == key) {
            return;
        }
        let limits = self.limits();
        if self.attributes.len() >= self.most_attributes(&limits) && self.attributes.pop().is_some()
        {
            self.dropped_attributes += 1;
        }
        Record::set_attribute(self, KeyValue::new(key, value));
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
