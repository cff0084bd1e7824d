//! Events of `tracing` on the innermost span.

use std::error::Error;

use enter_span::testing::{Recorder, Trace};
use enter_span::{Status, enter_span, in_span};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use tracing::dispatcher::with_default;
use tracing::{Level, debug, error, event, info, info_span, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use super::{dispatch, layer, record, record_by};

/// The events of each span, by their names.
#[track_caller]
fn assert_events(trace: &Trace, expected: &[(&str, &[&str])]) {
    let found = trace.spans().iter().map(|span| {
        let names = span.events().iter().map(|event| event.name());
        (span.name(), names.collect::<Vec<_>>())
    });
    let expected = expected
        .iter()
        .map(|(name, events)| (*name, events.to_vec()));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[enter_span]
fn ours() {
    info!("in ours");
}

/// The innermost span is meant, of whatever kind; outside of spans there is nothing.
#[test]
fn an_event_is_on_the_innermost_span() {
    let recorder = Recorder::new();
    let raw = recorder.tracer_provider().tracer("raw");
    let trace = with_default(&dispatch(), || {
        recorder.run(|| {
            info!("outside");
            info_span!("outer").in_scope(|| {
                info!("before");
                ours();
                raw.in_span("raw", |_| info!("in raw"));
                info!("after");
            });
            in_span!("around", |_| info_span!("theirs")
                .in_scope(|| info!("in theirs")));
        })
    });
    assert_events(
        &trace,
        &[
            ("outer", &["before", "after"]),
            ("ours", &["in ours"]),
            ("raw", &["in raw"]),
            ("around", &[]),
            ("theirs", &["in theirs"]),
        ],
    );
}

/// An event may name its span, or none.
#[test]
fn an_event_may_name_its_span() {
    let trace = record(|| {
        let other = info_span!("other");
        in_span!("current", |_| {
            event!(parent: &other, Level::INFO, "for other");
            event!(parent: None, Level::INFO, "for none");
        });
    });
    assert_events(&trace, &[("other", &["for other"]), ("current", &[])]);
}

/// The message is the name, unless the source gives one; without both it is the target.
#[test]
fn an_event_has_a_name() {
    let trace = record(|| {
        in_span!("span", |_| {
            info!(rows = 3, "found {}", "it");
            info!(name: "order.shipped", weight = 0.5, "on its way");
            info!(target: "shop::db", hit = true);
        });
    });
    trace
        .find("span")
        .assert_event("found it", [("rows", 3)])
        .assert_event(
            "order.shipped",
            (("weight", 0.5), ("message", "on its way")),
        )
        .assert_event("shop::db", [("hit", true)]);
}

/// Which levels are taken is a setting.
#[test]
fn events_are_taken_by_level() {
    let events_up_to = |most| {
        let subscriber = registry().with(layer().with_span_events(most));
        let trace = record_by(subscriber, || {
            in_span!("span", |_| {
                error!("error");
                warn!("warn");
                debug!("debug");
            });
        });
        let events = trace.find("span").events().iter();
        events
            .map(|event| event.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(events_up_to(LevelFilter::TRACE), ["error", "warn", "debug"]);
    assert_eq!(events_up_to(LevelFilter::WARN), ["error", "warn"]);
    assert_eq!(events_up_to(LevelFilter::OFF), Vec::<String>::new());
}

/// An event says its level, its target and its place by default.
#[test]
fn an_event_says_where_it_is_from() {
    let line = line!() + 3;
    let subscriber = registry().with(enter_span_tracing::layer());
    let trace = record_by(subscriber, || {
        in_span!("span", |_| info!(target: "shop", "event"));
    });
    trace.find("span").assert_event(
        "event",
        (
            ("level", "INFO"),
            ("target", "shop"),
            ("code.function.name", module_path!()),
            ("code.file.path", file!()),
            ("code.line.number", line),
        ),
    );
}

/// What comes through the facade `log` says its target and its place in fields.
#[test]
fn an_event_of_log_says_where_it_is_from() {
    let subscriber = registry().with(enter_span_tracing::layer());
    let trace = record_by(subscriber, || {
        in_span!("span", |_| {
            event!(
                target: "log",
                Level::INFO,
                { log.target = "shop::db", log.line = 7, log.file = "src/db.rs" },
                "event"
            );
        });
    });
    let span = trace.find("span");
    span.assert_event(
        "event",
        (
            ("target", "shop::db"),
            ("code.file.path", "src/db.rs"),
            ("code.line.number", 7),
        ),
    );
    assert_eq!(span.events()[0].attribute("log.target"), None);
}

/// An event with an error is an exception; at the level of errors its span has failed.
#[test]
fn an_error_is_an_exception() {
    let trace = record(|| {
        let error: Box<dyn Error> = "declined".into();
        in_span!("failed", |_| error!(
            error = &*error,
            attempt = 2,
            "cannot pay"
        ));
        in_span!("warned", |_| warn!(error = %error, "will retry"));
    });
    let exception = (
        ("exception.message", "declined"),
        ("exception.type", "_OTHER"),
    );
    trace
        .find("failed")
        .assert_error("_OTHER")
        .assert_status(&Status::error("declined"))
        .assert_event("exception", exception)
        .assert_event("exception", [("message", "cannot pay")])
        .assert_event("exception", [("attempt", 2)]);
    trace
        .find("warned")
        .assert_succeeded()
        .assert_event("exception", exception);
}

/// OpenTelemetry's own events are not recorded.
#[test]
fn opentelemetrys_own_events_are_left_out() {
    let trace = record(|| {
        in_span!("span", |_| {
            info!(target: "opentelemetry_sdk", "internal");
            info_span!(target: "opentelemetry", "internal").in_scope(|| info!("below"));
        });
    });
    assert_events(&trace, &[("span", &["below"])]);
}

/// What is not recorded is not formatted.
#[test]
fn an_event_without_a_recorded_span_is_not_formatted() {
    struct Never;
    impl std::fmt::Debug for Never {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("formatted")
        }
    }
    with_default(&dispatch(), || {
        Recorder::new().with_sampler(|_| false).run(|| {
            info!(value = ?Never, "outside");
            info_span!("unsampled", value = ?Never).in_scope(|| info!(value = ?Never, "inside"));
        });
    });
}
