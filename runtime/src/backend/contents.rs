//! What a span of ours holds, made to fit its limits.
//!
//! What does not fit is dropped, or cut, and counted. What says how the span ended has room before anything
//! else: other things give way, the last ones first.

use opentelemetry::KeyValue;
use opentelemetry::trace::Link;

use crate::attribute::limit::SpanLimits;
use crate::backend::ended_span::{Details, EndedSpan, RecordedEvent};
use crate::backend::size;

/// A span with all that it holds, while something is added.
pub(crate) struct Contents<'a> {
    pub(crate) span: &'a mut EndedSpan,
    pub(crate) attributes: &'a mut Vec<KeyValue>,
    /// Bytes that it holds, about, beside itself.
    pub(crate) held: &'a mut usize,
    pub(crate) limits: &'a SpanLimits,
}

/// The event that says how a span ended.
const EXCEPTION: &str = "exception";

/// The attributes that do.
const ENDING: [&str; 2] = ["error.type", "enter_span.outcome"];

impl Contents<'_> {
    /// Sets an attribute: the last value of a key holds.
    pub(crate) fn set(mut self, mut attribute: KeyValue) {
        if let Some(most) = self.limits.text {
            size::shorten(&mut attribute.value, most);
        }
        if ENDING.contains(&attribute.key.as_str()) {
            self.make_room_for(&attribute);
        }
        let known = self.attributes.iter().position(|a| a.key == attribute.key);
        let replaced = known.map_or(0, |known| size::of_known(&self.attributes[known]));
        let held = self.held.saturating_sub(replaced);
        let is_full = known.is_none() && !self.has_place();
        if is_full || !size::fit(&mut attribute, self.limits.bytes.saturating_sub(held)) {
            self.span.dropped_attributes += 1;
            return;
        }
        match known {
            Some(known) => {
                *self.held = held + size::of_known(&attribute);
                self.attributes[known].value = attribute.value;
            }
            None => {
                *self.held = held + size::of_pair(&attribute);
                self.attributes.push(attribute);
            }
        }
    }

    /// Says whether there was room.
    pub(crate) fn add_event(mut self, mut event: RecordedEvent) -> bool {
        let most = self.limits.event_attributes;
        event.dropped_attributes += self.cut(&mut event.attributes, most);
        if event.name == EXCEPTION {
            self.make_room_for_event(&event);
        }
        let room = self.room();
        let events = self.details().events.len();
        let own = size_of::<RecordedEvent>() + size::of_text(&event.name);
        if events >= self.limits.events || own > room {
            self.details().dropped_events += 1;
            return false;
        }
        event.dropped_attributes += fit(&mut event.attributes, room - own);
        *self.held += size::of_event(&event);
        self.details().events.push(event);
        true
    }

    pub(crate) fn add_link(mut self, mut link: Link) {
        let most = self.limits.link_attributes;
        link.dropped_attributes_count += self.cut(&mut link.attributes, most);
        let room = self.room();
        let links = self.details().links.len();
        let own = size_of::<Link>() + size::of_state(link.span_context.trace_state());
        if links >= self.limits.links || own > room {
            self.details().dropped_links += 1;
            return;
        }
        link.dropped_attributes_count += fit(&mut link.attributes, room - own);
        *self.held += size::of_link(&link);
        self.details().links.push(link);
    }

    fn details(&mut self) -> &mut Details {
        self.span.details.get_or_insert_default()
    }

    fn room(&self) -> usize {
        self.limits.bytes.saturating_sub(*self.held)
    }

    fn has_place(&self) -> bool {
        self.attributes.len() < self.span.most_attributes(self.limits)
    }

    /// Leaves so many attributes, with texts that are not too long, and gives how many it has dropped.
    fn cut(&self, attributes: &mut Vec<KeyValue>, most: usize) -> u32 {
        let dropped = attributes.len().saturating_sub(most);
        attributes.truncate(most);
        if let Some(most) = self.limits.text {
            let values = attributes.iter_mut().map(|attribute| &mut attribute.value);
            values.for_each(|value| size::shorten(value, most));
        }
        dropped as u32
    }

    fn make_room_for(&mut self, attribute: &KeyValue) {
        let is_known = self.attributes.iter().any(|a| a.key == attribute.key);
        while !is_known && !self.has_place() && self.give_up_place() {}
        self.make_room(size::of_pair(attribute));
    }

    fn make_room_for_event(&mut self, event: &RecordedEvent) {
        while self.details().events.len() >= self.limits.events && self.give_up_event() {}
        self.make_room(size::of_event(event));
    }

    /// No more than half of all: what is larger is cut to that.
    fn make_room(&mut self, bytes: usize) {
        let bytes = bytes.min(self.limits.bytes / 2);
        while self.room() < bytes && self.give_up_something() {}
    }

    fn give_up_something(&mut self) -> bool {
        self.give_up_event() || self.give_up_link() || self.give_up_attribute()
    }

    /// Gives up the place of an attribute, at last one of the place in source.
    fn give_up_place(&mut self) -> bool {
        if self.give_up_attribute() {
            return true;
        }
        let has_code = self.span.code > 0;
        if has_code {
            self.span.code -= 1;
            self.span.dropped_attributes += 1;
        }
        has_code
    }

    fn give_up_attribute(&mut self) -> bool {
        let is_other = |a: &KeyValue| !ENDING.contains(&a.key.as_str());
        let Some(last) = self.attributes.iter().rposition(is_other) else {
            return false;
        };
        let given_up = self.attributes.remove(last);
        *self.held = self.held.saturating_sub(size::of_known(&given_up));
        self.span.dropped_attributes += 1;
        true
    }

    fn give_up_event(&mut self) -> bool {
        let details = self.details();
        let is_other = |event: &RecordedEvent| event.name != EXCEPTION;
        let Some(last) = details.events.iter().rposition(is_other) else {
            return false;
        };
        let given_up = details.events.remove(last);
        details.dropped_events += 1;
        *self.held = self.held.saturating_sub(size::of_event(&given_up));
        true
    }

    fn give_up_link(&mut self) -> bool {
        let details = self.details();
        let Some(given_up) = details.links.pop() else {
            return false;
        };
        details.dropped_links += 1;
        *self.held = self.held.saturating_sub(size::of_link(&given_up));
        true
    }
}

/// Leaves what fits into so many bytes, and gives how many attributes that were not.
fn fit(attributes: &mut Vec<KeyValue>, mut room: usize) -> u32 {
    let before = attributes.len();
    attributes.retain_mut(|attribute| {
        let fits = size::fit(attribute, room);
        if fits {
            room = room.saturating_sub(size::of_pair(attribute));
        }
        fits
    });
    size::trim(attributes);
    (before - attributes.len()) as u32
}
