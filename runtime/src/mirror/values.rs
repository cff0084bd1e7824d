//! Attributes as the fields of a mirror.

use std::array;
use std::fmt::Write as _;

use opentelemetry::{KeyValue, Value as OtelValue};
use tracing_core::Field;
use tracing_core::field::{self, DisplayValue, Value, ValueSet};

use crate::mirror::callsite::{Callsite, MOST_FIELDS};

/// A value in a form that `tracing` takes.
enum Place<'a> {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(&'a str),
    List(DisplayValue<&'a OtelValue>),
}

impl<'a> Place<'a> {
    fn of(value: &'a OtelValue) -> Self {
        match value {
            OtelValue::Bool(value) => Place::Bool(*value),
            OtelValue::I64(value) => Place::I64(*value),
            OtelValue::F64(value) => Place::F64(*value),
            OtelValue::String(value) => Place::Text(value.as_str()),
            list => Place::List(field::display(list)),
        }
    }

    fn value(&self) -> &dyn Value {
        match self {
            Place::Bool(value) => value,
            Place::I64(value) => value,
            Place::F64(value) => value,
            Place::Text(value) => value,
            Place::List(value) => value,
        }
    }
}

type Values<'a, const N: usize> = [(&'a Field, Option<&'a dyn Value>); N];

/// Most spans have no more fields than this.
const FEW: usize = 8;

/// Hands out what a span says at its start.
pub(crate) fn of_start<R>(
    callsite: &Callsite,
    name: Option<&str>,
    attributes: &[KeyValue],
    take: &mut dyn FnMut(&ValueSet<'_>) -> R,
) -> R {
    let (fields, mut others) = (callsite.fields(), String::new());
    write_others(callsite, attributes, &mut others);
    let texts = (name, &*others);
    let set = callsite.metadata().fields();
    if fields.len() <= FEW {
        let mut places = [const { None }; FEW];
        place(callsite, attributes, texts, &mut places);
        let values: Values<'_, FEW> = array::from_fn(|position| pair(fields, &places, position));
        take(&set.value_set(&values))
    } else {
        let mut places = [const { None }; MOST_FIELDS];
        place(callsite, attributes, texts, &mut places);
        let values: Values<'_, MOST_FIELDS> =
            array::from_fn(|position| pair(fields, &places, position));
        take(&set.value_set(&values))
    }
}

/// The array may be longer than the fields: the rest is the first, without a value.
#[inline(always)]
fn pair<'a>(
    fields: &'a [Field],
    places: &'a [Option<Place<'a>>],
    position: usize,
) -> (&'a Field, Option<&'a dyn Value>) {
    let field = fields.get(position).unwrap_or(&fields[0]);
    (field, places[position].as_ref().map(Place::value))
}

/// Puts each value into the place of its field: the last value of a key holds.
fn place<'a>(
    callsite: &Callsite,
    attributes: &'a [KeyValue],
    (name, others): (Option<&'a str>, &'a str),
    places: &mut [Option<Place<'a>>],
) {
    let mut next = 0;
    for attribute in attributes {
        if let Some(position) = callsite.position(attribute.key.as_str(), next) {
            places[position] = Some(Place::of(&attribute.value));
            next = position + 1;
        }
    }
    places[callsite.name_position()] = name.map(Place::Text);
    if !others.is_empty() {
        places[callsite.attributes_position()] = Some(Place::Text(others));
    }
}

/// Most spans have none.
fn write_others(callsite: &Callsite, attributes: &[KeyValue], others: &mut String) {
    let mut next = 0;
    for attribute in attributes {
        match callsite.position(attribute.key.as_str(), next) {
            Some(position) => next = position + 1,
            None => write_pair(others, attribute.key.as_str(), &attribute.value),
        }
    }
}

/// The same for one that is set later.
pub(crate) fn of_attribute(
    callsite: &Callsite,
    key: &str,
    value: &OtelValue,
    take: &mut dyn FnMut(&ValueSet<'_>),
) {
    let mut other = String::new();
    let (position, place) = match callsite.position(key, 0) {
        Some(position) => (position, Place::of(value)),
        None => {
            write_pair(&mut other, key, value);
            (callsite.attributes_position(), Place::Text(&other))
        }
    };
    one(callsite, position, &place, take);
}

/// The same for another name.
pub(crate) fn of_name(callsite: &Callsite, name: &str, take: &mut dyn FnMut(&ValueSet<'_>)) {
    one(callsite, callsite.name_position(), &Place::Text(name), take);
}

fn one(
    callsite: &Callsite,
    position: usize,
    place: &Place<'_>,
    take: &mut dyn FnMut(&ValueSet<'_>),
) {
    let values: Values<'_, 1> = [(&callsite.fields()[position], Some(place.value()))];
    take(&callsite.metadata().fields().value_set(&values));
}

fn write_pair(text: &mut String, key: &str, value: &OtelValue) {
    if !text.is_empty() {
        text.push(' ');
    }
    // Writing to a `String` does not fail.
    let _ = match value {
        OtelValue::String(value) => write!(text, "{key}={:?}", value.as_str()),
        other => write!(text, "{key}={other}"),
    };
}
