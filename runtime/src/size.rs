//! How much attributes hold, about, and how they are made to fit.

use std::borrow::Cow;
use std::mem;

use opentelemetry::trace::TraceState;
use opentelemetry::{Array, KeyValue, StringValue, Value};

use crate::value::Scalar;

/// What becomes the value of an attribute.
pub(crate) trait Content: Into<Value> {
    /// Bytes that it holds, about, beside itself.
    fn held(&self) -> usize;
}

impl Content for Value {
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

impl Content for &'static str {
    #[inline]
    fn held(&self) -> usize {
        self.len()
    }
}

#[inline]
pub(crate) fn of_pair(pair: &KeyValue) -> usize {
    of_parts(pair.key.as_str(), &pair.value)
}

#[inline]
pub(crate) fn of_parts(key: &str, value: &impl Content) -> usize {
    mem::size_of::<KeyValue>() + key.len() + value.held()
}

#[inline]
fn of_value(value: &Value) -> usize {
    let text = mem::size_of::<StringValue>();
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(list)) => list.len(),
        Value::Array(Array::I64(list)) => 8 * list.len(),
        Value::Array(Array::F64(list)) => 8 * list.len(),
        Value::Array(Array::String(list)) => list.iter().map(|one| text + one.as_str().len()).sum(),
        _ => 0,
    }
}

/// A trace state comes from remote callers. Most spans have none.
pub(crate) fn of_state(state: &TraceState) -> usize {
    match *state == TraceState::NONE {
        true => 0,
        false => state.header().len(),
    }
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
    let of_text = match &attribute.value {
        Value::String(text) => text.as_str().len(),
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

/// Bytes below which the rest of a text says nothing.
const SHORTEST: usize = 16;

fn cut(value: &mut Value, most: usize) {
    if let Value::String(text) = value {
        *value = Value::from(head(text.as_str(), most).to_owned());
    }
}

/// A text that is no attribute: of one that holds more than so many bytes, the head.
#[inline]
pub(crate) fn bound(text: Cow<'static, str>, most: usize) -> Cow<'static, str> {
    match text.len() <= most {
        true => text,
        false => Cow::Owned(head(&text, most).to_owned()),
    }
}

fn head(text: &str, most: usize) -> &str {
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
