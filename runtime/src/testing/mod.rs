//! Tests of instrumentation: a recorder that is carried by the context.
//!
//! What a [`Recorder`] runs is recorded by it and by nothing else, wherever the context is carried:
//! through futures, and to tasks and threads that are given it. Nothing is global, so tests run in
//! parallel.
//!
//! ```
//! use enter_span::enter_span;
//! use enter_span::testing::Recorder;
//!
//! #[enter_span(attributes(id))]
//! fn charge(id: u32) -> Result<(), std::num::ParseIntError> {
//!     "x".parse::<u8>().map(drop)
//! }
//!
//! let trace = Recorder::new().run(|| charge(7));
//! trace.assert_tree("
//!     charge id=7 !ParseIntError
//! ");
//! ```
//!
//! | | |
//! |---|---|
//! | the whole tree | [`Trace::assert_tree`] |
//! | a part of it | [`Trace::assert_tree_contains`] |
//! | one span | [`Trace::find`], and the assertions of [`RecordedSpan`] |
//! | work that runs side by side | [`Trace::sorted`] before these |
//! | all that a trace says, for snapshots | [`Trace::redacted`] |
//!
//! The message of a failure shows the whole tree, with text that was recorded escaped.
//!
//! A span that starts without the recorder's context has lost it: the bug that such tests exist
//! for. On the recorder's own thread it is caught as an orphan, which is in the tree and fails
//! [`Trace::assert_no_orphans`]; one on another thread cannot be told from a neighbour's, and is
//! listed by [`unclaimed`].

mod assertion;
mod difference;
mod entry;
mod exclusive;
mod forest;
mod lost_context;
mod partial;
mod provider;
mod recorder;
mod redacted;
mod state;
mod trace;
mod tree;

pub use entry::Event;
pub use exclusive::{Exclusive, exclusive};
pub use lost_context::unclaimed;
pub use provider::RecorderProvider;
pub use recorder::Recorder;
pub use trace::{RecordedSpan, Trace};
