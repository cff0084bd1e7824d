//! `tracing` with the layer of enter-span-tracing, on the pipeline. Both have their default settings.

use std::future::Future;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt as _;

use super::ours::OnPipeline;
use super::through_tracing::{attributes_5, child, ready, result, root, yields};
use crate::peer::{Arrived, Peer};
use crate::scenario::{Facts, Refused, Scenario, Spans, Work, work};

#[derive(Default)]
pub(crate) struct TracingOnOurs(OnPipeline);

impl Peer for TracingOnOurs {
    fn install(&mut self) {
        self.0.install();
        let subscriber = tracing_subscriber::registry().with(enter_span_tracing::layer());
        if let Err(error) = tracing::subscriber::set_global_default(subscriber) {
            eprintln!("the subscriber is not installed: {error}");
        }
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Instrumented>(scenario)
    }

    fn settle(&mut self) {
        self.0.settle();
    }

    fn take_arrived(&mut self) -> Arrived {
        self.0.take_arrived()
    }
}

/// The same functions as with tracing-opentelemetry.
struct Instrumented;

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
        let remote = Context::new().with_remote_span_context(super::not_sampled());
        let root = {
            let _remote = remote.attach();
            info_span!("root")
        };
        root.in_scope(children);
    }
}
