//! The outcome of a returned value, how it is found by type, and how much of an error is recorded.
//!
//! A failure becomes a status in `span/recording_state.rs`.

pub(crate) mod failure;
pub(crate) mod policy;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod probe;
