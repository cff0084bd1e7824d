//! From process to process: W3C's `traceparent`, `tracestate` and `baggage`, over any carrier.
//!
//! A server [extracts](extract) what its caller sent and starts its span below it; a client
//! [injects](inject) its own span into what it sends. You choose how far to [trust](Trust) a caller, and which
//! [destinations](Destinations) receive a span.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use enter_span::propagation::{Trust, extract, inject};
//! use enter_span::{enter_span, in_span};
//!
//! # type Headers = HashMap<String, String>;
//! fn serve(request: &Headers) {
//!     let caller = extract(request).with_trust(Trust::Parent);
//!     in_span!("GET /orders", kind = server, parent = caller, || call());
//! }
//!
//! #[enter_span(kind = client)]
//! fn call() {
//!     let mut headers = Headers::new();
//!     inject(&mut headers);
//!     // .. and send them.
//! }
//! # serve(&Headers::new());
//! ```
//!
//! # What W3C Trace Context, level 2, asks for
//!
//! - A `traceparent` is taken as it is defined: lengths, lower case, ids that are not zero, and white
//!   space around it. A later version is read as far as it is known; version `ff`, and a second header of
//!   the name, begin a new trace.
//! - The sampled flag and the random flag are kept, and the others are zero.
//! - Several headers `tracestate` are one list, of at most 32 members. If one of them is not as its
//!   grammar says, all are thrown away, and the trace goes on without. What is kept is sent on as it came,
//!   to the letter; what a sampler changes stands first.
//! - Without a `traceparent` that can be used, no `tracestate` is read.

mod baggage;
mod carrier;
mod destination;
mod field;
mod propagator;
mod remote;
mod traceparent;
mod tracestate;

pub use carrier::{Incoming, Outgoing, Variables};
pub use destination::Destinations;
pub use propagator::{Propagator, extract, inject, inject_to, set_propagator};
pub(crate) use propagator::{of_process, set_default_propagator};
pub use remote::{Remote, Trust};
