//! A flush and a shutdown that are awaited: the same results as those that block, by any executor.

use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use enter_span_pipeline::{Error, Pipeline};
use futures::executor::block_on;
use futures::future::join_all;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::{Builder, Handle};

use crate::pipeline::{AGES, Exporter, assert_all_accounted, build, collecting, gated, tracer};
use crate::support::child::is_child;

const SHORT: Duration = Duration::from_millis(1);

fn is_timed_out(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::TimedOut(time)) if *time == SHORT)
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

/// Waits until a shutdown has given up this many spans.
fn wait_until_given_up(pipeline: &Pipeline, spans: u64) {
    while pipeline.counts().dropped.shutdown_timed_out < spans {
        thread::yield_now();
    }
}

/// Without a runtime: spans that have ended are exported, and the exporters are down.
#[test]
fn any_executor_awaits_a_flush_and_a_shutdown() {
    let (pipeline, exported) = collecting();
    tracer(&pipeline).enter_span("first", |_| {});
    block_on(assert_send(pipeline.flush_async(AGES))).expect("flushed in time");
    assert_eq!(*exported.lock().expect("the list"), ["first"]);
    tracer(&pipeline).enter_span("second", |_| {});
    block_on(assert_send(pipeline.shutdown_async(AGES))).expect("down in time");
    block_on(pipeline.shutdown_async(AGES)).expect("down already");
    tracer(&pipeline).enter_span("late", |span| assert!(!span.is_traced()));
    assert_eq!(*exported.lock().expect("the list"), ["first", "second"]);
    assert_all_accounted(pipeline.counts());
}

/// Has a task of the application's runtime do its work.
#[derive(Debug)]
struct OnRuntime(Handle);

impl SpanExporter for OnRuntime {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        let task = self.0.spawn(tokio::task::yield_now());
        task.await.expect("a task that ends");
        Ok(())
    }
}

/// On a runtime of one thread, a flush that blocks holds up such an exporter; one that is awaited does not.
#[test]
fn an_exporter_may_need_the_runtime_of_the_caller() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let exporter = OnRuntime(Handle::current());
        let pipeline = build(Pipeline::builder().with_exporter(exporter));
        tracer(&pipeline).enter_span("work", |_| {});
        assert!(is_timed_out(&pipeline.flush(SHORT)));
        assert_eq!(pipeline.counts().exported, 0);
        let flushed = pipeline.flush_async(AGES).await;
        flushed.expect("flushed in time");
        assert_eq!(pipeline.counts().exported, 1);
        tracer(&pipeline).enter_span("last", |_| {});
        let down = pipeline.shutdown_async(AGES).await;
        down.expect("down in time");
        assert_eq!(pipeline.counts().exported, 2);
    });
}

/// The time is over without a timer of any runtime. What a shutdown leaves is counted, and the application has
/// its warning when the future is ready.
#[test]
fn the_time_ends_without_a_runtime() {
    let (told, warnings) = mpsc::channel();
    let (hangs, has_started, open) = gated();
    let builder = Pipeline::builder().with_exporter(hangs);
    let pipeline = build(builder.with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    }));
    tracer(&pipeline).enter_span("work", |_| {});
    assert!(is_timed_out(&block_on(pipeline.flush_async(SHORT))));
    has_started.recv().expect("an export");
    assert!(is_timed_out(&block_on(pipeline.shutdown_async(SHORT))));
    assert_eq!(pipeline.counts().dropped.shutdown_timed_out, 1);
    assert_all_accounted(pipeline.counts());
    let warning = "spans were dropped: 1 because the time of the shutdown was over";
    assert_eq!(warnings.try_iter().collect::<Vec<_>>(), [warning]);
    drop(open);
}

/// A flush that nobody awaits any more costs nothing: the next one waits for the same exporter.
#[test]
fn a_flush_may_be_cancelled() {
    let (waits, has_started, open) = gated();
    let pipeline = build(Pipeline::builder().with_exporter(waits));
    tracer(&pipeline).enter_span("work", |_| {});
    block_on(async {
        tokio::select! {
            biased;
            _ = pipeline.flush_async(AGES) => panic!("the exporter waits"),
            () = ready(()) => {}
        }
    });
    has_started.recv().expect("an export");
    drop(open);
    block_on(pipeline.flush_async(AGES)).expect("flushed in time");
    assert_eq!(pipeline.counts().exported, 1);
}

/// Cancels it after its first poll.
fn cancel_shutdown(pipeline: &Pipeline, timeout: Duration) {
    block_on(async {
        tokio::select! {
            biased;
            _ = pipeline.shutdown_async(timeout) => panic!("the exporter waits"),
            () = ready(()) => {}
        }
    });
}

