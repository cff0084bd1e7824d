//! Keys of attributes, and which values each of them takes.
//!
//! The keys of the semantic conventions are in the crate `enter-span-semconv`.
//!
//! `Key<T>` takes `T`, `&T`, `Option<T>` and so on, each by an implementation of its own. With one rule for
//! references and another for `Option`, coherence cannot tell whether they overlap. With an associated type of
//! `ToAttribute`, users would have to name it, and the compiler's message would be about a type mismatch.
//!
//! A constant as a key may be text or a typed key, and only the compiler knows which. So it goes into the closure
//! that computes the value: one trait, `AttributeKey<V>`, names key and value in its message, and nothing else is
//! generic over the key.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::attribute::one_of::OneOf;

/// The key of an attribute, and the type of its values.
///
/// Text as a key takes any value; a `Key<T>` takes `T` and nothing else, which the compiler checks.
/// One line makes one, and [`semconv`](https://docs.rs/enter-span-semconv) has those of the OpenTelemetry semantic
/// conventions.
///
/// ```
/// use enter_span::{Key, Span, enter_span};
///
/// const ORDER_ID: Key<u64> = Key::new("order.id");
/// const COUPON: Key<str> = Key::new("order.coupon");
///
/// #[enter_span(attributes(ORDER_ID = id))]
/// fn place(id: u64, coupon: Option<&str>) {
///     Span::current().set_attribute(COUPON, coupon);
/// }
///
/// place(7, None);
/// ```
///
/// Text where a number belongs does not compile:
///
/// ```compile_fail
/// # use enter_span::{Key, Span};
/// # const ORDER_ID: Key<u64> = Key::new("order.id");
/// Span::current().set_attribute(ORDER_ID, "7");
/// ```
///
/// | key | takes |
/// |---|---|
/// | `Key<str>` | all kinds of text: `&str`, `String`, `Cow`, `Box`, `Rc` and `Arc` of `str`, `char` |
/// | `Key<i64>` | all integers, by the rules of [`ToAttribute`](crate::ToAttribute) |
/// | `Key<f64>` | `f64` and `f32` |
/// | `Key<[String]>`, `Key<[i64]>`, `Key<[f64]>`, `Key<[bool]>` | slices, arrays and `Vec`s of these |
/// | `Key<E>` of a list of known texts | [`OneOf<E>`](crate::attribute::OneOf) |
/// | `Key<T>` of any other type | `T` |
///
/// Each takes the same by reference, and in an `Option`, of which `None` writes nothing.
///
/// The name is known when this is compiled; of one that is not, make an [`OwnedKey`].
pub struct Key<T: ?Sized> {
    name: &'static str,
    values: PhantomData<fn(&T)>,
}

impl<T: ?Sized> Key<T> {
    /// The key of this name. OpenTelemetry names attributes in lower case, with dots between the
    /// parts; an attribute with an empty name is not recorded.
    pub const fn new(name: &'static str) -> Self {
        Key {
            name,
            values: PhantomData,
        }
    }

    /// The key as text.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

// Derived ones would ask it of `T`.
impl<T: ?Sized> Copy for Key<T> {}

impl<T: ?Sized> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> fmt::Debug for Key<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Key").field(&self.name).finish()
    }
}

/// A [`Key`] whose name is made at run time, as that of a header: `http.request.header.<name>`.
///
/// Only for names of which there are few: a backend keeps an index of all keys.
///
/// ```
/// use enter_span::attribute::OwnedKey;
/// use enter_span::Span;
///
/// fn queue_depth(queue: &str) -> OwnedKey<u64> {
///     OwnedKey::new(format!("queue.{queue}.depth"))
/// }
///
/// Span::current().set_attribute(queue_depth("mail"), 3);
/// ```
pub struct OwnedKey<T: ?Sized> {
    name: String,
    values: PhantomData<fn(&T)>,
}

impl<T: ?Sized> OwnedKey<T> {
    /// The key `prefix.name`: of `http.request.header` and `accept`, `http.request.header.accept`.
    pub fn below(prefix: &str, name: &str) -> Self {
        OwnedKey::new([prefix, ".", name].concat())
    }

    /// The key of this name.
    pub fn new(name: impl Into<String>) -> Self {
        OwnedKey {
            name: name.into(),
            values: PhantomData,
        }
    }

    /// The key as text.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<T: ?Sized> Clone for OwnedKey<T> {
    fn clone(&self) -> Self {
        OwnedKey::new(self.name.clone())
    }
}

