//! The arguments of one attribute, and what they become.

pub(crate) mod conversion;
pub(crate) mod fastrace;
mod field;
mod signature;
pub(crate) mod tracing;
