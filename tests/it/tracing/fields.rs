//! Fields: their types, and those with a meaning of their own.

use std::fmt;
use std::num::ParseIntError;

use enter_span::testing::{RecordedSpan, Recorder};
use enter_span::{ErrorDetail, Status, Value};
use enter_span_pipeline::Pipeline;
use tracing::dispatcher::with_default;
use tracing::field::{Empty, display};
use tracing::{info_span, instrument};

use super::{dispatch, record};
use crate::pipeline::{AGES, build, finished, in_memory};

#[track_caller]
fn assert_value(span: &RecordedSpan, key: &str, value: impl Into<Value>) {
    assert_eq!(span.attribute(key), Some(value.into()), "{key}");
}

/// Numbers stay numbers, and what is wider than OpenTelemetry's integers is text.
#[test]
fn fields_keep_their_types() {
    let trace = record(|| {
        info_span!(
            "typed",
            signed = -7,
            unsigned = 7_u64,
            large = u64::MAX,
            wide = 7_i128,
            widest = u128::MAX,
            float = 0.5,
            yes = true,
            text = "text",
            debug = ?Some("quoted"),
            display = %7,
            r#type = "keyword",
            dotted.key = 1,
            empty = Empty,
        );
    });
    let span = trace.find("typed");
    assert_value(span, "signed", -7);
    assert_value(span, "unsigned", 7);
    assert_value(span, "large", "18446744073709551615");
    assert_value(span, "wide", 7);
    assert_value(span, "widest", u128::MAX.to_string());
    assert_value(span, "float", 0.5);
    assert_value(span, "yes", true);
    assert_value(span, "text", "text");
    assert_value(span, "debug", r#"Some("quoted")"#);
    assert_value(span, "display", "7");
    assert_value(span, "type", "keyword");
    assert_value(span, "dotted.key", 1);
    span.assert_no_attribute("empty");
}

/// What is recorded later has its type too, and the last value holds.
#[test]
fn fields_are_recorded_later() {
    let trace = record(|| {
        let span = info_span!("late", rows = Empty, wide = Empty, text = Empty);
        span.record("rows", 3_u64);
        span.record("wide", i128::MIN);
        span.record("text", "first");
        span.record("text", display("second"));
        span.record("undeclared", 1);
    });
    let span = trace.find("late");
    assert_value(span, "rows", 3);
    assert_value(span, "wide", i128::MIN.to_string());
    assert_value(span, "text", "second");
    assert_eq!(span.keys(), ["rows", "wide", "text"]);
}

/// In the pipeline it replaces what a span was made with, too.
#[test]
fn fields_are_replaced_in_the_pipeline() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    with_default(&dispatch(), || {
        pipeline.tracer("app").enter_span("request", |_| {
            let span = info_span!("replaced", text = "first", kept = 1);
            span.record("text", "second");
        });
    });
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    assert_eq!(spans[0].name, "replaced");
    let attributes = spans[0].attributes.iter();
    let own = attributes.filter(|one| !one.key.as_str().starts_with("code."));
    let own: Vec<_> = own
        .map(|one| (one.key.as_str(), one.value.to_string()))
        .collect();
    assert_eq!(
        own,
        [("text", "second".to_owned()), ("kept", "1".to_owned())]
    );
}

/// The place is told by default, and the level and the target on demand.
#[test]
fn a_span_says_where_it_is_from() {
    let subscriber = {
        use tracing_subscriber::layer::SubscriberExt as _;
        tracing_subscriber::registry().with(
            enter_span_tracing::layer()
                .with_level(true)
                .with_target(true),
        )
    };
    let line = line!() + 2;
    let trace = super::record_by(subscriber, || {
        info_span!(target: "shop::db", "placed");
    });
    let span = trace.find("placed");
    assert_value(span, "level", "INFO");
    assert_value(span, "target", "shop::db");
    assert_value(span, "code.function.name", module_path!());
    assert_value(span, "code.file.path", file!());
    assert_value(span, "code.line.number", i64::from(line));
    assert_eq!(span.library(), ("shop", None));
    let bare = record(|| info_span!("bare"));
    assert_eq!(bare.find("bare").keys(), Vec::<&str>::new());
}