impl<T: ?Sized> fmt::Debug for OwnedKey<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("OwnedKey").field(&self.name).finish()
    }
}

/// What can be the key of an attribute whose value is a `V`: text, for any value, or a [`Key`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key for `{V}`",
    label = "not a key for `{V}`",
    note = "a `Key<T>` takes a `T`: `Key<str>` any text, `Key<i64>` any integer, `Key<f64>` any float; also by reference and in an `Option`",
    note = "of a list of `enter_span_semconv` it takes a constant, as `HttpRequestMethod::GET`, or any text as `OneOf::from(text)`",
    note = "text as a key, as in `\"order.id\"`, takes any value"
)]
pub trait AttributeKey<V: ?Sized> {
    /// `prefix` stands before text, and not before the name of a [`Key`], which is whole.
    #[doc(hidden)]
    fn into_name(self, prefix: &str) -> Cow<'static, str>;
}

// No implementation is recommended: else the compiler would speak of `Takes`, and list all of them.
macro_rules! text_key {
    ($($text:ty),+) => {$(
        #[diagnostic::do_not_recommend]
        impl<V: ?Sized> AttributeKey<V> for $text {
            #[inline]
            fn into_name(self, prefix: &str) -> Cow<'static, str> {
                match prefix.is_empty() {
                    true => self.into(),
                    false => Cow::Owned(format!("{prefix}{self}")),
                }
            }
        }
    )+};
}

text_key!(&'static str, String, Cow<'static, str>);

#[diagnostic::do_not_recommend]
impl<T: Takes<V> + ?Sized, V: ?Sized> AttributeKey<V> for Key<T> {
    #[inline]
    fn into_name(self, _: &str) -> Cow<'static, str> {
        Cow::Borrowed(self.name)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Takes<V> + ?Sized, V: ?Sized> AttributeKey<V> for OwnedKey<T> {
    fn into_name(self, _: &str) -> Cow<'static, str> {
        Cow::Owned(self.name)
    }
}

/// A type of keys whose values can be a `V`.
///
/// How a value may be wrapped is counted out: with one rule for all references and another for all
/// `Option`s, the compiler could not tell whether they overlap.
pub trait Takes<V: ?Sized> {}

impl<T: ?Sized> Takes<T> for T {}
impl<T: ?Sized> Takes<&T> for T {}
impl<T: ?Sized> Takes<&&T> for T {}
impl<T: ?Sized> Takes<&mut T> for T {}
impl<T: ?Sized> Takes<Option<&T>> for T {}
impl<T: ?Sized> Takes<Option<&&T>> for T {}
impl<T: ?Sized> Takes<&Option<&T>> for T {}
impl<T> Takes<Option<T>> for T {}
impl<T> Takes<&Option<T>> for T {}
impl<T> Takes<Box<T>> for T {}
impl<T> Takes<Rc<T>> for T {}
impl<T> Takes<Arc<T>> for T {}

// The same for what is another type than the key's.
macro_rules! takes {
    ($key:ty: $([$($generic:tt)*] $value:ty),+ $(,)?) => {$(
        impl<$($generic)*> Takes<$value> for $key {}
        impl<$($generic)*> Takes<&$value> for $key {}
        impl<$($generic)*> Takes<Option<$value>> for $key {}
        impl<$($generic)*> Takes<&Option<$value>> for $key {}
        impl<$($generic)*> Takes<Option<&$value>> for $key {}
    )+};
}

takes!(str: [] String, ['a] Cow<'a, str>, [] Box<str>, [] Rc<str>, [] Arc<str>, [] char);
takes!(i64: [] i8, [] i16, [] i32, [] i128, [] isize);
takes!(i64: [] u8, [] u16, [] u32, [] u64, [] u128, [] usize);
takes!(f64: [] f32);
takes!([String]: [] Vec<String>, [const N: usize] [String; N]);
takes!([String]: ['a] Vec<&'a str>, ['a, const N: usize] [&'a str; N]);
takes!([i64]: [] Vec<i64>, [const N: usize] [i64; N]);
takes!([f64]: [] Vec<f64>, [const N: usize] [f64; N]);
takes!([bool]: [] Vec<bool>, [const N: usize] [bool; N]);
takes!(E: [E] OneOf<E>);

impl Takes<[&str]> for [String] {}
impl Takes<&[&str]> for [String] {}
impl Takes<Option<&[&str]>> for [String] {}
