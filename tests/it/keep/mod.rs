//! The decision at the end of a trace: what is exported, why, and what is counted.

mod books;
mod bounds;
mod environment;
mod local_trace;
mod random;
mod rules;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use enter_span::Tracer;
use enter_span_pipeline::{Counts, Keep, Limits, Pipeline, PipelineProvider};
use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry_sdk::trace::SpanData;

use crate::pipeline::{AGES, Exporter, Warnings, build, tracer};

/// A pipeline with a policy, whose worker does nothing before it is asked to: so a test knows what is decided when.
struct Rig {
    pipeline: Pipeline,
    tracer: Tracer,
    exported: Arc<Mutex<Vec<SpanData>>>,
    warnings: Warnings,
}

fn rig(keep: Keep) -> Rig {
    rig_with(keep, Limits::default())
}

fn rig_with(keep: Keep, limits: Limits) -> Rig {
    let exported = Arc::<Mutex<Vec<SpanData>>>::default();
    let list = Arc::clone(&exported);
    let collects = Exporter(move |batch: Vec<SpanData>| {
        list.lock().expect("the list").extend(batch);
        Ok(())
    });
    let warnings = Warnings::default();
    let builder = Pipeline::builder()
        .with_exporter(collects)
        .with_limits(limits.with_interval(Duration::from_secs(3600)))
        .with_keep(keep);
    let pipeline = build(warnings.of(builder));
    Rig {
        tracer: tracer(&pipeline),
        pipeline,
        exported,
        warnings,
    }
}

impl Rig {
    /// What was exported since the last call.
    fn flush(&self) -> Vec<SpanData> {
        self.pipeline.flush(AGES).expect("flushed in time");
        assert_balanced(self.pipeline.counts());
        self.taken()
    }

    fn taken(&self) -> Vec<SpanData> {
        std::mem::take(&mut self.exported.lock().expect("the list"))
    }

    /// The names of it, in the order of their export.
    fn names(&self) -> Vec<String> {
        names(&self.flush())
    }

    fn provider(&self) -> PipelineProvider {
        self.pipeline.provider()
    }

    /// A root of other instrumentation, which took so long by its own clock.
    fn root_of(&self, duration: Duration, name: &'static str) {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let tracer = self.provider().tracer("other");
        let builder = tracer.span_builder(name).with_start_time(start);
        let mut span = builder.start_with_context(&tracer, &Context::new());
        span.end_with_timestamp(start + duration);
    }
}

fn names(spans: &[SpanData]) -> Vec<String> {
    spans.iter().map(|span| span.name.to_string()).collect()
}

/// Why the trace of a root was kept, by its attribute.
fn reason(span: &SpanData) -> Option<String> {
    let mut reasons = span.attributes.iter();
    let mut reasons = reasons
        .by_ref()
        .filter(|one| one.key.as_str() == "enter_span.kept");
    let reason = reasons.next().map(|one| one.value.to_string());
    assert!(reasons.next().is_none(), "two reasons: {span:?}");
    reason
}

/// Each span with its reason.
fn reasons(spans: &[SpanData]) -> Vec<(String, Option<String>)> {
    let both = |span: &SpanData| (span.name.to_string(), reason(span));
    spans.iter().map(both).collect()
}

/// What must hold whenever nothing is on its way.
#[track_caller]
fn assert_balanced(counts: Counts) {
    let gone = counts.exported + counts.dropped.total() + counts.spooled + counts.not_kept;
    assert_eq!(counts.recorded, gone + counts.undecided, "{counts:?}");
    assert_eq!(counts.queued, 0, "{counts:?}");
}

/// A caller in another process, always of the same trace.
fn caller(trace: u128) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(7_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}
