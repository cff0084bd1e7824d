//! A hundred thousand tasks at the same time.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use enter_span::enter_span;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use tokio::sync::Barrier;
use tokio::task::yield_now;

use crate::support::allocations;
use crate::support::child::is_child;

const LEVELS: usize = 3;

/// Tasks that wander between two workers have each span exactly once, below the right
/// parent, and leave no memory behind.
#[test]
fn a_hundred_thousand_tasks_keep_their_parents_and_no_memory() {
    if !is_child("tasks::many::a_hundred_thousand_tasks_keep_their_parents_and_no_memory") {
        return;
    }
    let collector = Collector::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(collector.clone())
        .build();
    enter_span::set_tracer_provider(provider);

    // What is made once and stays, is made here.
    collector.check(1_000);
    let held = allocations::held_after(|| collector.check(100_000));
    // A quarter of a byte for each span: whatever is kept for spans or for tasks is more.
    assert!(held < 64 * 1024, "{held} bytes are held");
}

/// Begins, and goes on when all have begun: they are alive at the same time.
#[enter_span(attributes(task, level = 0))]
async fn outer(task: usize, all: Arc<Barrier>) {
    all.wait().await;
    let mut turns = Turns::of(task);
    turns.take().await;
    middle(task, &mut turns).await;
    turns.take().await;
}

#[enter_span(attributes(task, level = 1))]
async fn middle(task: usize, turns: &mut Turns) {
    turns.take().await;
    inner(task, turns).await;
    turns.take().await;
}

#[enter_span(attributes(task, level = 2))]
async fn inner(task: usize, turns: &mut Turns) {
    turns.take().await;
}

/// How often a task lets others go first: random, and the same in each run.
struct Turns(u64);

impl Turns {
    fn of(task: usize) -> Self {
        Turns(0x9E37_79B9_7F4A_7C15 ^ task as u64)
    }

    async fn take(&mut self) {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        for _ in 0..self.0 % 4 {
            yield_now().await;
        }
    }
}

/// Keeps of each span that ends what the test asks for.
#[derive(Clone, Debug, Default)]
struct Collector(Arc<Mutex<Vec<Ended>>>);

#[derive(Clone, Debug)]
struct Ended {
    task: usize,
    level: usize,
    trace_id: TraceId,
    span_id: SpanId,
    parent_id: SpanId,
}

impl SpanProcessor for Collector {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let ended = Ended {
            task: number(&span, "task"),
            level: number(&span, "level"),
            trace_id: span.span_context.trace_id(),
            span_id: span.span_context.span_id(),
            parent_id: span.parent_span_id,
        };
        self.0.lock().expect("the spans").push(ended);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn number(span: &SpanData, key: &str) -> usize {
    let mut attributes = span.attributes.iter();
    match attributes.find(|a| a.key.as_str() == key).map(|a| &a.value) {
        Some(&Value::I64(number)) => number.try_into().unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

impl Collector {
    fn check(&self, tasks: usize) {
        run(tasks);
        let mut ended = mem::take(&mut *self.0.lock().expect("the spans"));
        assert_eq!(ended.len(), tasks * LEVELS);
        assert_eq!(distinct(ended.iter().map(|span| span.span_id)), ended.len());
        assert_eq!(distinct(ended.iter().map(|span| span.trace_id)), tasks);
        ended.sort_by_key(|span| (span.task, span.level));
        for (task, spans) in ended.chunks(LEVELS).enumerate() {
            check_task(task, spans);
        }
    }
}

fn run(tasks: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime of two workers");
    let all = Arc::new(Barrier::new(tasks));
    runtime.block_on(async {
        let tasks = (0..tasks).map(|task| tokio::spawn(outer(task, Arc::clone(&all))));
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
    });
}

fn distinct<T: Eq + std::hash::Hash>(ids: impl Iterator<Item = T>) -> usize {
    ids.collect::<HashSet<T>>().len()
}

/// The spans of one task, the outermost first.
fn check_task(task: usize, spans: &[Ended]) {
    let mut parent_id = SpanId::INVALID;
    for (level, span) in spans.iter().enumerate() {
        assert_eq!((span.task, span.level), (task, level), "{spans:?}");
        assert_eq!(span.parent_id, parent_id, "{spans:?}");
        assert_eq!(span.trace_id, spans[0].trace_id, "{spans:?}");
        parent_id = span.span_id;
    }
}
