//! What is written while spans run: plain data, in the order of their starts.

use std::time::SystemTime;

use opentelemetry::KeyValue;

use crate::attribute::value::Value;
use crate::context::identity::SpanContext;
use crate::span::handle::Status;

/// All that a recorder has seen.
#[derive(Clone, Default)]
pub(super) struct Record {
    pub(super) entries: Vec<Entry>,
    pub(super) orphans: Vec<String>,
    /// A leaf, and what was called below it.
    pub(super) hidden: Vec<(&'static str, String)>,
}

/// A span in the record.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) library: (String, Option<String>),
    pub(super) identity: SpanContext,
    pub(super) parent: SpanContext,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) events: Vec<Event>,
    pub(super) links: Vec<SpanContext>,
    pub(super) status: Status,
    pub(super) start: SystemTime,
    pub(super) end: Option<SystemTime>,
}

/// An event of a recorded span.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) name: String,
    pub(super) attributes: Vec<KeyValue>,
}

impl Entry {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match &self
            .attributes
            .iter()
            .find(|a| a.key.as_str() == key)?
            .value
        {
            opentelemetry::Value::String(text) => Some(text.as_str()),
            _ => None,
        }
    }
}

pub(super) fn find(attributes: &[KeyValue], key: &str) -> Option<Value> {
    let found = attributes.iter().find(|a| a.key.as_str() == key)?;
    Some(Value(found.value.clone()))
}

impl Event {
    /// The event's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An attribute of the event.
    pub fn attribute(&self, key: &str) -> Option<Value> {
        find(&self.attributes, key)
    }
}
