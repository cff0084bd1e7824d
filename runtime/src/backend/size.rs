//! How much memory what a span says takes, about, and how it is made to fit.
//!
//! It counts what an allocator gives, not what is requested: small texts take more than their length. The
//! model is glibc's: steps of 16 bytes, at least 32. A text that uses less than half of its capacity is copied
//! and not shrunk in place: the rest would be a hole that the next text of that size does not fit into.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use opentelemetry::trace::{Link, TraceState};
use opentelemetry::{Array, InstrumentationScope, Key, KeyValue, StringValue, Value};

use crate::attribute::value::Scalar;
use crate::backend::ended_span::{Details, EndedSpan, RecordedEvent, SpanSource};

/// What becomes the value of an attribute.
pub(crate) trait Content: Clone + Into<Value> {
    /// Bytes that it takes beside itself.
    fn held(&self) -> usize;

    /// A text that may be allocated.
    #[cfg(feature = "tracing")]
    #[inline]
    fn owned_text(&self) -> Option<&str> {
        None
    }
}

impl Content for Value {
    #[cfg(feature = "tracing")]
    #[inline]
    fn owned_text(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    #[inline]
    fn held(&self) -> usize {
        of_value(self)
    }
}

impl Content for Scalar {
    #[inline]
    fn held(&self) -> usize {
        0
    }
}

/// Counted as if it were owned, since a value does not tell what it was.
impl Content for &'static str {
    #[inline]
    fn held(&self) -> usize {
        allocated(self.len())
    }
}

/// What becomes the key of an attribute.
pub(crate) trait Name: AsRef<str> + Clone + Into<Key> {
    /// Bytes that it takes beside itself.
    fn held(&self) -> usize;
}

impl Name for &'static str {
    #[inline]
    fn held(&self) -> usize {
        0
    }
}

impl Name for Cow<'static, str> {
    #[inline]
    fn held(&self) -> usize {
        of_text(self)
    }
}

/// It does not tell whether it is owned.
impl Name for Key {
    #[inline]
    fn held(&self) -> usize {
        allocated(self.as_str().len())
    }
}

/// What an allocator takes for so many bytes: a word beside them, in steps of two, and no less than four.
#[inline]
pub(crate) fn allocated(bytes: usize) -> usize {
    const WORD: usize = size_of::<u64>();
    match bytes {
        0 => 0,
        _ => (bytes.saturating_add(3 * WORD - 1) & !(2 * WORD - 1)).max(4 * WORD),
    }
}

#[inline]
fn of_list<T>(list: &Vec<T>) -> usize {
    allocated(list.capacity() * size_of::<T>())
}

#[inline]
pub(crate) fn of_pair(pair: &KeyValue) -> usize {
    of_new(&pair.key, &pair.value)
}

#[inline]
pub(crate) fn of_new(key: &impl Name, value: &impl Content) -> usize {
    size_of::<KeyValue>() + key.held() + value.held()
}

/// Of one that is there, without its key: what that was counted with is not known any more.
pub(crate) fn of_known(pair: &KeyValue) -> usize {
    size_of::<KeyValue>() + of_value(&pair.value)
}

#[inline]
fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => allocated(text.as_str().len()),
        Value::Array(array) => of_array(array),
        _ => 0,
    }
}

fn of_array(array: &Array) -> usize {
    match array {
        Array::Bool(list) => of_list(list),
        Array::I64(list) => of_list(list),
        Array::F64(list) => of_list(list),
        Array::String(list) => {
            let texts = list.iter().map(|one| allocated(one.as_str().len()));
            of_list(list) + texts.sum::<usize>()
        }
        _ => 0,
    }
}

#[expect(clippy::ptr_arg, reason = "an owned one is asked for its capacity")]
#[inline]
pub(crate) fn of_text(text: &Cow<'static, str>) -> usize {
    match text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => allocated(text.capacity()),
    }
}

fn of_attributes(list: &Vec<KeyValue>) -> usize {
    let contents = list
        .iter()
        .map(|pair| of_pair(pair) - size_of::<KeyValue>());
    of_list(list) + contents.sum::<usize>()
}

pub(crate) fn of_event(event: &RecordedEvent) -> usize {
    size_of::<RecordedEvent>() + of_text(&event.name) + of_attributes(&event.attributes)
}

pub(crate) fn of_link(link: &Link) -> usize {
    let state = of_state(link.span_context.trace_state());
    size_of::<Link>() + state + of_attributes(&link.attributes)
}

/// A trace state comes from remote callers. Most spans have none.
pub(crate) fn of_state(state: &TraceState) -> usize {
    let texts = |(key, value): (&str, &str)| allocated(key.len()) + allocated(value.len());
    let members = state.into_iter();
    allocated(members.len() * size_of::<(String, String)>()) + members.map(texts).sum::<usize>()
}

/// Most spans have no library of their own.
#[inline]
pub(crate) fn of_origin(source: &SpanSource) -> usize {
    match source {
        SpanSource::Site(_) => 0,
        other => of_rare_origin(other),
    }
}

