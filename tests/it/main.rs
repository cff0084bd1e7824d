//! The promises of `enter-span`, as a user would see them broken.

mod http;
mod invocation;
mod keep;
mod kit;
mod macros;
mod otlp;
mod pipeline;
mod propagation;
mod readme;
mod span;
mod support;
mod tasks;
mod tracing;
mod waterfall;
