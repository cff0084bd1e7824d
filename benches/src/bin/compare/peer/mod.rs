//! The peers: how each is installed, and how it says a span.

mod by_hand;
mod fast;
mod founded;
mod mirrored;
mod ours;
mod through_tracing;
mod tracing_on_ours;

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use crate::exporter::Nowhere;
use crate::scenario::{Scenario, Work};

/// The names, in the order of the tables. The first is what the others are compared with.
pub(crate) const NAMES: [&str; 9] = [
    "enter_span",
    "enter_span_with_mirror",
    "enter_span_on_sdk",
    "opentelemetry_sdk",
    "tracing_opentelemetry",
    "tracing_on_enter_span",
    "tracing_alone",
    "fastrace",
    "foundations",
];

pub(crate) fn named(name: &str) -> Option<Box<dyn Peer>> {
    Some(match name {
        "enter_span" => Box::new(ours::OnPipeline::default()),
        "enter_span_with_mirror" => Box::new(mirrored::Mirrored::default()),
        "tracing_alone" => Box::new(mirrored::Bare),
        "enter_span_on_sdk" => Box::new(ours::OnSdk::default()),
        "opentelemetry_sdk" => Box::new(by_hand::ByHand::default()),
        "tracing_opentelemetry" => Box::new(through_tracing::ThroughTracing::default()),
        "tracing_on_enter_span" => Box::new(tracing_on_ours::TracingOnOurs::default()),
        "fastrace" => Box::new(fast::Fast::default()),
        "foundations" => Box::new(founded::Founded::default()),
        _ => return None,
    })
}

pub(crate) trait Peer: Sync {
    /// From now on spans are recorded, and exported to nowhere.
    fn install(&mut self);

    fn work(&self, scenario: Scenario) -> Work;

    /// Does it on this thread, where that has to be prepared.
    fn on_this_thread(&self, work: &mut dyn FnMut()) {
        work();
    }

    /// Waits until all spans are exported.
    fn settle(&mut self);

    /// The spans that have arrived since this was asked before. [`Peer::settle`] was called.
    fn take_arrived(&mut self) -> Arrived;

    /// Asked for in the round that is not measured: like [`Peer::settle`], and afterwards
    /// [`Peer::take_arrived`] knows the number.
    fn settle_and_count(&mut self) {
        self.settle();
    }
}

/// How many spans have arrived.
#[derive(Clone, Copy)]
pub(crate) enum Arrived {
    Counted(u64),
    /// Counting them would cost more than what is measured.
    NotCounted,
}

/// So many may wait that a round never fills it.
const QUEUE_SPANS: usize = 1 << 16;

const AGES: Duration = Duration::from_secs(60);

/// The SDK with its batch processor, whose other settings are the defaults.
fn sdk(exporter: Nowhere) -> SdkTracerProvider {
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(config)
        .build();
    SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build()
}

fn flush(provider: Option<&SdkTracerProvider>) {
    if let Some(Err(error)) = provider.map(SdkTracerProvider::force_flush) {
        eprintln!("the SDK did not flush: {error}");
    }
}

/// A caller that has sampled its trace out.
fn not_sampled() -> SpanContext {
    SpanContext::new(
        TraceId::from(7_u128),
        SpanId::from(7_u64),
        TraceFlags::NOT_SAMPLED,
        true,
        TraceState::NONE,
    )
}
