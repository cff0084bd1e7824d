//! The fields of `tracing` as attributes, with their types.
//!
//! User code formats here: it runs under no lock, and a panic loses its own field. The fields that mean more than
//! an attribute are in `special_fields.rs`.

use std::error::Error;
use std::fmt;

use enter_span::native::BridgedFields;
use enter_span::{ToAttribute, Value};
use tracing_core::Field;
use tracing_core::field::Visit;

use crate::special_fields::{self, NAME, formatted};

/// Where fields go.
pub(crate) trait FieldSink {
    /// Whether a text of this name is read elsewhere.
    fn leaves_out(&mut self, name: &str) -> bool;

    /// A number or a bool.
    fn scalar(&mut self, key: &'static str, value: &dyn ToAttribute);

    /// Text that is the caller's.
    fn text(&mut self, key: &'static str, text: &str);

    /// Text of its own.
    fn owned(&mut self, key: &'static str, text: String);
}

/// Hands each field to a sink.
pub(crate) struct FieldVisitor<'a, S>(pub(crate) &'a mut S);

impl<S: FieldSink> FieldVisitor<'_, S> {
    /// A number or a bool means nothing else, whatever its name.
    fn scalar(&mut self, field: &Field, value: &dyn ToAttribute) {
        self.0.scalar(key(field), value);
    }
}

impl<S: FieldSink> Visit for FieldVisitor<'_, S> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.scalar(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scalar(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.scalar(field, &value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.scalar(field, &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.scalar(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scalar(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if !self.0.leaves_out(field.name()) {
            self.0.text(key(field), value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.0.leaves_out(field.name()) {
            return;
        }
        if let Some(text) = formatted(value) {
            self.0.owned(key(field), text);
        }
    }
}

/// The name of a field as it is written, also where it is a keyword.
fn key(field: &Field) -> &'static str {
    let name = field.name();
    name.strip_prefix("r#").unwrap_or(name)
}

/// The fields of a span, on their way into it.
impl FieldSink for BridgedFields<'_> {
    fn leaves_out(&mut self, name: &str) -> bool {
        special_fields::is_special(name)
    }

    fn scalar(&mut self, key: &'static str, value: &dyn ToAttribute) {
        self.set(key, value);
    }

    fn text(&mut self, key: &'static str, text: &str) {
        if key == NAME {
            self.name(text.to_owned());
        } else {
            self.set(key, text);
        }
    }

    fn owned(&mut self, key: &'static str, text: String) {
        if key == NAME {
            self.name(text);
        } else {
            self.value(key, Value::from(text));
        }
    }
}