/// A shutdown goes on when nobody awaits it any more: to its end, for which the drop of the handle waits.
#[test]
fn a_cancelled_shutdown_goes_on() {
    let (started, has_started) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let (gate, exported) = (Mutex::new(gate), Arc::<Mutex<Vec<String>>>::default());
    let names = Arc::clone(&exported);
    let slow = Exporter(move |batch: Vec<SpanData>| {
        started.send(()).ok();
        gate.lock().expect("the gate").recv().ok();
        // Longer than a drop that does not wait.
        thread::sleep(Duration::from_millis(50));
        let batch = batch.iter().map(|span| span.name.to_string());
        names.lock().expect("the list").extend(batch);
        Ok(())
    });
    let pipeline = build(Pipeline::builder().with_exporter(slow));
    tracer(&pipeline).enter_span("work", |_| {});
    has_started.recv().expect("an export");
    cancel_shutdown(&pipeline, AGES);
    tracer(&pipeline).enter_span("late", |span| assert!(!span.is_traced()));
    drop(open);
    drop(pipeline);
    assert_eq!(*exported.lock().expect("the list"), ["work"]);
}

/// And to its deadline, after which what is left is dropped and counted.
#[test]
fn a_cancelled_shutdown_keeps_its_deadline() {
    let (hangs, has_started, open) = gated();
    let builder = Pipeline::builder().with_exporter(hangs);
    let pipeline = build(builder.with_warnings(|_| {}));
    tracer(&pipeline).enter_span("work", |_| {});
    has_started.recv().expect("an export");
    cancel_shutdown(&pipeline, SHORT);
    wait_until_given_up(&pipeline, 1);
    assert_all_accounted(pipeline.counts());
    drop(open);
}

/// How many threads of this process have the name of those that wait.
#[cfg(target_os = "linux")]
fn waiting_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads");
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    tasks
        .filter_map(name)
        .filter(|name| name == "enter_span_wait\n")
        .count()
}

/// One thread waits for all, and only while there are any.
#[cfg(target_os = "linux")]
#[test]
fn many_callers_need_one_thread() {
    if !is_child("pipeline::awaited::many_callers_need_one_thread") {
        return;
    }
    let (waits, has_started, open) = gated();
    let pipeline = build(Pipeline::builder().with_exporter(waits));
    tracer(&pipeline).enter_span("work", |_| {});
    has_started.recv().expect("an export");
    assert_eq!(waiting_threads(), 0);
    let mut flushes = pin!(join_all((0..100).map(|_| pipeline.flush_async(AGES))));
    let mut context = Context::from_waker(Waker::noop());
    assert!(flushes.as_mut().poll(&mut context).is_pending());
    while waiting_threads() == 0 {
        thread::yield_now();
    }
    assert_eq!(waiting_threads(), 1);
    drop(open);
    for flushed in block_on(flushes) {
        flushed.expect("flushed in time");
    }
    while waiting_threads() > 0 {
        thread::yield_now();
    }
}

/// Nothing is waited for, and nothing is wrong.
#[test]
fn a_disabled_pipeline_has_nothing_to_await() {
    let variables = [("OTEL_SDK_DISABLED", "true")];
    let pipeline = build(crate::pipeline::otlp::builder(&variables));
    let mut context = Context::from_waker(Waker::noop());
    let flushed = pin!(pipeline.flush_async(AGES)).poll(&mut context);
    assert!(matches!(flushed, std::task::Poll::Ready(Ok(()))));
    let down = pin!(pipeline.shutdown_async(AGES)).poll(&mut context);
    assert!(matches!(down, std::task::Poll::Ready(Ok(()))));
}

type Own = Arc<Mutex<Option<Arc<Pipeline>>>>;

/// Awaits a flush of its own pipeline, which waits for this export.
#[derive(Debug)]
struct Selfish(Own, mpsc::Sender<bool>);

impl SpanExporter for Selfish {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        let own = self.0.lock().expect("the pipeline").clone();
        if let Some(pipeline) = own {
            let flushed = pipeline.flush_async(AGES).await;
            self.1.send(flushed.is_ok()).ok();
        }
        Ok(())
    }
}

/// An exporter does not wait for itself.
#[test]
fn an_exporter_may_await_a_flush_of_its_own_pipeline() {
    let own = Own::default();
    let (told, flushed) = mpsc::channel();
    let exporter = Selfish(Arc::clone(&own), told);
    let pipeline = Arc::new(build(Pipeline::builder().with_exporter(exporter)));
    *own.lock().expect("the pipeline") = Some(Arc::clone(&pipeline));
    tracer(&pipeline).enter_span("work", |_| {});
    block_on(pipeline.flush_async(AGES)).expect("flushed in time");
    assert!(!flushed.recv().expect("an answer"));
    assert_eq!(pipeline.counts().exported, 1);
    own.lock().expect("the pipeline").take();
}
