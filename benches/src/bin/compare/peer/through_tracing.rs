//! `tracing` with the layer of tracing-opentelemetry, which has its default settings.

use std::future::Future;

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{info_span, instrument};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::exporter::Nowhere;
use crate::peer::{Arrived, Peer, flush, sdk};
use crate::scenario::{
    Facts, Refused, Scenario, Spans, Work, body, failing_body, work, yielding_body,
};

#[derive(Default)]
pub(crate) struct ThroughTracing {
    exporter: Nowhere,
    provider: Option<SdkTracerProvider>,
}

impl Peer for ThroughTracing {
    fn install(&mut self) {
        let provider = sdk(self.exporter.clone());
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("compare"));
        let subscriber = tracing_subscriber::registry().with(layer);
        if let Err(error) = tracing::subscriber::set_global_default(subscriber) {
            eprintln!("the subscriber is not installed: {error}");
        }
        self.provider = Some(provider);
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Instrumented>(scenario)
    }

    fn settle(&mut self) {
        flush(self.provider.as_ref());
    }

    fn take_arrived(&mut self) -> Arrived {
        Arrived::Counted(self.exporter.take_arrived())
    }
}

pub(super) struct Instrumented;

impl Spans for Instrumented {
    fn root(id: u64, children: impl FnOnce()) {
        root(id, children);
    }

    fn child(id: u64) -> u64 {
        child(id)
    }

    fn leaf(id: u64) -> u64 {
        child(id)
    }

    fn attributes_5(facts: Facts<'_>) -> u64 {
        attributes_5(facts)
    }

    fn result(id: u64) -> Result<u64, Refused> {
        result(id)
    }

    fn ready(id: u64) -> impl Future<Output = u64> {
        ready(id)
    }

    fn yields(id: u64) -> impl Future<Output = u64> {
        yields(id)
    }

    fn not_sampled(children: impl FnOnce()) {
        let root = info_span!("root");
        let remote = Context::new().with_remote_span_context(super::not_sampled());
        if let Err(error) = root.set_parent(remote) {
            eprintln!("the root has not the parent that it should have: {error}");
        }
        root.in_scope(children);
    }
}

#[instrument(skip_all, fields(id = id))]
pub(super) fn root(id: u64, children: impl FnOnce()) {
    children();
}

#[instrument(skip_all, fields(id = id))]
pub(super) fn child(id: u64) -> u64 {
    body(id)
}

#[instrument(skip_all, fields(
    id = facts.id,
    is_retry = facts.is_retry,
    ratio = facts.ratio,
    route = facts.route,
    tenant = facts.tenant,
))]
pub(super) fn attributes_5(facts: Facts<'_>) -> u64 {
    body(facts.id)
}

#[instrument(skip_all, fields(id = id), err)]
pub(super) fn result(id: u64) -> Result<u64, Refused> {
    failing_body(id)
}

#[instrument(skip_all, fields(id = id))]
pub(super) async fn ready(id: u64) -> u64 {
    body(id)
}

#[instrument(skip_all, fields(id = id))]
pub(super) async fn yields(id: u64) -> u64 {
    yielding_body(id).await
}
