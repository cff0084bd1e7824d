//! What an attribute can hold, and which Rust types become one.
//!
//! Keys and the rules of upserting are not here; see `recording.rs`.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::rc::Rc;
use std::str;
use std::sync::Arc;

use opentelemetry::{Array, StringValue};

use crate::context::unwind;

/// The value of an attribute: a bool, an `i64`, an `f64`, text, or an array of one of these.
///
/// These are the kinds that OpenTelemetry has. Anything that implements
/// [`ToAttribute`] becomes one; `From` covers the primitive types, for lists of mixed kinds.
///
/// ```
/// use enter_span::{Span, Value};
///
/// Span::current().add_event("cache.miss", [("shard", Value::from(3)), ("key", Value::from("a"))]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub(crate) opentelemetry::Value);

/// A type whose values can be attributes of a span.
///
/// | Rust | attribute |
/// |---|---|
/// | `bool` | bool |
/// | integers of any width | `i64`; decimal text where the number does not fit |
/// | `f32`, `f64` | `f64`; of an `f32` the one that its shortest text names: `0.1_f32` is `0.1` |
/// | `str`, `String`, `char` | text |
/// | slices, arrays and `Vec` of these | an array |
/// | `Option<T>` | the value; `None` writes nothing |
/// | references, `Box`, `Rc`, `Arc`, `Cow` | what they point to |
///
/// Implement it for a type of your own by handing on to one of these:
///
/// ```
/// use enter_span::{ToAttribute, Value};
///
/// struct OrderId(u32);
///
/// impl ToAttribute for OrderId {
///     fn to_attribute(&self) -> Option<Value> {
///         self.0.to_attribute()
///     }
/// }
/// ```
///
/// It runs only while the span is traced. If it panics, that one attribute is lost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a span attribute",
    label = "not an attribute value",
    note = "in `attributes(..)` write `?value` or `key = ?value` for its `Debug` text, and `%` instead of `?` for its `Display` text",
    note = "on a field of a struct write `#[attributes(?)]` or `#[attributes(%)]` for the same, or `#[attributes(skip)]`",
    note = "elsewhere give its text, as with `value.to_string()`; instead of `ret` write `ret(key = |value| ..)` for a part of it",
    note = "a type of your own can implement `enter_span::ToAttribute`; wrap a type of another crate in one of your own"
)]
pub trait ToAttribute {
    /// The value to record, or `None` to record nothing.
    fn to_attribute(&self) -> Option<Value>;

    /// The same, where it is a plain number or bool: it needs no memory. Not to be implemented outside of this
    /// crate: it is called where a panic is not caught.
    #[doc(hidden)]
    #[inline]
    fn to_scalar(&self) -> Option<Scalar> {
        None
    }
}

/// A value without memory of its own, which fits into two registers.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Scalar {
    kind: Kind,
    bits: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    I64,
    F64,
}

impl Scalar {
    #[inline]
    fn bool(value: bool) -> Self {
        let (kind, bits) = (Kind::Bool, value.into());
        Scalar { kind, bits }
    }

    #[inline]
    fn i64(value: i64) -> Self {
        let (kind, bits) = (Kind::I64, value as u64);
        Scalar { kind, bits }
    }

    #[inline]
    fn f64(value: f64) -> Self {
        let (kind, bits) = (Kind::F64, value.to_bits());
        Scalar { kind, bits }
    }
}

impl From<Scalar> for opentelemetry::Value {
    #[inline]
    fn from(Scalar { kind, bits }: Scalar) -> Self {
        match kind {
            Kind::Bool => opentelemetry::Value::Bool(bits != 0),
            Kind::I64 => opentelemetry::Value::I64(bits as i64),
            Kind::F64 => opentelemetry::Value::F64(f64::from_bits(bits)),
        }
    }
}

/// A type whose slices can be an attribute: the kinds of element that OpenTelemetry's arrays have.
#[diagnostic::on_unimplemented(
    message = "a list of `{Self}` cannot be a span attribute",
    label = "not a list of attribute values",
    note = "OpenTelemetry has arrays of bools, integers, floats and text; for another list write `key = ?list`"
)]
pub trait Element: Sized {
    #[doc(hidden)]
    fn to_array(list: &[Self]) -> Value;
}

