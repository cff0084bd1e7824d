//! The value of an attribute as that of a field.

use opentelemetry::Value as OtelValue;
use tracing_core::field::{self, DisplayValue, Value};

/// A value in a form that `tracing` takes.
pub(crate) enum Place<'a> {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(&'a str),
    List(DisplayValue<&'a OtelValue>),
}

impl<'a> Place<'a> {
    pub(crate) fn of(value: &'a OtelValue) -> Self {
        match value {
            OtelValue::Bool(value) => Place::Bool(*value),
            OtelValue::I64(value) => Place::I64(*value),
            OtelValue::F64(value) => Place::F64(*value),
            OtelValue::String(value) => Place::Text(value.as_str()),
            list => Place::List(field::display(list)),
        }
    }

    pub(crate) fn value(&self) -> &dyn Value {
        match self {
            Place::Bool(value) => value,
            Place::I64(value) => value,
            Place::F64(value) => value,
            Place::Text(value) => value,
            Place::List(value) => value,
        }
    }
}
