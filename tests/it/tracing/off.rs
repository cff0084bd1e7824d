//! Nothing is installed, or a trace is not sampled: nothing is formatted, and nothing is allocated.

use std::fmt;
use std::hint::black_box;

use enter_span::{enter_span, is_traced};
use enter_span_pipeline::{Pipeline, Sampler};
use tracing::dispatcher::with_default;
use tracing::{info, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, registry};

use super::dispatch;
use crate::pipeline::in_memory;
use crate::support::allocations;
use crate::support::child::is_child;

struct Never;

impl fmt::Debug for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("formatted")
    }
}

fn spans() {
    for id in 0..50_u64 {
        let span = info_span!("span", id, value = ?Never, otel.kind = "client", late = tracing::field::Empty);
        span.in_scope(|| {
            info_span!("inner", id = black_box(id)).in_scope(|| info!(value = ?Never, "event"));
        });
        span.record("late", tracing::field::debug(Never));
    }
}

/// How often the second round allocates: the first one fills what is used again.
fn allocated() -> usize {
    spans();
    allocations::count(spans)
}

/// With nothing installed, the layer does nothing.
#[test]
fn nothing_is_done_while_nothing_is_installed() {
    if !is_child("tracing::off::nothing_is_done_while_nothing_is_installed") {
        return;
    }
    with_default(&registry().into(), || assert_eq!(allocated(), 0));
    with_default(&dispatch(), || assert_eq!(allocated(), 0));
    let with_all = registry().with(enter_span_tracing::layer());
    with_default(&with_all.into(), || assert_eq!(allocated(), 0));
}

/// In a trace that is not sampled, whoever has begun it.
#[test]
fn nothing_is_allocated_in_a_trace_that_is_not_sampled() {
    if !is_child("tracing::off::nothing_is_allocated_in_a_trace_that_is_not_sampled") {
        return;
    }
    let builder = Pipeline::builder().with_sampler(Sampler::ParentBasedRatio(0.0));
    let _pipeline = builder
        .with_exporter(in_memory())
        .install()
        .expect("no other one");
    let with_all = registry().with(enter_span_tracing::layer());
    with_default(&with_all.into(), || {
        enter_span("ours", |_| assert_eq!(allocated(), 0));
        info_span!("theirs").in_scope(|| {
            assert!(!is_traced());
            assert_eq!(allocated(), 0);
        });
    });
}

/// What starts elsewhere below a span that is not sampled is in the same trace.
#[test]
fn a_trace_that_is_not_sampled_stays_so_elsewhere() {
    if !is_child("tracing::off::a_trace_that_is_not_sampled_stays_so_elsewhere") {
        return;
    }
    let exporter = in_memory();
    let sampler = Sampler::Ratio(0.0);
    let builder = Pipeline::builder().with_sampler(sampler);
    let pipeline = builder
        .with_exporter(exporter.clone())
        .install()
        .expect("no other one");
    with_default(&dispatch(), || {
        enter_span("ours", |_| {
            let trace_id = enter_span::trace_id().expect("a trace");
            let span = info_span!("moved");
            let moved = move || span.in_scope(enter_span::trace_id);
            let elsewhere = std::thread::spawn(moved).join().expect("a thread");
            assert_eq!(elsewhere, Some(trace_id));
        });
    });
    pipeline.shutdown(crate::pipeline::AGES).expect("down");
    assert_eq!(pipeline.counts().recorded, 0);
}

/// A pipeline that is installed later records what starts from then on, also at callsites that were seen before.
#[test]
fn a_pipeline_may_be_installed_later() {
    if !is_child("tracing::off::a_pipeline_may_be_installed_later") {
        return;
    }
    let callsite = || info_span!("span");
    with_default(&dispatch(), || {
        let before = callsite().entered();
        let exporter = in_memory();
        let builder = Pipeline::builder().with_exporter(exporter.clone());
        let pipeline = builder.install().expect("no other one");
        callsite().in_scope(|| assert!(is_traced()));
        drop(before);
        pipeline.flush(crate::pipeline::AGES).expect("flushed");
        assert_eq!(crate::pipeline::finished(&exporter).len(), 1);
    });
}

/// With the filter of the docs, callsites that no other layer wants are off until a pipeline is installed.
#[test]
fn a_filter_switches_callsites_off_until_there_is_a_pipeline() {
    const TEST: &str = "tracing::off::a_filter_switches_callsites_off_until_there_is_a_pipeline";
    if !is_child(TEST) {
        return;
    }
    let while_enabled = filter_fn(|_| enter_span::is_enabled());
    let subscriber = registry().with(super::layer().with_filter(while_enabled));
    with_default(&subscriber.into(), || {
        let span = || info_span!("span");
        assert!(span().is_disabled());
        let builder = Pipeline::builder().with_exporter(in_memory());
        let pipeline = builder.install().expect("no other one");
        span().in_scope(|| assert!(is_traced()));
        drop(pipeline);
        assert!(span().is_disabled());
    });
}
