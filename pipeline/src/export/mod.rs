//! From the queue to the exporters.

mod abandonment;
pub(crate) mod async_wait;
mod attempt;
mod backlog;
mod backoff;
pub(crate) mod batch;
pub(crate) mod chunk;
pub(crate) mod control;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) mod encode;
pub(crate) mod export_state;
pub(crate) mod export_thread;
pub(crate) mod exporter;
#[cfg(test)]
pub(crate) mod interference;
pub(crate) mod named_exporters;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) mod otlp;
mod outflow;
mod outlet;
pub(crate) mod overflow;
pub(crate) mod pipeline_threads;
#[cfg(feature = "spool")]
pub(crate) mod spool;
pub(crate) mod worker;
