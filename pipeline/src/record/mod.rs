//! Where spans are recorded: for the runtime, and for other instrumentation through OpenTelemetry.

pub(crate) mod core;
pub(crate) mod native_backend;
pub(crate) mod provider;
pub(crate) mod record_pool;
