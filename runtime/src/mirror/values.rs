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
    let mut places: [Option<Place<'_>>; MOST_FIELDS] = [const { None }; MOST_FIELDS];
    let mut others = String::new();
    for attribute in attributes {
        match callsite.position(attribute.key.as_str()) {
            Some(position) => places[position] = Some(Place::of(&attribute.value)),
            None => write_pair(&mut others, attribute.key.as_str(), &attribute.value),
        }
    }
    places[callsite.name_position()] = name.map(Place::Text);
    if !others.is_empty() {
        places[callsite.attributes_position()] = Some(Place::Text(&others));
    }
    let fields = callsite.fields();
    let value = |position: usize| {
        // The array is longer than the fields: the rest is the first, without a value.
        let field = fields.get(position).unwrap_or(&fields[0]);
        (field, places[position].as_ref().map(Place::value))
    };
    let fields = callsite.metadata().fields();
    if fields.len() <= FEW {
        let values: Values<'_, FEW> = array::from_fn(value);
        take(&fields.value_set(&values))
    } else {
        let values: Values<'_, MOST_FIELDS> = array::from_fn(value);
        take(&fields.value_set(&values))
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
    let (position, place) = match callsite.position(key) {
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
