//! The span that is current, for a function that has none of its own and adds to it.

use crate::attribute::attributes::AttributeSink;
use crate::attribute::value::{Slot, ToAttribute};
use crate::span::handle::Span;

/// The span that was current where a function began, if it is traced.
///
/// It has the methods of [`ActiveSpan`](crate::span::active::ActiveSpan), so that generated code is the same.
#[must_use]
pub struct Current(Option<Span>);

impl Current {
    pub const OFF: Current = Current(None);

    #[cold]
    pub fn here() -> Self {
        let span = Span::current();
        Current(Some(span).filter(Span::is_traced))
    }

    #[inline]
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    pub fn text(self, key: &'static str, value: &'static str) -> Self {
        self.attributes_with(&mut |sink| sink.text(key, value))
    }

    pub fn attribute<T: ToAttribute>(self, key: &'static str, value: &T) -> Self {
        self.attribute_with(key, &mut |slot| slot.set(value))
    }

    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        self.attributes_with(&mut |sink| sink.fill(key, value))
    }

    pub fn attributes_with(self, fill: &mut dyn FnMut(&mut AttributeSink<'_>)) -> Self {
        if let Some(span) = &self.0 {
            span.fill_attributes(fill);
        }
        self
    }

    /// Complete. The span goes on.
    #[inline]
    pub fn leave(self) {}
}
