//! Text of which some values are known, as those of an enum of the semantic conventions.
//!
//! The values are constants of an empty type, not variants. An enum with its functions is compiled for each
//! attribute, used or not: 16 of them took 60 ms of each clean build. `OneOf<E>` is compiled once. It cannot be
//! matched on, because telemetry is written and not read.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::attribute::value::{ToAttribute, Value};

/// A value of an attribute of which some values are known: one of `E`'s, or any other text.
///
/// The semantic conventions list values and let others through, so `E` is only the place of the known
/// ones, as constants, and the type of the key. It is one generic type, and no enum for each list,
/// since it costs an application build time for each list that it does not use.
///
/// ```
/// use enter_span_semconv::{HTTP_REQUEST_METHOD, HttpRequestMethod, OneOf};
/// use enter_span::{Key, Span};
///
/// fn handle(method: &str) {
///     Span::current().set_attribute(HTTP_REQUEST_METHOD, OneOf::from(method));
/// }
///
/// assert_eq!(OneOf::from("GET"), HttpRequestMethod::GET);
/// handle("BREW");
///
/// // A list of your own.
/// enum Plan {}
///
/// impl Plan {
///     const FREE: OneOf<Plan> = OneOf::new("free");
/// }
///
/// const PLAN: Key<Plan> = Key::new("plan");
///
/// Span::current().set_attribute(PLAN, Plan::FREE);
/// ```
pub struct OneOf<E> {
    text: Cow<'static, str>,
    list: PhantomData<fn(E)>,
}

impl<E> OneOf<E> {
    /// The value of this text, for constants: it is not copied.
    pub const fn new(text: &'static str) -> Self {
        OneOf {
            text: Cow::Borrowed(text),
            list: PhantomData,
        }
    }

    /// The value as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<E> From<&str> for OneOf<E> {
    fn from(text: &str) -> Self {
        OneOf::from(text.to_owned())
    }
}

impl<E> From<String> for OneOf<E> {
    fn from(text: String) -> Self {
        OneOf {
            text: Cow::Owned(text),
            list: PhantomData,
        }
    }
}

impl<E> ToAttribute for OneOf<E> {
    fn to_attribute(&self) -> Option<Value> {
        Some(Value::from_text(self.text.clone()))
    }
}

// Derived ones would ask it of `E`.
impl<E> Clone for OneOf<E> {
    fn clone(&self) -> Self {
        OneOf {
            text: self.text.clone(),
            list: PhantomData,
        }
    }
}

impl<E> PartialEq for OneOf<E> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<E> Eq for OneOf<E> {}

impl<E> Hash for OneOf<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<E> fmt::Debug for OneOf<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl<E> fmt::Display for OneOf<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.text, formatter)
    }
}
