//! Logs: a record made inside a span carries that span's trace and span id.
//!
//! Each promise is shown through both appenders of OpenTelemetry, and the recipes for lines of text
//! through the formatters of `tracing-subscriber` and `env_logger`.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{Envelope, SpanId, TraceId, enter_span, span_id, task, trace_id};
use futures::poll;
use opentelemetry::Context;
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{TraceContextExt as _, TraceFlags};
use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use tracing::{Dispatch, Event, Subscriber, dispatcher};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

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

/// What is written into it, for the writer and for the test.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("the lines").clone();
        String::from_utf8(bytes).expect("lines of text")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the lines").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The recipe for `tracing-subscriber`: `.event_format(WithIds(format()))`.
struct WithIds<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithIds<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if let (Some(trace_id), Some(span_id)) = (trace_id(), span_id()) {
            write!(line, "trace_id={trace_id} span_id={span_id} ")?;
        }
        self.0.format_event(context, line, event)
    }
}

/// The ids as a line of text shows them.
fn ids_in_text(trace: &Trace, name: &str) -> String {
    let (trace_id, span_id) = ids_of(trace.find(name));
    format!("trace_id={trace_id} span_id={span_id}")
}

/// Lines of `tracing-subscriber` show the ids in front of its own format, and none outside.
#[test]
fn lines_of_tracing_subscriber_show_the_ids() {
    let lines = Lines::default();
    let format = tracing_subscriber::fmt::format().without_time();
    let format = format.with_ansi(false).with_target(false);
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .event_format(WithIds(format))
        .with_writer({
            let lines = lines.clone();
            move || lines.clone()
        })
        .finish();
    let trace = tracing::subscriber::with_default(subscriber, || {
        Recorder::new().run(|| {
            enter_span("charge", |_| tracing::info!(total = 7, "charged"));
            tracing::info!("done");
        })
    });
    let ids = ids_in_text(&trace, "charge");
    let expected =
        format!("{ids}  INFO enter_span{{otel.name=\"charge\"}}: charged total=7\n INFO done\n");
    assert_eq!(lines.text(), expected);
}

/// The recipe for `env_logger`: `.format(with_ids)`.
fn with_ids(line: &mut env_logger::fmt::Formatter, record: &log::Record<'_>) -> io::Result<()> {
    if let (Some(trace_id), Some(span_id)) = (trace_id(), span_id()) {
        write!(line, "trace_id={trace_id} span_id={span_id} ")?;
    }
    writeln!(line, "{} {}", record.level(), record.args())
}

/// Lines of `env_logger` show the ids in front, and none outside.
#[test]
fn lines_of_env_logger_show_the_ids() {
    let lines = Lines::default();
    let logger = env_logger::Builder::new()
        .filter_level(log::LevelFilter::Info)
        .format(with_ids)
        .target(env_logger::Target::Pipe(Box::new(lines.clone())))
        .build();
    let trace = Recorder::new().run(|| {
        enter_span("charge", |_| write_to(&logger, "charged"));
        write_to(&logger, "done");
    });
    let ids = ids_in_text(&trace, "charge");
    assert_eq!(lines.text(), format!("{ids} INFO charged\nINFO done\n"));
}
