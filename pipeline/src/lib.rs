//! What an application installs: a tracer provider whose spans leave the calling thread by one short
//! hand-over, and a worker that takes them to any OpenTelemetry exporter.
//!
//! ```
//! use std::time::Duration;
//!
//! use enter_span::enter_span;
//! use enter_span_pipeline::Pipeline;
//! use opentelemetry_sdk::trace::InMemorySpanExporter;
//!
//! #[enter_span]
//! fn work() {}
//!
//! let exporter = InMemorySpanExporter::default();
//! let pipeline = Pipeline::builder().with_exporter(exporter.clone()).install()?;
//! work();
//! pipeline.flush(Duration::from_secs(5))?;
//! assert_eq!(exporter.get_finished_spans().unwrap().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where its choices come from
//!
//! From the code, in the [`Builder`]; what that leaves open, from OpenTelemetry's standard variables;
//! then from the defaults. `OTEL_SDK_DISABLED`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_TRACES_SAMPLER` and its argument, `OTEL_BSP_*`, `OTEL_SPAN_*`, `OTEL_EVENT_*`, `OTEL_LINK_*` and
//! `OTEL_ATTRIBUTE_*` are read when it is built. A wrong value is told on stderr, or to
//! [`Builder::with_warnings`], and the default holds.
//!
//! # What holds
//!
//! - A thread of the application never waits for an exporter, but where it asks to, in
//!   [`Pipeline::flush`] and [`Pipeline::shutdown`], which have deadlines.
//! - Memory is bounded, in spans and in bytes ([`Limits`]). What does not fit is dropped and counted.
//! - At any quiet moment `recorded = exported + dropped`: see [`Counts`].
//! - An exporter that fails, panics or does not answer in time costs its own batch, and spans that
//!   are made while it exports are suppressed. Exporters are served one after the other, so one that
//!   is slow delays the others; one that blocks its thread for ever stops them, and what does not fit
//!   the queue from then on is dropped and counted.

mod buffer;
mod choice;
mod clock;
mod core;
mod count;
mod ended;
mod environment;
mod exporter;
mod id;
mod install;
mod limit;
mod native;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp;
mod provider;
mod quiet;
mod record;
mod sampling;
mod size;
pub mod waterfall;
mod worker;

pub use count::{Counts, Dropped};
pub use install::{Builder, Error, Pipeline};
pub use limit::{Limits, SpanLimits};
pub use provider::{PipelineSpan, PipelineTracer, Provider};
pub use sampling::Sampler;
pub use waterfall::{Console, HtmlFiles};
