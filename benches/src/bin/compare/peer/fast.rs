//! fastrace, with its OpenTelemetry reporter.

use std::borrow::Cow;
use std::future::Future;

use fastrace::collector::{Config, SpanContext};
use fastrace::local::LocalSpan;
use fastrace::{Span, trace};
use fastrace_opentelemetry::{OpenTelemetryReporter, SPAN_STATUS_CODE, SPAN_STATUS_DESCRIPTION};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;

use crate::exporter::Nowhere;
use crate::peer::{Arrived, Peer};
use crate::scenario::{
    Facts, Refused, Scenario, Spans, Work, body, failing_body, work, yielding_body,
};

#[derive(Default)]
pub(crate) struct Fast {
    exporter: Nowhere,
}

impl Peer for Fast {
    fn install(&mut self) {
        let reporter = OpenTelemetryReporter::new(
            self.exporter.clone(),
            Cow::Owned(Resource::builder().build()),
            InstrumentationScope::builder("compare").build(),
        );
        fastrace::set_reporter(reporter, Config::default());
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Traced>(scenario)
    }

    fn settle(&mut self) {
        fastrace::flush();
    }

    fn take_arrived(&mut self) -> Arrived {
        Arrived::Counted(self.exporter.take_arrived())
    }
}

struct Traced;

impl Spans for Traced {
    fn root(id: u64, children: impl FnOnce()) {
        let root = Span::root("root", SpanContext::random());
        let root = root.with_property(|| ("id", id.to_string()));
        let _local = root.set_local_parent();
        children();
    }

    fn child(id: u64) -> u64 {
        child(id)
    }

    fn leaf(id: u64) -> u64 {
        child(id)
    }

    fn attributes_5(facts: Facts<'_>) -> u64 {
        let Facts { id, .. } = facts;
        attributes_5(id, facts.is_retry, facts.ratio, facts.route, facts.tenant)
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

    /// Without a parent, as its own documentation says it.
    fn not_sampled(children: impl FnOnce()) {
        children();
    }
}

#[trace(properties = { "id": "{id}" })]
fn child(id: u64) -> u64 {
    body(id)
}

#[trace(properties = {
    "id": "{id}",
    "is_retry": "{is_retry}",
    "ratio": "{ratio}",
    "route": "{route}",
    "tenant": "{tenant}",
})]
fn attributes_5(id: u64, is_retry: bool, ratio: f64, route: &'static str, tenant: &str) -> u64 {
    body(id)
}

#[trace(properties = { "id": "{id}" })]
fn result(id: u64) -> Result<u64, Refused> {
    failing_body(id).inspect_err(|error| {
        LocalSpan::add_properties(|| {
            [
                (SPAN_STATUS_CODE, Cow::from("error")),
                (SPAN_STATUS_DESCRIPTION, Cow::from(error.to_string())),
            ]
        });
    })
}

#[trace(properties = { "id": "{id}" })]
async fn ready(id: u64) -> u64 {
    body(id)
}

#[trace(properties = { "id": "{id}" })]
async fn yields(id: u64) -> u64 {
    yielding_body(id).await
}
