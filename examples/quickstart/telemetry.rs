//! Where the spans go: through the OpenTelemetry SDK into a list.
//!
//! It is the set-up that any application has, with another exporter: a provider, installed once,
//! and shut down before the process ends.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor};

/// The installed provider, and the two things of it that are looked at in the end.
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
    started: Started,
    exported: Exported,
}

impl Telemetry {
    /// From here on, spans are recorded.
    pub(crate) fn install() -> Self {
        let started = Started::default();
        let exported = Exported::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(started.clone())
            .with_batch_exporter(exported.clone())
            .build();
        enter_span::set_tracer_provider(provider.clone());
        Telemetry {
            provider,
            started,
            exported,
        }
    }

    /// Shuts the provider down, so that the last batch leaves, and gives what has arrived.
    pub(crate) fn finish(self) -> Recorded {
        // What a failed shutdown loses is counted as dropped.
        let _ = self.provider.shutdown();
        let mut spans = self.exported.0.lock();
        let spans = spans.as_deref_mut().map(std::mem::take);
        Recorded {
            spans: spans.unwrap_or_default(),
            started: self.started.0.load(Ordering::Relaxed),
        }
    }
}

/// What was exported, and how much should have been.
pub(crate) struct Recorded {
    pub(crate) spans: Vec<SpanData>,
    started: usize,
}

impl Recorded {
    pub(crate) fn traces(&self) -> usize {
        let ids = self.spans.iter().map(|span| span.span_context.trace_id());
        ids.collect::<HashSet<_>>().len()
    }

    pub(crate) fn dropped(&self) -> usize {
        self.started.saturating_sub(self.spans.len())
    }
}

/// Counts what starts, to know later what is missing.
#[derive(Clone, Debug, Default)]
struct Started(Arc<AtomicUsize>);

impl SpanProcessor for Started {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Keeps what the provider exports.
#[derive(Clone, Debug, Default)]
struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Exported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = self.0.lock();
        spans.unwrap_or_else(PoisonError::into_inner).extend(batch);
        Ok(())
    }
}
