//! Long-running work in small traces: one for each delivery of a message, linked to what caused it.
//!
//! A *run* is work that goes on by messages, for seconds or for weeks: an order, an import. Each delivery of
//! one of its messages is an *invocation*. One trace for all of them would never end, and
//! nobody could read it. So each invocation is a trace of its own, with links to the span that sent the
//! message (its *delivery*) and to the one that started the run (its *origin*). What is sent on names the
//! same origin, so that the traces of a run form a star around it.
//!
//! ```
//! use enter_span::invocation::{Invocation, Message, Run};
//! use enter_span::enter_span;
//!
//! /// A column of text in a table of jobs.
//! type Queue = Vec<String>;
//!
//! fn order(queue: &mut Queue) {
//!     Run::new().with_id("order.id", "4711").start("order", |_, message| {
//!         queue.push(message.to_string());
//!     });
//! }
//!
//! fn work(queue: &mut Queue) {
//!     let Some(message) = queue.pop() else { return };
//!     let message: Message = message.parse().unwrap_or_default();
//!     charge(&Invocation::of(&message).with_id("order.id", "4711"), queue);
//! }
//!
//! #[enter_span(invocation = invocation)]
//! fn charge(invocation: &Invocation, queue: &mut Queue) {
//!     // Not paid yet: again, later, in another trace.
//!     queue.push(invocation.next_message().to_string());
//! }
//!
//! let mut queue = Queue::new();
//! order(&mut queue);
//! work(&mut queue);
//! assert_eq!(queue.len(), 1);
//! ```
//!
//! # The two modes
//!
//! | | [`Linked`](TraceMode::Linked), the default | [`Continuous`](TraceMode::Continuous) |
//! |---|---|---|
//! | the span of an invocation | a new root; or below what is current, with [`under_local_context`](Invocation::under_local_context) | a child of the origin, or of the delivery if no origin came |
//! | its links | to the delivery and to the origin; below a local context to the origin alone, if one came | to the delivery |
//! | the origin of what is sent on | the one that came, to the letter; without one, the span that sends | the span that sends |
//!
//! Set the mode in code. Otherwise `ENTER_SPAN_TRACE_MODE` is read at each use. Links are
//! valid, and each is there once; of a batch the pipeline keeps 128, as its limits say, and counts the rest. Without a carrier for its delivery, a message was delivered by what is
//! current. What is in a carrier and cannot be used counts as absent.
//!
//! The span of an invocation has the attributes `enter_span.trace.mode` (`linked` or `continuous`) and
//! `enter_span.trace.propagated` (whether an origin came that could be used). It has the ids of its run, if any
//! are given; they are baggage below it too. The start of a run has the mode and the ids. Samplers see them.
//!
//! The baggage below it is that of the origin, over it that of the delivery, over that the ids. What is current
//! where it starts is part of it only below a local context: a new root takes nothing of what lies on the thread.
//!
//! # What a message takes along
//!
//! | in headers, variables or a map | |
//! |---|---|
//! | `traceparent`, `tracestate`, `baggage` | the delivery: the span that sent it |
//! | `enter-span-origin-traceparent`, `enter-span-origin-tracestate`, `enter-span-origin-baggage` | the origin |
//!
//! As [text](Message#text) it is one line of visible ASCII, `name=value` joined by `&`, for a column of a
//! database. With the feature `serde` it is a map of texts.
//!
//! The baggage that came with an origin goes on with it as it came, unless
//! [`Invocation::without_origin_baggage`] is called. Of the baggage of this process only the keys leave that the
//! application names: by [`Propagator::with_baggage_keys`](crate::propagation::Propagator::with_baggage_keys),
//! and those of the run's ids.

mod carrier;
mod delivery;
mod display;
#[cfg(feature = "serde")]
mod map;
mod message;
mod mode;
mod run;
pub(crate) mod text;

pub use carrier::Carrier;
pub use delivery::Invocation;
pub use display::{MachineName, display_name, display_name_as};
pub use message::{Message, NextMessage};
pub use mode::{TraceMode, UnknownTraceMode};
pub use run::Run;
