//! OTLP, through `opentelemetry-otlp`, on a Tokio runtime of its own.
//!
//! An async transport needs a runtime, and a blocking one cannot be cancelled. A runtime around all
//! exporters would be simpler, but `reqwest`'s blocking client, the default of `opentelemetry-otlp`,
//! panics inside one.
//!
//! `opentelemetry-otlp` reads the variables of the process after the settings of the code. Endpoint,
//! protocol and timeout take precedence over them; headers do not. So headers are set where the request
//! leaves: in the HTTP client, and in gRPC's interceptor.
//!
//! The runtime is driven by the exporter's thread while it exports, and by no other: what the transport
//! runs is suppressed as the exporter is, and all of it is cancelled at the deadline.

#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::http::header::USER_AGENT;
use ::http::{HeaderMap, HeaderValue};
use opentelemetry_otlp::SpanExporter as Exporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanExporter;
use tokio::runtime::{self, Runtime};

use crate::environment::{OtlpSettings, Protocol};
use crate::export::batch::Batch;
use crate::export::exporter::Export;

pub(crate) struct Otlp {
    exporter: Exporter,
    engine: Engine,
    timeout: Duration,
    transport_error: TransportError,
    description: String,
}

impl Otlp {
    /// # Errors
    ///
    /// What is missing, or wrong with the settings for TLS.
    pub(crate) fn new(settings: &OtlpSettings) -> Result<Self, String> {
        let engine = Engine::new()?;
        let (exporter, transport_error) = engine.enter(|| exporter(settings))?;
        Ok(Otlp {
            exporter,
            engine,
            timeout: settings.timeout,
            transport_error,
            description: describe(settings),
        })
    }
}

fn exporter(settings: &OtlpSettings) -> Result<(Exporter, TransportError), String> {
    match settings.protocol {
        #[cfg(feature = "otlp-http")]
        Protocol::Http => http::exporter(settings),
        #[cfg(not(feature = "otlp-http"))]
        Protocol::Http => Err(missing("otlp-http")),
        #[cfg(feature = "otlp-grpc")]
        Protocol::Grpc => {
            grpc::exporter(settings).map(|exporter| (exporter, TransportError::default()))
        }
        #[cfg(not(feature = "otlp-grpc"))]
        Protocol::Grpc => Err(missing("otlp-grpc")),
    }
}

#[cfg(not(all(feature = "otlp-http", feature = "otlp-grpc")))]
fn missing(feature: &str) -> String {
    format!("this protocol needs the feature `{feature}` of `enter-span-pipeline`")
}

/// Without its query, which can hold a key.
fn describe(settings: &OtlpSettings) -> String {
    let endpoint = settings.endpoint.to_string();
    let shown = endpoint.split('?').next().unwrap_or_default();
    format!("otlp {} {shown}", settings.protocol.name())
}

impl Export for Otlp {
    fn export(&self, batch: Arc<Batch>, deadline: Option<Instant>) -> Option<OTelSdkResult> {
        let spans = batch.spans();
        drop(batch);
        let own = Instant::now().checked_add(self.timeout);
        let deadline = own.into_iter().chain(deadline).min();
        let export = async {
            // What has become of idle connections is seen first.
            tokio::task::yield_now().await;
            SpanExporter::export(&self.exporter, spans).await
        };
        match self.engine.run_until(export, deadline)? {
            // The transport has the same deadline, and may be the first to see it.
            Err(_) if deadline.is_some_and(|deadline| deadline <= Instant::now()) => None,
            exported => Some(exported.map_err(|error| self.transport_error.explain(error))),
        }
    }

    fn flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shut_down(&self, _: Duration) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        SpanExporter::set_resource(&mut self.exporter, resource);
    }

    fn description(&self) -> String {
        self.description.clone()
    }
}

/// A runtime that waits for nothing when it is dropped, also where a thread must not wait.
struct Engine(Option<Runtime>);

impl Engine {
    fn new() -> Result<Self, String> {
        let mut builder = runtime::Builder::new_current_thread();
        let runtime = builder.enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| format!("no Tokio runtime: {error}"))?;
        Ok(Engine(Some(runtime)))
    }

    /// For what spawns when it is made.
    fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.0.as_ref().map(Runtime::enter);
        work()
    }

    /// `None` if the time is over before.
    fn run_until<F: Future>(&self, future: F, deadline: Option<Instant>) -> Option<F::Output> {
        self.0.as_ref()?.block_on(async {
            match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
                None => Some(future.await),
            }
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why a transport failed. The HTTP exporter does not return it.
#[derive(Clone, Debug, Default)]
struct TransportError(Arc<Mutex<Option<String>>>);

impl TransportError {
    #[cfg(feature = "otlp-http")]
    fn set(&self, transport_error: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(transport_error);
    }

    fn explain(&self, error: OTelSdkError) -> OTelSdkError {
        let transport_error = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (error, transport_error) {
            (OTelSdkError::InternalFailure(error), Some(transport_error)) => {
                OTelSdkError::InternalFailure(format!("{error}: {transport_error}"))
            }
            (error, _) => error,
        }
    }
}

/// Only what was asked for: `opentelemetry-otlp` adds the headers of the process's environment.
fn headers(mut all: HeaderMap, agent: Option<HeaderValue>) -> HeaderMap {
    if let Some(agent) = agent {
        all.entry(USER_AGENT).or_insert(agent);
    }
    all
}
