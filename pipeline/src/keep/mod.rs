//! The decision at the end of a trace: what is kept, and what is not.
//!
//! Between the buffers and the exporters. Without a policy nothing here runs.

mod decided_spans;
mod ended_root;
mod keeper;
mod local_trace;
mod outbox;
mod pending_trace;
mod place_table;
mod policy;
mod rules;
mod stretch;
#[cfg(all(test, not(enter_span_loom)))]
mod tests;
mod trace_list;
mod verdict;

pub(crate) use keeper::{Keeper, KeeperConfig};
pub use local_trace::{LocalSpan, LocalTrace};
pub use policy::Keep;
