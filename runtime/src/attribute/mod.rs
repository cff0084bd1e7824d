//! Attributes: values, keys, lists of both, and how much of them a span keeps.

#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod attributes;
pub(crate) mod key;
pub(crate) mod limit;
pub(crate) mod one_of;
pub(crate) mod value;

pub use attributes::{Attributes, Pair};
pub use key::{AttributeKey, Key, OwnedKey};
pub use one_of::OneOf;
pub use value::{Element, ToAttribute, Value};
