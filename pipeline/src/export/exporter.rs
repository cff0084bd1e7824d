//! Any exporter behind one type, and run with a deadline. Those of the SDK's kind get spans of the SDK's.

use std::any::type_name;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
#[cfg(all(feature = "spool", unix))]
use std::sync::Mutex;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanExporter;

use crate::export::batch::Batch;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
use crate::export::encode::EncodedRequest;
#[cfg(all(feature = "spool", unix))]
use crate::export::encode::Encoder;
use crate::host::unwind::silenced;
use crate::stats::counts::{DropCause, Ledger};

/// What is asked of an exporter.
pub(crate) trait Export: Send + Sync {
    /// Drops the batch before it waits for anything: a thread that never comes back must not keep it. What has
    /// no answer at the deadline is timed out.
    fn export(&self, batch: Batch, deadline: Option<Instant>) -> ExportResult;

    /// Sends what was [delayed](ExportResult::Delayed) again.
    fn resume(&self, _rest: Rest, _deadline: Option<Instant>) -> ExportResult {
        ExportResult::Failed("the exporter has kept nothing".to_owned())
    }

    fn flush(&self) -> OTelSdkResult;

    fn shut_down(&self, timeout: Duration) -> OTelSdkResult;

    fn set_resource(&mut self, resource: &Resource);

    /// Counts here what the batches do not say: requests that were sent again immediately.
    fn count_in(&mut self, _ledger: &Arc<Ledger>) {}

    /// What it is and where it exports to, without credentials.
    fn description(&self) -> String;

    /// What writes its requests, if they can be sent later.
    #[cfg(all(feature = "spool", unix))]
    fn encoder(&self) -> Option<Arc<Mutex<Encoder>>> {
        None
    }
}

impl<E: SpanExporter> Export for E {
    fn export(&self, batch: Batch, deadline: Option<Instant>) -> ExportResult {
        let spans = batch.into_spans();
        match run_until(SpanExporter::export(self, spans), deadline) {
            Some(exported) => exported.into(),
            None => ExportResult::TimedOut,
        }
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
#[derive(Debug)]
pub(crate) enum ExportResult {
    Done,
    Failed(String),
    TimedOut,
    /// Of a batch whose spans did not all go the same way.
    #[cfg_attr(
        not(any(feature = "otlp-http", feature = "otlp-grpc")),
        expect(dead_code, reason = "other exporters do not say so much")
    )]
    InParts(Parts),
    /// It failed in a way that may pass: another try may help.
    #[cfg_attr(
        not(any(feature = "otlp-http", feature = "otlp-grpc")),
        expect(dead_code, reason = "other exporters do not say so much")
    )]
    Delayed(Delayed),
}

/// A batch, or what is left of one, that may be sent again.
#[derive(Debug)]
pub(crate) struct Delayed {
    /// What became of the others.
    pub(crate) done: Parts,
    pub(crate) rest: Rest,
    /// What costs the spans of the rest, if it is not sent again.
    pub(crate) cause: DropCause,
    pub(crate) reason: String,
    /// The pause that the receiver asks for.
    pub(crate) pause: Option<Duration>,
}

/// Requests that have no answer for good.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub(crate) requests: VecDeque<EncodedRequest>,
}

impl Rest {
    /// How many there are.
    pub(crate) fn requests(&self) -> usize {
        #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
        let requests = self.requests.len();
        #[cfg(not(any(feature = "otlp-http", feature = "otlp-grpc")))]
        let requests = 0;
        requests
    }
}

/// What became of the spans of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) exported: usize,
    /// The others, by cause.
    pub(crate) dropped: Vec<(DropCause, usize)>,
    pub(crate) error: Option<String>,
    /// What the receiver says of spans that it took.
    pub(crate) note: Option<String>,
}

pub(crate) const NO_ANSWER: &str = "no answer in time";

impl ExportResult {
    /// What it says, if it went wrong.
    pub(crate) fn error(&self) -> Option<String> {
        match self {
            ExportResult::Done => None,
            ExportResult::Failed(error) => Some(error.clone()),
            ExportResult::TimedOut => Some(NO_ANSWER.to_owned()),
            ExportResult::InParts(parts) => parts.error.clone(),
            ExportResult::Delayed(delayed) => Some(delayed.reason.clone()),
        }
    }

    /// With the parts of a batch of so many spans.
    pub(crate) fn into_parts(self, spans: usize) -> Parts {
        let error = self.error();
        let cause = match self {
            ExportResult::InParts(parts) => return parts,
            ExportResult::Done => None,
            ExportResult::Failed(_) => Some(DropCause::Failed),
            ExportResult::TimedOut => Some(DropCause::TimedOut),
            // An exporter that can send it again does not ask for this.
            ExportResult::Delayed(delayed) => Some(delayed.cause),
        };
        let mut parts = Parts {
            error,
            ..Parts::default()
        };
        match cause {
            None => parts.exported = spans,
            Some(cause) => parts.drop_for(cause, spans),
        }
        parts
    }
}

impl From<OTelSdkResult> for ExportResult {
    fn from(result: OTelSdkResult) -> Self {
        match result {
            Ok(()) => ExportResult::Done,
            Err(error) => ExportResult::Failed(error.to_string()),
        }
    }
}

impl Parts {
    pub(crate) fn drop_for(&mut self, cause: DropCause, spans: usize) {
        if spans > 0 {
            self.dropped.push((cause, spans));
        }
    }

    /// How many there are.
    pub(crate) fn spans(&self) -> usize {
        let dropped: usize = self.dropped.iter().map(|(_, spans)| spans).sum();
        self.exported + dropped
    }

    /// Those of a later try.
    pub(crate) fn add(&mut self, later: Parts) {
        self.exported += later.exported;
        self.dropped.extend(later.dropped);
        self.error = later.error.or(self.error.take());
        self.note = later.note.or(self.note.take());
    }
}

/// Exports one batch. A future that is not ready at its deadline is dropped; a panic is a failure.
pub(crate) fn export(exporter: &dyn Export, batch: Batch, timeout: Duration) -> ExportResult {
    // A time that is too far for the clock is none.
    let deadline = Instant::now().checked_add(timeout);
    let exported = silenced(|| exporter.export(batch, deadline));
    exported.unwrap_or_else(panicked)
}

/// Sends the rest of a batch again.
pub(crate) fn resume(exporter: &dyn Export, rest: Rest, timeout: Duration) -> ExportResult {
    let deadline = Instant::now().checked_add(timeout);
    let exported = silenced(|| exporter.resume(rest, deadline));
    exported.unwrap_or_else(panicked)
}

/// Lets an exporter send what it has kept back.
pub(crate) fn flush(exporter: &dyn Export) -> ExportResult {
    run(|| exporter.flush())
}

/// Shuts an exporter down; one that panics is down as well.
pub(crate) fn shut_down(exporter: &dyn Export, timeout: Duration) -> ExportResult {
    run(|| exporter.shut_down(timeout))
}

/// The exporter's own calls make no spans.
fn run(work: impl FnOnce() -> OTelSdkResult) -> ExportResult {
    silenced(work).map_or_else(panicked, ExportResult::from)
}

pub(crate) fn panicked() -> ExportResult {
    ExportResult::Failed("the exporter panicked".to_owned())
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
