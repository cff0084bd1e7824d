//! `KeyValue` and `AnyValue` of `opentelemetry.proto.common.v1`.

use opentelemetry::{Array, KeyValue, Value};

use super::writer::{Writer, fixed64, message, number};

const KEY: u8 = message(1);
const VALUE: u8 = message(2);

const TEXT: u8 = message(1);
const BOOL: u8 = number(2);
const INT: u8 = number(3);
const DOUBLE: u8 = fixed64(4);
const ARRAY: u8 = message(5);

/// Of an `ArrayValue`.
const ELEMENT: u8 = message(1);

/// A list of them, each in a field of this tag.
#[inline]
pub(super) fn attributes<'a>(
    writer: &mut Writer,
    tag: u8,
    all: impl DoubleEndedIterator<Item = &'a KeyValue>,
) {
    for pair in all.rev() {
        attribute(writer, tag, pair.key.as_str(), &pair.value);
    }
}

#[inline]
pub(super) fn attribute(writer: &mut Writer, tag: u8, key: &str, of: &Value) {
    let start = writer.written();
    value(writer, of);
    writer.text(KEY, key);
    writer.wrap(tag, start);
}

#[inline]
fn value(writer: &mut Writer, value: &Value) {
    match value {
        Value::Bool(value) => bool_value(writer, VALUE, *value),
        Value::I64(value) => int_value(writer, VALUE, *value),
        Value::F64(value) => double_value(writer, VALUE, *value),
        Value::String(value) => text_value(writer, VALUE, value.as_str()),
        Value::Array(value) => array_value(writer, value),
        // A type that OpenTelemetry adds later: an empty value.
        _ => writer.field(VALUE, &[]),
    }
}

#[inline]
fn bool_value(writer: &mut Writer, tag: u8, value: bool) {
    writer.array([tag, 2, BOOL, u8::from(value)]);
}

#[inline]
fn int_value(writer: &mut Writer, tag: u8, value: i64) {
    let start = writer.written();
    // A negative number is written as the unsigned one of the same bits.
    writer.varint(value.cast_unsigned());
    writer.array([INT]);
    writer.wrap(tag, start);
}

#[inline]
fn double_value(writer: &mut Writer, tag: u8, value: f64) {
    writer.array(value.to_le_bytes());
    writer.array([tag, 9, DOUBLE]);
}

#[inline]
fn text_value(writer: &mut Writer, tag: u8, text: &str) {
    let start = writer.written();
    writer.field(TEXT, text.as_bytes());
    writer.wrap(tag, start);
}

fn array_value(writer: &mut Writer, array: &Array) {
    let start = writer.written();
    match array {
        Array::Bool(all) => elements(writer, all, |writer, one| bool_value(writer, ELEMENT, *one)),
        Array::I64(all) => elements(writer, all, |writer, one| int_value(writer, ELEMENT, *one)),
        Array::F64(all) => elements(writer, all, |writer, one| {
            double_value(writer, ELEMENT, *one);
        }),
        Array::String(all) => elements(writer, all, |writer, one| {
            text_value(writer, ELEMENT, one.as_str());
        }),
        _ => {}
    }
    writer.wrap(ARRAY, start);
    writer.wrap(VALUE, start);
}

fn elements<T>(writer: &mut Writer, all: &[T], element: impl Fn(&mut Writer, &T)) {
    for one in all.iter().rev() {
        element(writer, one);
    }
}