fn text(value: impl Into<StringValue>) -> opentelemetry::Value {
    opentelemetry::Value::String(value.into())
}

impl Value {
    pub(crate) fn from_static(value: &'static str) -> Self {
        Value(text(value))
    }

    /// Text that is known at compile time is not copied.
    pub(crate) fn from_text(value: Cow<'static, str>) -> Self {
        Value(text(value))
    }
}

impl ToAttribute for Value {
    fn to_attribute(&self) -> Option<Value> {
        Some(self.clone())
    }
}

impl ToAttribute for str {
    fn to_attribute(&self) -> Option<Value> {
        Some(Value(text(self.to_owned())))
    }
}

impl ToAttribute for String {
    fn to_attribute(&self) -> Option<Value> {
        self.as_str().to_attribute()
    }
}

impl<T: ToAttribute> ToAttribute for Option<T> {
    fn to_attribute(&self) -> Option<Value> {
        self.as_ref()?.to_attribute()
    }

    #[inline]
    fn to_scalar(&self) -> Option<Scalar> {
        self.as_ref()?.to_scalar()
    }
}

macro_rules! through_a_pointer {
    ($($pointer:ty),+) => {$(
        impl<T: ToAttribute + ?Sized> ToAttribute for $pointer {
            fn to_attribute(&self) -> Option<Value> {
                (**self).to_attribute()
            }

            #[inline]
            fn to_scalar(&self) -> Option<Scalar> {
                (**self).to_scalar()
            }
        }
    )+};
}

through_a_pointer!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: ToAttribute + ToOwned + ?Sized> ToAttribute for Cow<'_, T> {
    fn to_attribute(&self) -> Option<Value> {
        (**self).to_attribute()
    }

    #[inline]
    fn to_scalar(&self) -> Option<Scalar> {
        (**self).to_scalar()
    }
}

impl<T: Element> ToAttribute for [T] {
    fn to_attribute(&self) -> Option<Value> {
        Some(T::to_array(self))
    }
}

impl<T: Element, const N: usize> ToAttribute for [T; N] {
    fn to_attribute(&self) -> Option<Value> {
        self.as_slice().to_attribute()
    }
}

impl<T: Element> ToAttribute for Vec<T> {
    fn to_attribute(&self) -> Option<Value> {
        self.as_slice().to_attribute()
    }
}

macro_rules! scalar {
    ($($type:ty: |$value:ident| $scalar:expr, $array:ident;)+) => {$(
        impl ToAttribute for $type {
            #[inline]
            fn to_attribute(&self) -> Option<Value> {
                Some(Value::from(*self))
            }

            #[inline]
            fn to_scalar(&self) -> Option<Scalar> {
                let $value = *self;
                $scalar
            }
        }

        impl Element for $type {
            fn to_array(list: &[Self]) -> Value {
                $array(list)
            }
        }

        impl From<$type> for Value {
            #[inline]
            fn from(value: $type) -> Self {
                Value(match value.to_scalar() {
                    Some(scalar) => scalar.into(),
                    None => text(value.to_string()),
                })
            }
        }
    )+};
}

// What is no scalar is text: an integer that is wider than OpenTelemetry's is never wrapped.
scalar! {
    bool: |value| Some(Scalar::bool(value)), bools;
    f64: |value| Some(Scalar::f64(value)), floats;
    f32: |value| Some(Scalar::f64(long(value))), short_floats;
    char: |_value| None, texts;
    i8: |value| Some(Scalar::i64(i64::from(value))), integers;
    i16: |value| Some(Scalar::i64(i64::from(value))), integers;
    i32: |value| Some(Scalar::i64(i64::from(value))), integers;
    i64: |value| Some(Scalar::i64(value)), integers;
    u8: |value| Some(Scalar::i64(i64::from(value))), integers;
    u16: |value| Some(Scalar::i64(i64::from(value))), integers;
    u32: |value| Some(Scalar::i64(i64::from(value))), integers;
    u64: |value| value.try_into().ok().map(Scalar::i64), integers;
    i128: |value| value.try_into().ok().map(Scalar::i64), integers;
    u128: |value| value.try_into().ok().map(Scalar::i64), integers;
    isize: |value| value.try_into().ok().map(Scalar::i64), integers;
    usize: |value| value.try_into().ok().map(Scalar::i64), integers;
}

