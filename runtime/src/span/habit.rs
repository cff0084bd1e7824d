//! What people from `tracing` write by habit, for a message that says what to write here.

use crate::span::handle::Span;

/// Nothing implements it, so that `record` has a message of its own and never compiles.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a span of `enter_span` has no method `record`",
    label = "write `set_attribute` instead of `record`",
    note = "`set_attribute(key, value)` takes any key, which need not be declared before"
)]
pub trait FieldOfTracing {}

impl Span {
    /// Never compiles: for code written for `tracing`, the message names [`set_attribute`](Span::set_attribute).
    #[doc(hidden)]
    pub fn record<K: FieldOfTracing, V>(&self, _: K, _: V) -> &Self {
        self
    }
}
