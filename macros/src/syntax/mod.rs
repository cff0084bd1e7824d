//! What the user wrote: arguments, functions, expressions and the options of the derive.
//!
//! Mistakes inside one argument are reported here. Whether arguments fit together, and fit the
//! function, is decided in `plan`.

pub(crate) mod args;
pub(crate) mod attribute;
pub(crate) mod derive_options;
pub(crate) mod expression;
pub(crate) mod function;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod names;
pub(crate) mod suggestion;
pub(crate) mod value;
