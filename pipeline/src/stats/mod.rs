//! What became of the spans: counted, and warned about.

pub(crate) mod counts;
pub(crate) mod declined;
pub(crate) mod drop_warnings;
pub(crate) mod keep_counts;
pub(crate) mod ledgers;
pub(crate) mod spool_counts;
pub(crate) mod warning_queue;
