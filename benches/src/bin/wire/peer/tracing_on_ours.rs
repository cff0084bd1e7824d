//! `tracing` with the layer of enter-span-tracing, on the pipeline. Both have their default settings.

use std::error::Error;

use tracing_subscriber::layer::SubscriberExt as _;

use super::through_tracing::{only_these, specified, trace};
use super::{Code, Installed, ours};
use crate::transport::Endpoint;

pub(super) fn install(endpoint: &Endpoint) -> Result<Installed, Box<dyn Error>> {
    let installed = ours::install(endpoint, Code::Recorded, None)?;
    let layer = enter_span_tracing::layer();
    let subscriber = tracing_subscriber::registry()
        .with(only_these())
        .with(layer);
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(Installed {
        trace,
        specified,
        ..installed
    })
}
