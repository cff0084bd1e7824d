//! Logs: a record made inside a span carries that span's trace and span id.
//!
//! Each promise is shown through both appenders of OpenTelemetry. Lines of text are in
//! `tracing::lines`.

use std::sync::{Arc, mpsc};
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{Envelope, SpanId, TraceId, enter_span, task};
use futures::poll;
use opentelemetry::Context;
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{TraceContextExt as _, TraceFlags};
use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::check::block_on;

/// Runs `work` with each appender, and compares what arrives at the exporter: `text: name of the
/// span`.
#[track_caller]
fn check_logs(work: impl Fn(&Appender), expected: &[&str]) {
    for facade in [Appender::tracing, Appender::log] {
        let (appender, exporter) = exporting(facade);
        let trace = Recorder::new().run(|| work(&appender));
        let records = exporter.get_emitted_logs().expect("the exported records");
        let records = records.iter().map(|log| shown(&log.record, &trace));
        let records: Vec<_> = records.collect();
        assert_eq!(records, expected, "through `{}`", appender.facade());
    }
}

fn exporting(facade: fn(&SdkLoggerProvider) -> Appender) -> (Appender, InMemoryLogExporter) {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    (facade(&provider), exporter)
}

/// The same for a future, on a runtime of one thread.
#[track_caller]
fn check_logs_async(work: impl AsyncFn(&Appender), expected: &[&str]) {
    check_logs(|log| block_on(work(log)), expected);
}

/// Both ids have to be those of one span.
fn shown(record: &SdkLogRecord, trace: &Trace) -> String {
    let Some(AnyValue::String(text)) = record.body() else {
        panic!("a text, and not {:?}", record.body());
    };
    let Some(ids) = record.trace_context() else {
        return format!("{text}: no span");
    };
    let ids = (TraceId::from(ids.trace_id), SpanId::from(ids.span_id));
    let mut spans = trace.spans().iter();
    let name = spans
        .find(|span| ids_of(span) == ids)
        .map(RecordedSpan::name);
    format!("{text}: {}", name.unwrap_or("ids of no span, or of two"))
}

fn ids_of(span: &RecordedSpan) -> (TraceId, SpanId) {
    (span.span_context().trace_id(), span.span_id())
}

/// A facade for logs, with OpenTelemetry's appender behind it and nothing global.
enum Appender {
    Tracing(Dispatch),
    Log(OpenTelemetryLogBridge<SdkLoggerProvider, SdkLogger>),
}

impl Appender {
    fn tracing(provider: &SdkLoggerProvider) -> Self {
        let bridge = OpenTelemetryTracingBridge::new(provider);
        Appender::Tracing(tracing_subscriber::registry().with(bridge).into())
    }

    fn log(provider: &SdkLoggerProvider) -> Self {
        Appender::Log(OpenTelemetryLogBridge::new(provider))
    }

    fn facade(&self) -> &'static str {
        match self {
            Appender::Tracing(_) => "tracing",
            Appender::Log(_) => "log",
        }
    }

    fn write(&self, text: &str) {
        match self {
            Appender::Tracing(dispatch) => {
                dispatcher::with_default(dispatch, || tracing::info!("{text}"));
            }
            Appender::Log(bridge) => write_to(bridge, text),
        }
    }
}

/// What `log::info!` does with the process's logger.
fn write_to(logger: &impl log::Log, text: &str) {
    logger.log(
        &log::Record::builder()
            .level(log::Level::Info)
            .target("it")
            .args(format_args!("{text}"))
            .build(),
    );
}

#[enter_span]
fn log_attr_single(log: &Appender) {
    log.write("single");
}

/// A log in a span carries the ids of that span, and not of the root.
#[test]
fn a_log_carries_the_ids_of_its_span() {
    check_logs(
        |log| enter_span("root", |_| log_attr_single(log)),
        &["single: log_attr_single"],
    );
}

#[enter_span]
fn log_attr_outer(log: &Appender) {
    log.write("before");
    log_attr_inner(log);
    log.write("after");
}

#[enter_span]
fn log_attr_inner(log: &Appender) {
    log.write("inside");
}

/// Before, inside and after a child, each log belongs to the span that runs.
#[test]
fn logs_around_a_child_belong_to_the_outer_span() {
    check_logs(
        log_attr_outer,
        &[
            "before: log_attr_outer",
            "inside: log_attr_inner",
            "after: log_attr_outer",
        ],
    );
}

#[enter_span]
async fn log_attr_async(log: &Appender) {
    log.write("before");
    tokio::task::yield_now().await;
    log.write("after");
}

/// Before an `.await` and after it, a log carries the same ids.
#[test]
fn a_log_after_an_await_carries_the_ids_of_its_span() {
    check_logs_async(
        log_attr_async,
        &["before: log_attr_async", "after: log_attr_async"],
    );
}

#[enter_span(name = name)]
async fn request(name: &'static str, log: &Appender) {
    log.write("in");
    tokio::task::yield_now().await;
    log.write("out");
}

