//! One path of ours in a loop, whose instructions `benches/instructions.sh` counts by callgrind.
//!
//! Arguments: the path, and how often [`BURST`] spans are made.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use enter_span::{enter_span, extract, in_span};
use enter_span_pipeline::{Keep, Pipeline, PipelineBuilder};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Fewer than a batch: what was used goes round in each burst alike, since it ends with a flush.
const BURST: u64 = 256;

const AGES: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        black_box(batch);
        Ok(())
    }
}

#[enter_span(attributes(id))]
fn child(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

#[enter_span(leaf, attributes(id))]
fn leaf(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

#[enter_span(attributes(id, is_retry = false, ratio = 0.5, route = "/orders/{id}"))]
fn attributes_4(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

#[enter_span(attributes(id))]
async fn ready(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

fn drive(id: u64) -> u64 {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(ready(id)).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => 0,
    }
}

/// What is counted: the script names this function.
#[inline(never)]
fn spans(one: fn(u64) -> u64) {
    for id in 0..BURST {
        black_box(one(id));
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

fn recorded(bursts: u64, one: fn(u64) -> u64) -> Result<(), enter_span_pipeline::Error> {
    recorded_by(None, bursts, one)
}

/// The same under a policy.
fn recorded_by(
    keep: Option<Keep>,
    bursts: u64,
    one: fn(u64) -> u64,
) -> Result<(), enter_span_pipeline::Error> {
    let pipeline = install(keep)?;
    for _ in 0..bursts {
        in_span!("root", |_| spans(one));
        pipeline.flush(AGES)?;
    }
    Ok(())
}

fn install(keep: Option<Keep>) -> Result<Pipeline, enter_span_pipeline::Error> {
    let builder = Pipeline::builder().with_exporter(Nowhere);
    let builder = keep.into_iter().fold(builder, PipelineBuilder::with_keep);
    builder.install()
}

/// Traces of eight spans, for the thread of the worker: [`BURST`] spans between two flushes.
fn traces(keep: Option<Keep>, bursts: u64) -> Result<(), enter_span_pipeline::Error> {
    const SPANS: u64 = 8;
    let pipeline = install(keep)?;
    for _ in 0..bursts {
        for _ in 0..BURST / SPANS {
            in_span!("root", |_| (1..SPANS).for_each(|id| _ = child(id)));
        }
        pipeline.flush(AGES)?;
    }
    Ok(())
}

/// Below a caller that sends the longest `tracestate`: what it costs is not a stranger's to say.
fn below_tracestate(bursts: u64) -> Result<(), enter_span_pipeline::Error> {
    let member = |number| format!("{number:0>256}={}", "v".repeat(256));
    let members: Vec<String> = (0..28).map(member).chain((0..4).map(short)).collect();
    below(&members.join(","), bursts)
}

/// The same, with as much of it as spans carry.
fn below_tracestate_512(bursts: u64) -> Result<(), enter_span_pipeline::Error> {
    let members: Vec<String> = (0..4).map(short).collect();
    below(&members.join(","), bursts)
}

fn short(number: usize) -> String {
    format!("m{number}={}", "v".repeat(124))
}

fn below(tracestate: &str, bursts: u64) -> Result<(), enter_span_pipeline::Error> {
    let pipeline = Pipeline::builder().with_exporter(Nowhere).install()?;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let caller = extract(&[("traceparent", traceparent), ("tracestate", tracestate)]);
    for _ in 0..bursts {
        in_span!("serve", parent = caller, |_| spans(child));
        pipeline.flush(AGES)?;
    }
    Ok(())
}

fn roots(bursts: u64) -> Result<(), enter_span_pipeline::Error> {
    let pipeline = Pipeline::builder().with_exporter(Nowhere).install()?;
    for _ in 0..bursts {
        spans(child);
        pipeline.flush(AGES)?;
    }
    Ok(())
}

fn sampled_out(bursts: u64) -> Result<(), enter_span_pipeline::Error> {
    let _pipeline = Pipeline::builder().with_exporter(Nowhere).install()?;
    in_span!("root", parent = not_sampled(), |_| {
        (0..bursts).for_each(|_| spans(child));
    });
    Ok(())
}

fn off(bursts: u64) {
    (0..bursts).for_each(|_| spans(child));
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, bursts] = &arguments[..] else {
        return ExitCode::from(2);
    };
    let Ok(bursts) = bursts.parse() else {
        return ExitCode::from(2);
    };
    let done = match &**path {
        "off" => {
            off(bursts);
            Ok(())
        }
        "not_sampled" => sampled_out(bursts),
        "root" => roots(bursts),
        "tracestate" => below_tracestate(bursts),
        "tracestate_512" => below_tracestate_512(bursts),
        "child" => recorded(bursts, child),
        "leaf" => recorded(bursts, leaf),
        "attributes_4" => recorded(bursts, attributes_4),
        "child_keep" => recorded_by(Some(Keep::all()), bursts, child),
        "leaf_keep" => recorded_by(Some(Keep::all()), bursts, leaf),
        "worker" => traces(None, bursts),
        "worker_keep_all" => traces(Some(Keep::errors().or_fraction(1.0)), bursts),
        "worker_keep_none" => traces(Some(Keep::errors()), bursts),
        "async_ready" => recorded(bursts, drive),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
