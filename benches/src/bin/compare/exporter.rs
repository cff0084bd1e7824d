//! The exporter that all peers have: it counts spans and drops them.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

#[derive(Clone, Debug, Default)]
pub(crate) struct Nowhere(Arc<AtomicU64>);

impl Nowhere {
    /// The spans that have arrived since it was asked before.
    pub(crate) fn take_arrived(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        black_box(batch);
        Ok(())
    }
}