/// Of requests that overlap, no log has the trace of one and the span of the other.
#[test]
fn logs_of_overlapping_requests_do_not_mix_their_ids() {
    check_logs_async(
        async |log| {
            futures::join!(request("first", log), request("second", log));
        },
        &["in: first", "in: second", "out: first", "out: second"],
    );
}

/// Outside of any span, a log has no ids: neither before a span nor after it.
#[test]
fn a_log_outside_of_any_span_has_no_ids() {
    check_logs(
        |log| {
            log.write("early");
            log_attr_single(log);
            log.write("late");
        },
        &["early: no span", "single: log_attr_single", "late: no span"],
    );
}

fn callee(log: &Appender) {
    log.write("called");
}

/// In a function without a span of its own, a log carries the ids of the enclosing span.
#[test]
fn a_log_in_a_plain_function_carries_the_ids_of_the_enclosing_span() {
    check_logs(
        |log| enter_span("caller", |_| callee(log)),
        &["called: caller"],
    );
}

#[enter_span]
fn log_attr_dc(channel: mpsc::Sender<(Context, &'static str)>) {
    let message = (Context::current(), "sent");
    channel.send(message).expect("the thread that observes");
}

/// A message that carries its context to the thread of an observer makes one log there, with
/// the ids of the span that sent it.
#[test]
fn a_log_under_a_captured_context_carries_its_ids() {
    check_logs(
        |log| {
            thread::scope(|scope| {
                let (channel, messages) = mpsc::channel();
                scope.spawn(move || {
                    for (context, text) in messages {
                        let _attached = Context::attach(context);
                        log.write(text);
                    }
                });
                log_attr_dc(channel);
            });
        },
        &["sent: log_attr_dc"],
    );
}

/// On a thread that was given no context, a log has no ids.
#[test]
fn a_log_on_a_thread_without_context_has_no_ids() {
    check_logs(
        |log| {
            enter_span("spawner", |_| {
                thread::scope(|scope| scope.spawn(|| log.write("elsewhere")).join())
                    .expect("the thread that logs");
            });
        },
        &["elsewhere: no span"],
    );
}

/// In what was given its span, a log carries that span's ids: on a thread, in a task, in the
/// handling of a message.
#[test]
fn a_log_of_carried_work_carries_its_ids() {
    let appenders = || [Appender::tracing, Appender::log].map(exporting);
    for (appender, exporter) in appenders() {
        let appender = Arc::new(appender);
        let log = |text: &'static str| {
            let appender = Arc::clone(&appender);
            move || appender.write(text)
        };
        let trace = block_on(Recorder::new().run_async(async {
            let work = enter_span("sender", |_| {
                let task = log("in a task");
                task::spawn_in_current_span(async move { task() });
                let thread = thread::spawn(log("on a thread").in_current_span());
                thread.join().expect("the thread that logs");
                Envelope::new(log("in a message"))
            });
            tokio::task::yield_now().await;
            enter_span("receiver", |_| work.open_child(|log| log()));
        }));
        let records = exporter.get_emitted_logs().expect("the exported records");
        let records = records.iter().map(|log| shown(&log.record, &trace));
        assert_eq!(
            records.collect::<Vec<_>>(),
            [
                "on a thread: sender",
                "in a task: sender",
                "in a message: sender"
            ]
        );
    }
}

struct LogsItsDrop<'a>(&'a Appender);

impl Drop for LogsItsDrop<'_> {
    fn drop(&mut self) {
        self.0.write("dropped");
    }
}

#[enter_span]
async fn log_attr_cancelled(log: &Appender) {
    let _dropped = LogsItsDrop(log);
    std::future::pending().await
}

/// A log of a destructor carries the ids of the future that is cancelled.
#[test]
fn a_log_of_a_cancelled_futures_destructor_carries_its_ids() {
    check_logs_async(
        async |log| {
            let mut work = Box::pin(log_attr_cancelled(log));
            assert!(poll!(&mut work).is_pending());
            drop(work);
            log.write("afterwards");
        },
        &["dropped: log_attr_cancelled", "afterwards: no span"],
    );
}

/// In a trace that is sampled out, a log carries the ids that headers carry, and says so.
#[test]
fn a_log_in_a_trace_that_is_sampled_out_carries_its_ids() {
    for facade in [Appender::tracing, Appender::log] {
        let (appender, exporter) = exporting(facade);
        let recorder = Recorder::new().with_sampler(|_| false);
        let current = recorder.enter(|| {
            enter_span("unsampled", |_| {
                appender.write("quiet");
                Context::current().span().span_context().clone()
            })
        });
        let records = exporter.get_emitted_logs().expect("the exported records");
        let ids = records[0].record.trace_context().expect("the ids");
        assert!(current.is_valid());
        assert_eq!(ids.trace_id, current.trace_id());
        assert_eq!(ids.span_id, current.span_id());
        assert_eq!(ids.trace_flags, Some(TraceFlags::NOT_SAMPLED));
    }
}
