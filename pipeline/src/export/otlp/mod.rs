//! OTLP: encoded from the records, and sent over a connection of its own.
//!
//! `engine` drives all of it. `client` sends a message over `connection`; `http` and `grpc` write requests and
//! read replies. What may pass is sent again later: here is what is left of the batch then, and no pause.

mod answer;
mod client;
mod connection;
mod connector;
mod engine;
#[cfg(feature = "otlp-grpc")]
mod grpc;
mod gzip;
#[cfg(feature = "otlp-http")]
mod http;
mod message;
mod redaction;
mod tls;
mod tunnel;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;

use self::answer::{Answer, Failure, Retry, Taken};
use self::client::Client;
use self::engine::Engine;
use crate::environment::OtlpSettings;
use crate::export::batch::Batch;
use crate::export::encode::{EncodedRequest, Encoder};
use crate::export::exporter::{Delayed, Export, ExportResult, NO_ANSWER, Parts, Rest};
use crate::stats::counts::{DropCause, Ledger};

pub(crate) struct Otlp {
    client: Client,
    encoder: Arc<Mutex<Encoder>>,
    engine: Engine,
    timeout: Duration,
    ledger: Arc<Ledger>,
    description: String,
}

impl Otlp {
    /// # Errors
    ///
    /// What is missing, or wrong with the settings for TLS.
    pub(crate) fn new(settings: &OtlpSettings) -> Result<Self, String> {
        Ok(Otlp {
            client: Client::new(settings)?,
            encoder: Arc::new(Mutex::new(Encoder::new())),
            engine: Engine::new()?,
            timeout: settings.timeout,
            ledger: Arc::default(),
            description: describe(settings),
        })
    }

    fn encode(&self, batch: Batch) -> VecDeque<EncodedRequest> {
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        batch.encode(&mut encoder).into()
    }

    fn send(
        &self,
        mut requests: VecDeque<EncodedRequest>,
        deadline: Option<Instant>,
    ) -> ExportResult {
        let own = Instant::now().checked_add(self.timeout);
        let deadline = own.into_iter().chain(deadline).min();
        let mut done = Parts::default();
        let sent = self.send_all(&mut requests, &mut done);
        let (cause, failure) = match self.engine.run_until(sent, deadline) {
            Some(Ok(())) => return ExportResult::InParts(done),
            Some(Err(failure)) => (DropCause::Failed, failure),
            None => {
                let reason = self.client.with_way(NO_ANSWER.to_owned());
                (DropCause::TimedOut, Failure::passing(reason))
            }
        };
        ExportResult::Delayed(Delayed {
            done,
            rest: Rest { requests },
            cause,
            pause: failure.retry.pause(),
            reason: failure.reason,
        })
    }

    /// One after the other: each costs itself. Those that are left are to be sent again.
    async fn send_all(
        &self,
        requests: &mut VecDeque<EncodedRequest>,
        done: &mut Parts,
    ) -> Result<(), Failure> {
        let on_retry = |reason: &str| self.ledger.retry(reason);
        while let Some(EncodedRequest { bytes, spans }) = requests.front() {
            let answer = self.client.send(bytes.clone(), on_retry).await;
            match answer {
                Err(failure) if failure.retry != Retry::Never => return Err(failure),
                answer => add(done, answer, *spans),
            }
            requests.pop_front();
        }
        Ok(())
    }
}

/// Without its query, which can hold a key.
fn describe(settings: &OtlpSettings) -> String {
    let protocol = settings.protocol.name();
    if let Some(socket) = &settings.socket {
        return format!("otlp {protocol} unix://{}", socket.display());
    }
    let endpoint = settings.endpoint.to_string();
    let shown = endpoint.split('?').next().unwrap_or_default();
    match &settings.proxy {
        Some(proxy) => format!("otlp {protocol} {shown} through proxy {}", proxy.name()),
        None => format!("otlp {protocol} {shown}"),
    }
}

/// Adds what came of a request with so many spans.
fn add(done: &mut Parts, answer: Answer, spans: usize) {
    match answer {
        Ok(Taken {
            rejected: 0,
            message,
        }) => {
            done.exported += spans;
            if !message.is_empty() {
                done.note = Some(message);
            }
        }
        Ok(Taken { rejected, message }) => {
            let rejected = usize::try_from(rejected).unwrap_or(spans).min(spans);
            done.exported += spans - rejected;
            done.drop_for(DropCause::Rejected, rejected);
            let error = format!("the receiver rejected {rejected} of {spans} spans");
            done.error = Some(match &*message {
                "" => error,
                message => format!("{error}: {message}"),
            });
        }
        Err(failure) => {
            done.drop_for(DropCause::Failed, spans);
            done.error = Some(failure.reason);
        }
    }
}

impl Export for Otlp {
    fn export(&self, batch: Batch, deadline: Option<Instant>) -> ExportResult {
        self.send(self.encode(batch), deadline)
    }

    fn resume(&self, rest: Rest, deadline: Option<Instant>) -> ExportResult {
        self.send(rest.requests, deadline)
    }

    /// Nothing is kept back.
    fn flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shut_down(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        encoder.set_resource(resource);
    }

    fn count_in(&mut self, ledger: &Arc<Ledger>) {
        self.ledger = Arc::clone(ledger);
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    #[cfg(all(feature = "spool", unix))]
    fn encoder(&self) -> Option<Arc<Mutex<Encoder>>> {
        Some(Arc::clone(&self.encoder))
    }
}

/// Reads the answer of a receiver: `rejected_spans` and `error_message`. `None` if it is none.
pub fn read_response(message: &[u8]) -> Option<(u64, String)> {
    let taken = message::taken(message).ok()?;
    Some((taken.rejected, taken.message))
}

/// Reads a `google.rpc.Status`: its message, and the delay of its `RetryInfo`. `None` if it is none.
pub fn read_status(message: &[u8]) -> Option<(String, Option<Duration>)> {
    let status = message::rpc_status(message).ok()?;
    Some((status.message, status.retry_delay))
}
