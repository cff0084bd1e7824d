//! From process to process. The expected values are those of W3C Trace Context, level 2, and of W3C
//! Baggage.

mod carriers;
mod header;
mod injection;
mod tracestate;
mod trust;

/// That of the specification's examples.
pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
