//! `tracing` with the layer of tracing-opentelemetry, which has its default settings.

use std::error::Error;
use std::hint::black_box;

use opentelemetry::trace::TracerProvider as _;
use tracing::{info_span, instrument};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Installed, sdk};
use crate::transport::Endpoint;
use crate::work::CALLS;

pub(super) fn install(endpoint: &Endpoint) -> Result<Installed, Box<dyn Error>> {
    let provider = sdk(endpoint)?;
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("wire"));
    let subscriber = tracing_subscriber::registry()
        .with(only_these())
        .with(layer);
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(Installed {
        trace,
        specified,
        flush: Box::new(move || Ok(provider.force_flush()?)),
    })
}

/// The exporter's HTTP stack uses `tracing` too, and would export spans of its own exports.
pub(super) fn only_these() -> Targets {
    Targets::new().with_target(module_path!(), LevelFilter::TRACE)
}

pub(super) fn trace(_: u64) {
    let request = info_span!("request", otel.kind = "server");
    request.in_scope(|| (0..CALLS).for_each(call));
}

#[instrument(
    skip_all,
    fields(otel.kind = "client", id = id, http.route = "/orders/{id}", attempt = 1)
)]
fn call(id: u64) {
    black_box(id);
}

#[instrument(skip_all, fields(
    bench.attribute_k_00 = "value_of_twenty_ch_0",
    bench.attribute_k_01 = "value_of_twenty_ch_1",
    bench.attribute_k_02 = "value_of_twenty_ch_2",
    bench.attribute_k_03 = "value_of_twenty_ch_3",
    bench.attribute_k_04 = "value_of_twenty_ch_4",
    bench.attribute_k_05 = "value_of_twenty_ch_5",
    bench.attribute_k_06 = "value_of_twenty_ch_6",
    bench.attribute_k_07 = "value_of_twenty_ch_7",
    bench.attribute_k_08 = "value_of_twenty_ch_8",
    bench.attribute_k_09 = "value_of_twenty_ch_9",
))]
pub(super) fn specified(_: u64) {}
