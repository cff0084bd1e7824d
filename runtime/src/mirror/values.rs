//! Attributes as the fields of a mirror.

use std::array;
use std::fmt::Write as _;

use opentelemetry::Value as OtelValue;
use tracing_core::Field;
use tracing_core::field::{Value, ValueSet};

use crate::mirror::callsite::{Callsite, MOST_FIELDS};
use crate::mirror::kept_attributes::KeptAttributes;
use crate::mirror::place::Place;

type Values<'a, const N: usize> = [(&'a Field, Option<&'a dyn Value>); N];

/// Hands out what a span says at its start, in an array that it fits into: most say little.
pub(crate) fn of_start<R>(
    callsite: &Callsite,
    name: Option<&str>,
    attributes: &KeptAttributes,
    take: &mut dyn FnMut(&ValueSet<'_>) -> R,
) -> R {
    let set = callsite.metadata().fields();
    let start = Start {
        callsite,
        name,
        attributes,
    };
    // Beside the attributes, the name and those that have no field.
    match attributes.len() + 2 {
        2 | 3 if name.is_none() => start.with_one(take),
        ..=4 => start.with::<4, R>(&mut |values| take(&set.value_set(values))),
        5..=8 => start.with::<8, R>(&mut |values| take(&set.value_set(values))),
        _ => start.with::<MOST_FIELDS, R>(&mut |values| take(&set.value_set(values))),
    }
}

struct Start<'a> {
    callsite: &'a Callsite,
    name: Option<&'a str>,
    attributes: &'a KeptAttributes,
}

impl Start<'_> {
    /// For one attribute or none.
    #[inline]
    fn with_one<R>(&self, take: &mut dyn FnMut(&ValueSet<'_>) -> R) -> R {
        match self.attributes.first() {
            Some((key, place)) => of_pair(self.callsite, key, place, take),
            None => take(&self.callsite.metadata().fields().value_set(&[])),
        }
    }

    #[inline]
    fn with<const N: usize, R>(&self, take: &mut dyn FnMut(&Values<'_, N>) -> R) -> R {
        let callsite = self.callsite;
        let mut others = String::new();
        let mut positions = [0; N];
        let mut places = [const { Place::Bool(false) }; N];
        let mut used = 0;
        let mut next = 0;
        self.attributes.each(|key, place| {
            // Two places are left for the rest.
            match callsite.position(key, next).filter(|_| used + 2 < N) {
                Some(position) => {
                    (positions[used], places[used]) = (position, place);
                    (used, next) = (used + 1, position + 1);
                }
                None => write_pair(&mut others, key, &place),
            }
        });
        if let Some(name) = self.name {
            (positions[used], places[used]) = (callsite.name_position(), Place::Text(name));
            used += 1;
        }
        if !others.is_empty() {
            positions[used] = callsite.attributes_position();
            places[used] = Place::Text(&others);
            used += 1;
        }
        take(&array::from_fn(|place| {
            let field = &callsite.fields()[positions[place]];
            (field, (place < used).then(|| places[place].value()))
        }))
    }
}

/// The same for one that is set later.
pub(crate) fn of_attribute(
    callsite: &Callsite,
    key: &str,
    value: &OtelValue,
    take: &mut dyn FnMut(&ValueSet<'_>),
) {
    of_pair(callsite, key, Place::of(value), take);
}

/// The same for another name.
pub(crate) fn of_name(callsite: &Callsite, name: &str, take: &mut dyn FnMut(&ValueSet<'_>)) {
    one(callsite, callsite.name_position(), &Place::Text(name), take);
}

#[inline]
fn of_pair<R>(
    callsite: &Callsite,
    key: &str,
    place: Place<'_>,
    take: &mut dyn FnMut(&ValueSet<'_>) -> R,
) -> R {
    match callsite.position(key, 0) {
        Some(position) => one(callsite, position, &place, take),
        None => {
            let mut other = String::new();
            write_pair(&mut other, key, &place);
            let position = callsite.attributes_position();
            one(callsite, position, &Place::Text(&other), take)
        }
    }
}

#[inline]
fn one<R>(
    callsite: &Callsite,
    position: usize,
    place: &Place<'_>,
    take: &mut dyn FnMut(&ValueSet<'_>) -> R,
) -> R {
    let values: Values<'_, 1> = [(&callsite.fields()[position], Some(place.value()))];
    take(&callsite.metadata().fields().value_set(&values))
}

fn write_pair(text: &mut String, key: &str, value: &Place<'_>) {
    if !text.is_empty() {
        text.push(' ');
    }
    // Writing to a `String` does not fail.
    let _ = match value {
        Place::Bool(value) => write!(text, "{key}={value}"),
        Place::I64(value) => write!(text, "{key}={value}"),
        Place::F64(value) => write!(text, "{key}={value}"),
        Place::Text(value) => write!(text, "{key}={value:?}"),
        Place::List(value) => write!(text, "{key}={value}"),
    };
}
