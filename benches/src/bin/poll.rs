//! What a poll of an instrumented future costs while its span is recorded, beside the peers, in one
//! run.
//!
//! Arguments, both optional: the rounds, and the futures in each round.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;

use enter_span_benches::{Candidate, Nowhere, Samples, Yield, drive, measure};
use fastrace::collector::{Reporter, SpanContext, SpanRecord};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;

/// So many that the start and the end of the span are nothing beside them.
const YIELDS: u32 = 10_000;

async fn yields(id: u64) -> u64 {
    for _ in 0..YIELDS {
        black_box(id);
        Yield::default().await;
    }
    id.wrapping_add(1)
}

#[enter_span::enter_span(attributes(id))]
async fn annotated(id: u64) -> u64 {
    yields(id).await
}

#[tracing::instrument(skip_all, fields(id = id))]
async fn traced(id: u64) -> u64 {
    yields(id).await
}

#[fastrace::trace(properties = { "id": "{id}" })]
async fn fast(id: u64) -> u64 {
    yields(id).await
}

fn each<F: Future<Output = u64>>(times: u64, future: impl Fn(u64) -> F) {
    for id in 0..times {
        black_box(drive(pin!(future(id))));
    }
}

/// The same as [`Nowhere`], for fastrace.
struct NoReport;

impl Reporter for NoReport {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        black_box(spans);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let rounds = arguments.next().and_then(Result::ok).unwrap_or(51);
    let futures = arguments.next().and_then(Result::ok).unwrap_or(20);
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(Nowhere)
        .build();
    enter_span::set_tracer_provider(provider.clone());
    fastrace::set_reporter(NoReport, fastrace::collector::Config::default());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("poll"));
    let subscriber = tracing_subscriber::registry().with(layer);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        eprintln!("tracing has a subscriber already");
    }

    println!("{rounds} rounds of {futures} futures with {YIELDS} polls each; medians, p10..p90\n");
    let candidates = [
        Candidate::new("bare", |times| each(times, yields)),
        Candidate::new("enter_span, attribute", |times| each(times, annotated)),
        Candidate::new("enter_span, `.in_current_span()`", |times| {
            enter_span::enter_span("above", |_| {
                each(times, |id| {
                    enter_span::FutureInSpan::in_current_span(yields(id))
                });
            });
        }),
        Candidate::new("tracing, attribute", |times| each(times, traced)),
        Candidate::new("tracing, `.in_current_span()`", |times| {
            let above = tracing::info_span!("above");
            above.in_scope(|| each(times, |id| tracing::Instrument::in_current_span(yields(id))));
        }),
        Candidate::new("fastrace, attribute", |times| {
            let root = fastrace::Span::root("root", SpanContext::random());
            let _local = root.set_local_parent();
            each(times, fast);
        }),
    ];
    let samples = measure(&candidates, rounds, futures as u64);
    table(&candidates, &samples);
}

fn table(candidates: &[Candidate], samples: &[Samples]) {
    let polls = f64::from(YIELDS + 1);
    println!("| a poll, recorded | ns | added | p10..p90 |");
    println!("|---|--:|--:|--:|");
    for (candidate, own) in candidates.iter().zip(samples) {
        let added = own.over(&samples[0]);
        let (low, high) = added.spread();
        println!(
            "| {} | {:.2} | {:.2} | {:.2}..{:.2} |",
            candidate.name,
            own.median() / polls,
            added.median() / polls,
            low / polls,
            high / polls,
        );
    }
}
