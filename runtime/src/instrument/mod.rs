//! Work that runs in a span: functions, futures, streams, closures, tasks and messages.

#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod alias_warning;
pub(crate) mod envelope;
pub(crate) mod functions;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod future;
pub(crate) mod in_span;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod stream;

#[cfg(feature = "tokio")]
pub mod task;
