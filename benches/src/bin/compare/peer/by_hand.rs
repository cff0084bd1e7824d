//! The OpenTelemetry SDK, with its API called by hand.

use std::sync::{LazyLock, OnceLock};

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{
    FutureExt as _, Span as _, Status, TraceContextExt as _, Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::exporter::Nowhere;
use crate::peer::{Arrived, Peer, flush, sdk};
use crate::scenario::{
    Facts, Refused, Scenario, Spans, Work, body, failing_body, work, yielding_body,
};

#[derive(Default)]
pub(crate) struct ByHand {
    exporter: Nowhere,
    provider: Option<SdkTracerProvider>,
}

/// The SDK's own tracer, which is quicker than the boxed one of the global provider.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What there is while nothing is installed.
static OFF: LazyLock<BoxedTracer> = LazyLock::new(|| global::tracer("compare"));

impl Peer for ByHand {
    fn install(&mut self) {
        let provider = sdk(self.exporter.clone());
        TRACER.get_or_init(|| provider.tracer("compare"));
        self.provider = Some(provider);
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<ApiCalls>(scenario)
    }

    fn settle(&mut self) {
        flush(self.provider.as_ref());
    }

    fn take_arrived(&mut self) -> Arrived {
        Arrived::Counted(self.exporter.take_arrived())
    }
}

struct ApiCalls;

fn tracer() -> &'static SdkTracer {
    TRACER.get().expect("it is installed before")
}

fn id(id: u64) -> KeyValue {
    KeyValue::new("id", id as i64)
}

fn in_span(tracer: &impl Tracer<Span: Send + Sync + 'static>, number: u64) -> u64 {
    tracer.in_span("child", |context| {
        context.span().set_attribute(id(number));
        body(number)
    })
}

/// A context with a new span, which ends with it.
fn with_span(number: u64) -> Context {
    let mut span = tracer().start("child");
    span.set_attribute(id(number));
    Context::current_with_span(span)
}

impl Spans for ApiCalls {
    fn root(number: u64, children: impl FnOnce()) {
        tracer().in_span("root", |context| {
            context.span().set_attribute(id(number));
            children();
        });
    }

    fn child(number: u64) -> u64 {
        match TRACER.get() {
            Some(tracer) => in_span(tracer, number),
            None => in_span(&*OFF, number),
        }
    }

    fn leaf(number: u64) -> u64 {
        let mut span = tracer().start("leaf");
        span.set_attribute(id(number));
        let value = body(number);
        span.end();
        value
    }

    fn attributes_5(facts: Facts<'_>) -> u64 {
        tracer().in_span("attributes_5", |context| {
            context.span().set_attributes([
                id(facts.id),
                KeyValue::new("is_retry", facts.is_retry),
                KeyValue::new("ratio", facts.ratio),
                KeyValue::new("route", facts.route),
                KeyValue::new("tenant", facts.tenant.to_owned()),
            ]);
            body(facts.id)
        })
    }

    fn result(number: u64) -> Result<u64, Refused> {
        tracer().in_span("result", |context| {
            let span = context.span();
            span.set_attribute(id(number));
            failing_body(number).inspect_err(|error| {
                span.record_error(error);
                span.set_status(Status::error(error.to_string()));
            })
        })
    }

    async fn ready(number: u64) -> u64 {
        let context = with_span(number);
        async { body(number) }.with_context(context).await
    }

    async fn yields(number: u64) -> u64 {
        let context = with_span(number);
        yielding_body(number).with_context(context).await
    }

    fn not_sampled(children: impl FnOnce()) {
        let remote = Context::new().with_remote_span_context(super::not_sampled());
        let _remote = remote.attach();
        tracer().in_span("root", |_| children());
    }
}
