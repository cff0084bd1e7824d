//! Several attributes together: a struct of facts, or a list of pairs.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::attribute::key::AttributeKey;
use crate::attribute::value::{Slot, ToAttribute, Value};

/// Several attributes together: a struct that derives it, or a list of pairs.
///
/// [`Span::set_attributes`](crate::Span::set_attributes) and
/// [`Span::add_event`](crate::Span::add_event) take them, and `attributes(..facts)` in
/// [`#[enter_span]`](macro@crate::enter_span) and [`in_span!`](crate::in_span).
///
/// | | |
/// |---|---|
/// | a struct with `#[derive(Attributes)]`, or a reference to one | its fields |
/// | an array, a slice or a `Vec` of pairs | keys and values of one type each |
/// | a tuple of up to eight pairs | keys and values of any types |
/// | `()` | none |
/// | an `Option` of these | none for `None` |
///
/// ```
/// use enter_span::{Key, Span};
///
/// const ATTEMPT: Key<u32> = Key::new("retry.attempt");
///
/// let span = Span::current();
/// span.set_attributes([("rows", 3), ("bytes", 4096)]);
/// span.add_event("retry", ((ATTEMPT, 2), ("retry.cause", "timeout")));
/// ```
///
/// Nothing of a struct leaves that did not derive it: a field of a type that is not an attribute does
/// not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no attributes to give",
    label = "neither a struct that derives `Attributes`, nor a list of pairs",
    note = "for a struct of yours write `#[derive(enter_span::Attributes)]`",
    note = "for a list write `[(\"key\", value), ..]`; for values of several types `((\"key\", value), ..)`; for none `()`"
)]
pub trait Attributes {
    #[doc(hidden)]
    fn write_attributes(&self, sink: &mut AttributeSink<'_>);
}

/// Where attributes go. Generated code writes to it.
///
/// A value that panics is lost, and nothing else is.
pub struct AttributeSink<'a> {
    /// What stands before keys that are text, with its dot. Empty outside of a nested struct.
    prefix: Cow<'a, str>,
    write: &'a mut dyn FnMut(Cow<'static, str>, Value),
}

impl<'a> AttributeSink<'a> {
    pub(crate) fn new(write: &'a mut dyn FnMut(Cow<'static, str>, Value)) -> Self {
        AttributeSink {
            prefix: Cow::Borrowed(""),
            write,
        }
    }

    pub fn set<K: AttributeKey<V>, V: ToAttribute + ?Sized>(&mut self, key: K, value: &V) {
        if let Some(value) = Slot::fill(&mut |slot| slot.set(value)) {
            (self.write)(key.into_name(&self.prefix), value);
        }
    }

    pub fn text<K: AttributeKey<str>>(&mut self, key: K, value: &'static str) {
        (self.write)(key.into_name(&self.prefix), Value::from_static(value));
    }

    pub fn debug<K: AttributeKey<String>, V: fmt::Debug + ?Sized>(&mut self, key: K, value: &V) {
        if let Some(value) = Slot::fill(&mut |slot| slot.debug(value)) {
            (self.write)(key.into_name(&self.prefix), value);
        }
    }

    pub fn display<K: AttributeKey<String>, V: fmt::Display + ?Sized>(
        &mut self,
        key: K,
        value: &V,
    ) {
        if let Some(value) = Slot::fill(&mut |slot| slot.display(value)) {
            (self.write)(key.into_name(&self.prefix), value);
        }
    }

    pub fn all<A: Attributes + ?Sized>(&mut self, attributes: &A) {
        attributes.write_attributes(self);
    }

    /// The same, with `prefix` and a dot before each key that is text. Such keys are allocated.
    pub fn all_below<A: Attributes + ?Sized>(&mut self, prefix: &str, attributes: &A) {
        let prefix = format!("{}{prefix}.", self.prefix);
        attributes.write_attributes(&mut AttributeSink {
            prefix: Cow::Owned(prefix),
            write: self.write,
        });
    }

    pub(crate) fn fill(&mut self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) {
        if let Some(value) = Slot::fill(value) {
            (self.write)(Cow::Borrowed(key), value);
        }
    }
}

impl Attributes for () {
    fn write_attributes(&self, _: &mut AttributeSink<'_>) {}
}

impl<A: Attributes> Attributes for Option<A> {
    fn write_attributes(&self, sink: &mut AttributeSink<'_>) {
        if let Some(attributes) = self {
            attributes.write_attributes(sink);
        }
    }
}

macro_rules! through_a_pointer {
    ($($pointer:ty),+) => {$(
        impl<A: Attributes + ?Sized> Attributes for $pointer {
            fn write_attributes(&self, sink: &mut AttributeSink<'_>) {
                (**self).write_attributes(sink);
            }
        }
    )+};
}

through_a_pointer!(&A, &mut A, Box<A>, Rc<A>, Arc<A>);

/// A key and its value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an attribute",
    label = "not a pair of key and value",
    note = "write a pair, `(\"key\", value)`; one alone stands in a list, `[(\"key\", value)]`"
)]
pub trait Pair {
    #[doc(hidden)]
    fn write_pair(&self, sink: &mut AttributeSink<'_>);
}

impl<K: AttributeKey<V> + Clone, V: ToAttribute> Pair for (K, V) {
    fn write_pair(&self, sink: &mut AttributeSink<'_>) {
        sink.set(self.0.clone(), &self.1);
    }
}

impl<P: Pair> Attributes for [P] {
    fn write_attributes(&self, sink: &mut AttributeSink<'_>) {
        self.iter().for_each(|pair| pair.write_pair(sink));
    }
}

impl<P: Pair, const N: usize> Attributes for [P; N] {
    fn write_attributes(&self, sink: &mut AttributeSink<'_>) {
        self.as_slice().write_attributes(sink);
    }
}

impl<P: Pair> Attributes for Vec<P> {
    fn write_attributes(&self, sink: &mut AttributeSink<'_>) {
        self.as_slice().write_attributes(sink);
    }
}

macro_rules! tuples_of_pairs {
    ($($($pair:ident)+;)+) => {$(
        impl<$($pair: Pair),+> Attributes for ($($pair,)+) {
            fn write_attributes(&self, sink: &mut AttributeSink<'_>) {
                #[expect(non_snake_case, reason = "one name for a type and its value")]
                let ($($pair,)+) = self;
                $($pair.write_pair(sink);)+
            }
        }
    )+};
}

tuples_of_pairs! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