fn of_rare_origin(source: &SpanSource) -> usize {
    match source {
        SpanSource::Site(_) | SpanSource::Unknown => 0,
        SpanSource::Library(both) => {
            let library = &both.1;
            let version = library.version.as_ref().map_or(0, of_text);
            allocated(size_of_val(&**both)) + of_text(&library.name) + version
        }
        // What spans share with a tracer that lives long is counted with the first of them.
        SpanSource::Scope(scope) if Arc::strong_count(scope) > 2 => 0,
        SpanSource::Scope(scope) => of_scope(scope),
    }
}

fn of_scope(scope: &Arc<InstrumentationScope>) -> usize {
    const COUNTS: usize = 2 * size_of::<usize>();
    let texts = [Some(scope.name()), scope.version(), scope.schema_url()];
    let texts = texts
        .into_iter()
        .flatten()
        .map(|text| allocated(text.len()));
    let attributes = scope.attributes().map(of_pair);
    allocated(COUNTS + size_of::<InstrumentationScope>())
        + texts.sum::<usize>()
        + attributes.sum::<usize>()
}

/// About how much memory a span takes with so many bytes that it holds, and a sixth on top: lists have room to
/// spare, and allocators round up.
#[inline]
pub(crate) fn of_span(span: &EndedSpan, held: usize) -> usize {
    let beside = span.details.as_deref().map_or(0, of_details);
    let bytes = size_of::<EndedSpan>() + beside + held;
    bytes + bytes / 6
}

/// Of what few spans have, beside what is counted when it comes: the box, its description, and the room that
/// its lists have to spare.
pub(crate) fn of_details(details: &Details) -> usize {
    let events = of_list(&details.events) - details.events.len() * size_of::<RecordedEvent>();
    let links = of_list(&details.links) - details.links.len() * size_of::<Link>();
    allocated(size_of::<Details>()) + of_text(&details.description) + events + links
}

/// Cuts texts after so many characters.
pub(crate) fn shorten(value: &mut Value, most: usize) {
    let shorten = |text: &mut StringValue| {
        let cut = text.as_str().char_indices().nth(most);
        if let Some((end, _)) = cut {
            *text = StringValue::from(text.as_str()[..end].to_owned());
        }
    };
    match value {
        Value::String(text) => shorten(text),
        Value::Array(Array::String(list)) => list.iter_mut().for_each(shorten),
        _ => {}
    }
}

/// Whether an attribute fits into so many bytes. A text that does not is cut, to half of them, so that
/// smaller ones still fit.
#[inline]
pub(crate) fn fit(attribute: &mut KeyValue, room: usize) -> bool {
    if of_pair(attribute) <= room {
        return true;
    }
    let of_text = match &mut attribute.value {
        Value::String(text) => text.as_str().len(),
        Value::Array(array) => {
            trim_array(array);
            return of_pair(attribute) <= room;
        }
        _ => return false,
    };
    let beside = of_pair(attribute) - of_text;
    match (room / 2).checked_sub(beside) {
        Some(most) if most >= SHORTEST => {
            cut(&mut attribute.value, most);
            true
        }
        _ => false,
    }
}

/// Bytes below which the rest of a text is not worth keeping.
const SHORTEST: usize = 16;

fn cut(value: &mut Value, most: usize) {
    if let Value::String(text) = value {
        *value = Value::from(head(text.as_str(), most).to_owned());
    }
}

/// A text that is no attribute, in memory of about its size, and what that is: of one that takes more than
/// so many bytes, the head.
#[inline]
pub(crate) fn bound(text: Cow<'static, str>, most: usize) -> (Cow<'static, str>, usize) {
    match text {
        Cow::Borrowed(text) if text.len() <= most => (Cow::Borrowed(text), 0),
        text => bound_owned(text, most),
    }
}

fn bound_owned(text: Cow<'static, str>, most: usize) -> (Cow<'static, str>, usize) {
    let text = match &text {
        _ if text.len() > most => Cow::Owned(head(&text, most).to_owned()),
        // By a copy: what is cut off in place stays between others, where little fits in.
        Cow::Owned(owned)
            if owned.capacity() > most || is_roomy(owned.as_bytes(), owned.capacity()) =>
        {
            Cow::Owned(owned.as_str().to_owned())
        }
        _ => text,
    };
    let bytes = of_text(&text);
    (text, bytes)
}

/// The same for a list.
pub(crate) fn trim<T>(list: &mut Vec<T>) {
    if is_roomy(list, list.capacity()) {
        let whole = mem::take(list);
        list.reserve_exact(whole.len());
        list.extend(whole);
    }
}

fn trim_array(array: &mut Array) {
    match array {
        Array::Bool(list) => trim(list),
        Array::I64(list) => trim(list),
        Array::F64(list) => trim(list),
        Array::String(list) => trim(list),
        _ => {}
    }
}

/// Whether more than half is not used, and worth a copy.
fn is_roomy<T>(used: &[T], capacity: usize) -> bool {
    const WORTH: usize = 64;
    let spare = capacity - used.len();
    spare > used.len() && spare * size_of::<T>() > WORTH
}

fn head(text: &str, most: usize) -> &str {
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
