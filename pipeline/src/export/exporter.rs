//! Any exporter behind one type, and run with a deadline. Those of the SDK's kind get spans of the SDK's.

use std::any::type_name;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanExporter;

use crate::export::batch::Batch;
use crate::host::unwind::silenced;

/// What is asked of an exporter.
pub(crate) trait Export: Send + Sync {
    /// Reads the batch once, and drops it before it waits for anything: a thread that never comes back must
    /// not keep it. `None` if there is no answer before the deadline.
    fn export(&self, batch: Arc<Batch>, deadline: Option<Instant>) -> Option<OTelSdkResult>;

    fn flush(&self) -> OTelSdkResult;

    fn shut_down(&self, timeout: Duration) -> OTelSdkResult;

    fn set_resource(&mut self, resource: &Resource);

    /// What it is and where it exports to, without credentials.
    fn description(&self) -> String;
}

impl<E: SpanExporter> Export for E {
    fn export(&self, batch: Arc<Batch>, deadline: Option<Instant>) -> Option<OTelSdkResult> {
        let spans = batch.spans();
        drop(batch);
        run_until(SpanExporter::export(self, spans), deadline)
    }

    fn flush(&self) -> OTelSdkResult {
        self.force_flush()
    }

    fn shut_down(&self, timeout: Duration) -> OTelSdkResult {
        self.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        SpanExporter::set_resource(self, resource);
    }

    fn description(&self) -> String {
        type_name::<E>().to_owned()
    }
}

/// How it went, what an exporter was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExportResult {
    Done,
    Failed(String),
    TimedOut,
}

impl ExportResult {
    /// What it says, if it went wrong.
    pub(crate) fn error(&self) -> Option<String> {
        match self {
            ExportResult::Done => None,
            ExportResult::Failed(error) => Some(error.clone()),
            ExportResult::TimedOut => Some("no answer in time".to_owned()),
        }
    }
}

/// Exports one batch. A future that is not ready at its deadline is dropped; a panic is a failure.
pub(crate) fn export(exporter: &dyn Export, batch: Arc<Batch>, timeout: Duration) -> ExportResult {
    // A time that is too far for the clock is none.
    let deadline = Instant::now().checked_add(timeout);
    run(|| exporter.export(batch, deadline))
}

/// Lets an exporter send what it has kept back.
pub(crate) fn flush(exporter: &dyn Export) -> ExportResult {
    run(|| Some(exporter.flush()))
}

/// Shuts an exporter down; one that panics is down as well.
pub(crate) fn shut_down(exporter: &dyn Export, timeout: Duration) -> ExportResult {
    run(|| Some(exporter.shut_down(timeout)))
}

/// The exporter's own calls make no spans.
fn run(work: impl FnOnce() -> Option<OTelSdkResult>) -> ExportResult {
    match silenced(work) {
        Some(Some(Ok(()))) => ExportResult::Done,
        Some(Some(Err(error))) => ExportResult::Failed(error.to_string()),
        Some(None) => ExportResult::TimedOut,
        None => ExportResult::Failed("the exporter panicked".to_owned()),
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls on this thread until the future is ready or the time is over.
fn run_until<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        match deadline {
            Some(deadline) => {
                thread::park_timeout(deadline.checked_duration_since(Instant::now())?);
            }
            None => thread::park(),
        }
    }
}