fn bools(list: &[bool]) -> Value {
    Value(opentelemetry::Value::Array(Array::Bool(list.to_vec())))
}

fn floats(list: &[f64]) -> Value {
    Value(opentelemetry::Value::Array(Array::F64(list.to_vec())))
}

fn short_floats(list: &[f32]) -> Value {
    let list = list.iter().map(|&value| long(value)).collect();
    Value(opentelemetry::Value::Array(Array::F64(list)))
}

/// The float of the same shortest text: what is written as 0.1 stays 0.1, and does not become
/// 0.10000000149011612.
fn long(short: f32) -> f64 {
    let exact = f64::from(short);
    if exact == exact.trunc() && exact.abs() < f64::from(1 << f32::MANTISSA_DIGITS) {
        return exact;
    }
    // The longest is `-1.17549435e-38`.
    let mut text = [0; 32];
    let mut rest = &mut text[..];
    let is_written = write!(rest, "{short:e}").is_ok();
    let length = 32 - rest.len();
    let parsed = str::from_utf8(&text[..length]).ok().map(str::parse);
    match parsed {
        Some(Ok(long)) if is_written => long,
        _ => exact,
    }
}

/// One kind for the whole array: integers if all of them fit, else all of them as text.
fn integers<T: TryInto<i64> + ToString + Copy>(list: &[T]) -> Value {
    let fitting: Result<Vec<i64>, _> = list.iter().map(|&value| value.try_into()).collect();
    match fitting {
        Ok(list) => Value(opentelemetry::Value::Array(Array::I64(list))),
        Err(_) => texts(list),
    }
}

fn texts<T: ToString>(list: &[T]) -> Value {
    let list = list
        .iter()
        .map(|value| StringValue::from(value.to_string()));
    Value(opentelemetry::Value::Array(Array::String(list.collect())))
}

macro_rules! text_element {
    ($($type:ty),+) => {$(
        impl Element for $type {
            fn to_array(list: &[Self]) -> Value {
                texts(list)
            }
        }
    )+};
}

text_element!(&str, String, &String, Cow<'_, str>, Box<str>, Arc<str>);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value(text(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value(text(value))
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(value: Cow<'_, str>) -> Self {
        Value(text(value.into_owned()))
    }
}

/// The place of one attribute, which an expression fills.
pub enum Slot {
    Empty,
    Scalar(Scalar),
    Value(Value),
}

impl Slot {
    #[inline]
    pub fn set<T: ToAttribute + ?Sized>(&mut self, value: &T) {
        *self = match value.to_scalar() {
            Some(scalar) => Slot::Scalar(scalar),
            None => value.to_attribute().map_or(Slot::Empty, Slot::Value),
        };
    }

    pub fn debug<T: fmt::Debug + ?Sized>(&mut self, value: &T) {
        *self = Slot::Value(Value::from(format!("{value:?}")));
    }

    pub fn display<T: fmt::Display + ?Sized>(&mut self, value: &T) {
        *self = Slot::Value(Value::from(value.to_string()));
    }

    /// A value that panics is lost, and nothing else is.
    #[inline(always)]
    pub(crate) fn fill_by(&mut self, value: &mut dyn FnMut(&mut Slot)) {
        if unwind::shielded(|| value(self)).is_none() {
            *self = Slot::Empty;
        }
    }

    pub(crate) fn fill(value: &mut dyn FnMut(&mut Slot)) -> Option<Value> {
        let mut slot = Slot::Empty;
        slot.fill_by(value);
        match slot {
            Slot::Empty => None,
            Slot::Scalar(scalar) => Some(Value(scalar.into())),
            Slot::Value(value) => Some(value),
        }
    }
}
