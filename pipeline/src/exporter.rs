//! Any exporter of the SDK's kind, behind one type, and run with a deadline.

use std::any::type_name;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// What is asked of an exporter.
pub(crate) trait Export: Send + Sync {
    /// `None` if there is no answer before the deadline.
    fn export(&self, batch: Vec<SpanData>, deadline: Option<Instant>) -> Option<OTelSdkResult>;

    fn flush(&self) -> OTelSdkResult;

    fn shut_down(&self, timeout: Duration) -> OTelSdkResult;

    fn set_resource(&mut self, resource: &Resource);

    /// What it is and where it exports to, without credentials.
    fn description(&self) -> String;
}

impl<E: SpanExporter> Export for E {
    fn export(&self, batch: Vec<SpanData>, deadline: Option<Instant>) -> Option<OTelSdkResult> {
        run_until(SpanExporter::export(self, batch), deadline)
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

/// How an export went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Exported,
    Failed(String),
    TimedOut,
}

/// Exports one batch. A future that is not ready at its deadline is dropped; a panic is a failure.
pub(crate) fn export(exporter: &dyn Export, batch: Vec<SpanData>, timeout: Duration) -> Outcome {
    // The exporter's own calls make no spans.
    let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
    // A time that is too far for the clock is none.
    let deadline = Instant::now().checked_add(timeout);
    let export = || exporter.export(batch, deadline);
    match catch_unwind(AssertUnwindSafe(export)) {
        Ok(Some(Ok(()))) => Outcome::Exported,
        Ok(Some(Err(error))) => Outcome::Failed(error.to_string()),
        Ok(None) => Outcome::TimedOut,
        Err(payload) => {
            // It may panic again in its own destructor.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
            Outcome::Failed("the exporter panicked".to_owned())
        }
    }
}

/// Lets an exporter send what it has kept back.
pub(crate) fn flush(exporter: &dyn Export) {
    harmless(|| drop(exporter.flush()));
}

/// Shuts an exporter down; one that panics is down as well.
pub(crate) fn shut_down(exporter: &dyn Export, timeout: Duration) {
    harmless(|| drop(exporter.shut_down(timeout)));
}

/// Runs code of the application's: it makes no spans, and its panic ends here.
pub(crate) fn harmless(work: impl FnOnce()) {
    let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
    let _ = catch_unwind(AssertUnwindSafe(work)).map_err(std::mem::forget);
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