/// The fields that tracing-opentelemetry knows mean the same.
#[test]
fn special_fields_mean_what_they_mean_elsewhere() {
    let trace = record(|| {
        info_span!("static", otel.name = "GET /orders", otel.kind = "server");
        info_span!("debug kind", otel.kind = ?opentelemetry::trace::SpanKind::Client);
        info_span!("unknown kind", otel.kind = "sideways");
        info_span!("ok", otel.status_code = "Ok");
        info_span!("error", otel.status_code = "ERROR");
        info_span!(
            "described",
            otel.status_description = "it broke",
            otel.status_code = "error"
        );
        let late = info_span!(
            "late",
            otel.name = Empty,
            otel.kind = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty
        );
        late.record("otel.name", "renamed");
        late.record("otel.kind", "producer");
        late.record("otel.status_description", "late");
        late.record("otel.status_code", "error");
    });
    trace.find("GET /orders").assert_kind("server");
    trace.find("debug kind").assert_kind("client");
    trace.find("unknown kind").assert_kind("internal");
    trace.find("ok").assert_status(&Status::Ok);
    trace.find("error").assert_status(&Status::error(""));
    trace
        .find("described")
        .assert_status(&Status::error("it broke"));
    trace.find("renamed").assert_status(&Status::error("late"));
    for span in trace.spans() {
        assert_eq!(span.keys(), Vec::<&str>::new(), "{}", span.name());
    }
}

fn parse_error() -> ParseIntError {
    "x".parse::<u8>().expect_err("no number")
}

/// An error becomes the status and an exception, and its type is found where the standard library has it.
#[test]
fn an_error_field_fails_the_span() {
    let trace = record(|| {
        let error = parse_error();
        let error: &(dyn std::error::Error + 'static) = &error;
        info_span!("typed", error);
        info_span!("text", error = "declined");
        info_span!("shown", error = %error);
        info_span!("late", error = Empty).record("error", error);
        info_span!("flag", error = true);
    });
    const MESSAGE: &str = "invalid digit found in string";
    for name in ["typed", "late"] {
        trace
            .find(name)
            .assert_error(std::any::type_name::<ParseIntError>())
            .assert_status(&Status::error(MESSAGE))
            .assert_event("exception", [("exception.message", MESSAGE)]);
    }
    for (name, message) in [("text", "declined"), ("shown", MESSAGE)] {
        trace
            .find(name)
            .assert_error("_OTHER")
            .assert_status(&Status::error(message))
            .assert_event("exception", [("exception.message", message)])
            .assert_no_attribute("error");
    }
    trace
        .find("flag")
        .assert_succeeded()
        .assert_attribute("error", true);
}

/// The process's choice of how much errors may say holds for these too.
#[test]
fn the_detail_of_errors_is_the_processs() {
    let trace = with_default(&dispatch(), || {
        Recorder::new()
            .with_error_detail(ErrorDetail::Type)
            .run(|| info_span!("silent", error = "a secret"))
    });
    assert!(!trace.redacted().contains("secret"));
    trace
        .find("silent")
        .assert_status(&Status::error(""))
        .assert_event("exception", [("exception.type", "_OTHER")]);
}

/// `#[instrument(err)]` emits an event with the error, which fails its span.
#[test]
fn an_error_that_is_returned_fails_the_span() {
    #[instrument(err)]
    fn parse() -> Result<u8, ParseIntError> {
        "x".parse()
    }
    let trace = record(|| parse().is_err());
    trace
        .find("parse")
        .assert_error("_OTHER")
        .assert_status(&Status::error("invalid digit found in string"));
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("a field"))
    }
}

/// A `Debug` that panics loses its own field, of a span and of an event.
#[test]
fn a_field_that_panics_loses_itself() {
    let trace = record(|| {
        let span = info_span!("span", before = 1, panics = ?Panics, after = 2, late = Empty);
        span.record("late", tracing::field::debug(Panics));
        span.in_scope(|| tracing::info!(before = 1, panics = ?Panics, after = 2, "event"));
        info_span!("special", otel.name = ?Panics, error = ?Panics);
    });
    let span = trace.find("span");
    assert_eq!(span.keys(), ["before", "after"]);
    span.assert_event("event", [("before", 1), ("after", 2)]);
    trace.find("special").assert_succeeded();
}

/// One that uses `tracing` while it formats waits for nothing.
#[test]
fn a_field_may_use_its_span() {
    struct Asks(tracing::Span);
    impl fmt::Debug for Asks {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            let current = tracing::Span::current();
            current.record("asked", 1);
            self.0.record("asked", 2);
            self.0
                .in_scope(|| info_span!("inside").in_scope(|| tracing::info!("asked")));
            formatter.write_str("answer")
        }
    }
    let trace = record(|| {
        let span = info_span!("span", late = Empty, asked = Empty);
        let asks = || tracing::field::debug(Asks(span.clone()));
        span.in_scope(|| {
            span.record("late", asks());
            tracing::info!(value = asks(), "event");
            info_span!("below", value = asks());
        });
    });
    let span = trace.find("span");
    span.assert_attribute("late", "answer")
        .assert_attribute("asked", 2)
        .assert_event("event", [("value", "answer")]);
    trace.find("below").assert_attribute("value", "answer");
    // `tracing` itself shows no subscriber to what formats for a new span or an event.
    assert_eq!(trace.find_all("inside").count(), 1);
}
