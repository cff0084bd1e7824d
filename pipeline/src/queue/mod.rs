//! The way from the threads that end spans to the worker: bounded, and without waiting for it.

pub(crate) mod budget;
mod buffer_list;
pub(crate) mod buffers;
#[cfg(all(test, not(enter_span_loom)))]
mod contention;
pub(crate) mod drained_list;
pub(crate) mod leaving_spans;
pub(crate) mod limit;
pub(crate) mod lost_roots;
#[cfg(all(test, enter_span_loom))]
pub(crate) mod model;
pub(crate) mod push_result;
pub(crate) mod span_list;
pub(crate) mod span_order;
pub(crate) mod span_queue;
pub(crate) mod thread_buffer;
