//! A span while it is recorded, and on its way to the exporter: one box, which is handed over.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::clock::Clock;
use crate::limit::SpanLimits;

/// Handed over by pointer, and never copied.
pub(crate) type Records = Vec<Box<Record>>;

pub(crate) struct Record {
    pub(crate) identity: SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) clock: Clock,
    pub(crate) end: SystemTime,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) dropped_attributes: u32,
    pub(crate) events: SpanEvents,
    pub(crate) links: SpanLinks,
    pub(crate) status: Status,
    pub(crate) scope: Arc<InstrumentationScope>,
    /// What it is counted with while it waits.
    pub(crate) bytes: usize,
}

impl Record {
    /// The specification's upsert: the last value of a key holds.
    pub(crate) fn set_attribute(&mut self, mut attribute: KeyValue, limits: &SpanLimits) {
        if let Some(most) = limits.text {
            shorten(&mut attribute.value, most);
        }
        let known = self.attributes.iter().position(|a| a.key == attribute.key);
        match known {
            Some(known) => self.attributes[known].value = attribute.value,
            None if self.attributes.len() < limits.attributes => {
                self.attributes.push(attribute);
            }
            None => self.dropped_attributes += 1,
        }
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: SystemTime,
        mut attributes: Vec<KeyValue>,
        limits: &SpanLimits,
    ) {
        if self.events.events.len() >= limits.events {
            self.events.dropped_count += 1;
            return;
        }
        let dropped = cut(&mut attributes, limits.event_attributes);
        let event = Event::new(name, time, attributes, dropped);
        self.events.events.push(event);
    }

    pub(crate) fn add_link(&mut self, mut link: Link, limits: &SpanLimits) {
        if self.links.links.len() >= limits.links {
            self.links.dropped_count += 1;
            return;
        }
        link.dropped_attributes_count += cut(&mut link.attributes, limits.link_attributes);
        self.links.links.push(link);
    }

    /// An error does not replace `Ok`, which is the operator's word; else the last call holds.
    pub(crate) fn set_status(&mut self, status: Status) {
        if self.status != Status::Ok && status != Status::Unset {
            self.status = status;
        }
    }

    /// About how much memory it holds, itself included.
    pub(crate) fn measure(&mut self) -> usize {
        let pairs = |list: &[KeyValue]| list.iter().map(pair).sum::<usize>();
        let events = self.events.events.iter();
        let events = events
            .map(|event| mem::size_of::<Event>() + event.name.len() + pairs(&event.attributes));
        let links = self.links.links.iter();
        let links = links.map(|link| {
            mem::size_of::<Link>() + state(&link.span_context) + pairs(&link.attributes)
        });
        let spare = self.attributes.capacity() - self.attributes.len();
        let lists = events.sum::<usize>() + links.sum::<usize>() + pairs(&self.attributes);
        let description = match &self.status {
            Status::Error { description } => description.len(),
            Status::Unset | Status::Ok => 0,
        };
        let texts = self.name.len() + description + state(&self.identity);
        let spare = spare * mem::size_of::<KeyValue>();
        self.bytes = mem::size_of::<Record>() + texts + lists + spare;
        self.bytes
    }

    /// Empties it for its next use. The list of attributes keeps its room here, and the exporter gets
    /// one that its own thread has made.
    pub(crate) fn take_data(&mut self) -> SpanData {
        SpanData {
            span_context: mem::replace(&mut self.identity, SpanContext::NONE),
            parent_span_id: self.parent,
            parent_span_is_remote: self.parent_is_remote,
            span_kind: self.kind.clone(),
            name: mem::take(&mut self.name),
            start_time: self.clock.start(),
            end_time: self.end,
            attributes: match self.attributes.capacity() {
                0..=MOST_KEPT => self.attributes.drain(..).collect(),
                _ => mem::take(&mut self.attributes),
            },
            dropped_attributes_count: mem::take(&mut self.dropped_attributes),
            events: mem::take(&mut self.events),
            links: mem::take(&mut self.links),
            status: mem::take(&mut self.status),
            instrumentation_scope: (*self.scope).clone(),
        }
    }
}

/// Attributes that an empty record keeps its room for.
const MOST_KEPT: usize = 16;

/// A trace state comes from remote callers. Most spans have none.
fn state(identity: &SpanContext) -> usize {
    match identity.trace_state() {
        none if *none == TraceState::NONE => 0,
        state => state.header().len(),
    }
}

/// Cuts texts after so many characters.
fn shorten(value: &mut Value, most: usize) {
    let short = |text: &StringValue| {
        let (end, _) = text.as_str().char_indices().nth(most)?;
        Some(StringValue::from(text.as_str()[..end].to_owned()))
    };
    match value {
        Value::String(text) => {
            if let Some(cut) = short(text) {
                *text = cut;
            }
        }
        Value::Array(Array::String(list)) => {
            for text in list {
                if let Some(cut) = short(text) {
                    *text = cut;
                }
            }
        }
        _ => {}
    }
}

/// Gives how many were cut off.
fn cut(attributes: &mut Vec<KeyValue>, most: usize) -> u32 {
    let over = attributes.len().saturating_sub(most);
    attributes.truncate(most);
    over as u32
}

fn pair(pair: &KeyValue) -> usize {
    let strings = |list: &[StringValue]| list.iter().map(|text| 24 + text.as_str().len()).sum();
    let value = match &pair.value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(list)) => list.len(),
        Value::Array(Array::I64(list)) => 8 * list.len(),
        Value::Array(Array::F64(list)) => 8 * list.len(),
        Value::Array(Array::String(list)) => strings(list),
        _ => 0,
    };
    mem::size_of::<KeyValue>() + pair.key.as_str().len() + value
}
