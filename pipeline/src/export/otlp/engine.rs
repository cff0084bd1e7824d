//! A Tokio runtime for the transport, which the exporter's thread drives while it exports, and nobody else.
//!
//! What the transport spawns is suppressed as the exporter is, and all of it is cancelled at the deadline.
//! A runtime around all exporters would be simpler, but `reqwest`'s blocking client, the default of
//! `opentelemetry-otlp`, panics inside one.

use std::future::Future;
use std::time::Instant;

use tokio::runtime::{self, Runtime};
use tokio::task::yield_now;

/// A runtime that waits for nothing when it is dropped, also where a thread must not wait.
pub(super) struct Engine(Option<Runtime>);

impl Engine {
    pub(super) fn new() -> Result<Self, String> {
        let mut builder = runtime::Builder::new_current_thread();
        let runtime = builder.enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| format!("no Tokio runtime: {error}"))?;
        Ok(Engine(Some(runtime)))
    }

    /// `None` if the time is over before.
    pub(super) fn run_until<F: Future>(
        &self,
        future: F,
        deadline: Option<Instant>,
    ) -> Option<F::Output> {
        self.0.as_ref()?.block_on(async {
            // What has become of idle connections is seen first.
            yield_now().await;
            let output = match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
                None => Some(future.await),
            };
            // What was cancelled closes its connection now, and not at the next export.
            yield_now().await;
            output
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
