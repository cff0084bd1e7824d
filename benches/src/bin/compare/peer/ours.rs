//! `enter_span`, on its pipeline and on the OpenTelemetry SDK.

use std::future::Future;

use enter_span::{enter_span, in_span};
use enter_span_pipeline::{Limits, Pipeline};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::exporter::Nowhere;
use crate::peer::{AGES, Arrived, Peer, QUEUE_SPANS, flush, sdk};
use crate::scenario::{
    Facts, Refused, Scenario, Spans, Work, body, failing_body, work, yielding_body,
};

#[derive(Default)]
pub(crate) struct OnPipeline {
    exporter: Nowhere,
    pipeline: Option<Pipeline>,
}

impl Peer for OnPipeline {
    fn install(&mut self) {
        let limits = Limits::default().with_queue_spans(QUEUE_SPANS);
        let builder = Pipeline::builder().with_exporter(self.exporter.clone());
        match builder.with_limits(limits).install() {
            Ok(pipeline) => self.pipeline = Some(pipeline),
            Err(error) => eprintln!("the pipeline is not installed: {error}"),
        }
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Ours>(scenario)
    }

    fn settle(&mut self) {
        if let Some(Err(error)) = self.pipeline.as_ref().map(|one| one.flush(AGES)) {
            eprintln!("the pipeline did not flush: {error}");
        }
    }

    fn take_arrived(&mut self) -> Arrived {
        Arrived::Counted(self.exporter.take_arrived())
    }
}

#[derive(Default)]
pub(crate) struct OnSdk {
    exporter: Nowhere,
    provider: Option<SdkTracerProvider>,
}

impl Peer for OnSdk {
    fn install(&mut self) {
        let provider = sdk(self.exporter.clone());
        enter_span::set_tracer_provider(provider.clone());
        self.provider = Some(provider);
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Ours>(scenario)
    }

    fn settle(&mut self) {
        flush(self.provider.as_ref());
    }

    fn take_arrived(&mut self) -> Arrived {
        Arrived::Counted(self.exporter.take_arrived())
    }
}

pub(super) struct Ours;

impl Spans for Ours {
    fn root(id: u64, children: impl FnOnce()) {
        root(id, children);
    }

    fn child(id: u64) -> u64 {
        child(id)
    }

    fn leaf(id: u64) -> u64 {
        leaf(id)
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
        in_span!("root", parent = super::not_sampled(), |_| children());
    }
}

#[enter_span(attributes(id))]
fn root(id: u64, children: impl FnOnce()) {
    children();
}

#[enter_span(attributes(id))]
fn child(id: u64) -> u64 {
    body(id)
}

#[enter_span(leaf, attributes(id))]
fn leaf(id: u64) -> u64 {
    body(id)
}

#[enter_span(attributes(
    id = facts.id,
    is_retry = facts.is_retry,
    ratio = facts.ratio,
    route = facts.route,
    tenant = facts.tenant,
))]
fn attributes_5(facts: Facts<'_>) -> u64 {
    body(facts.id)
}

#[enter_span(attributes(id))]
fn result(id: u64) -> Result<u64, Refused> {
    failing_body(id)
}

#[enter_span(attributes(id))]
async fn ready(id: u64) -> u64 {
    body(id)
}

#[enter_span(attributes(id))]
async fn yields(id: u64) -> u64 {
    yielding_body(id).await
}
