//! What the library itself writes is what the table of the docs says: neither changes alone.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Waker};

use enter_span::invocation::{Invocation, Message, Run, TraceMode};
use enter_span::{enter_span, enter_span_async, in_span, start_span};
use enter_span_pipeline::Pipeline;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData};

use crate::pipeline::{AGES, finished, in_memory};
use crate::support::child::is_child;

/// The docs of the crate, as they are in its source.
const DOCS: &str = include_str!("../../../runtime/src/lib.rs");

const HEADING: &str = "//! # What it emits";

/// What the table names: the texts in backticks of its first column, with the second one, and a value
/// that follows by `=`.
fn documented() -> BTreeSet<String> {
    let (_, table) = DOCS.split_once(HEADING).expect("the heading");
    let rows = table
        .lines()
        .skip(1)
        .skip_while(|line| !line.starts_with("//! |"));
    let rows = rows.take_while(|line| line.starts_with("//! |")).skip(2);
    rows.flat_map(row).collect()
}

fn row(row: &str) -> Vec<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let (what, on) = (cells[1], cells[2].trim_end_matches('s'));
    let quoted: Vec<&str> = what.split('`').skip(1).step_by(2).collect();
    let named = |name: &str| format!("{on} {name}");
    match (on, &quoted[..]) {
        ("statu", _) => vec!["status".to_owned()],
        (_, [key, value]) if what.contains(&format!("`{key}` = `{value}`")) => {
            vec![named(&format!("{key} = {value}"))]
        }
        ("event", [event, attributes @ ..]) => {
            let attributes = attributes.iter();
            let attributes = attributes.map(|key| named(&format!("{event}: {key}")));
            attributes.chain([named(event)]).collect()
        }
        (_, keys) => keys.iter().map(|key| named(key)).collect(),
    }
}

/// Keys whose value is the library's own.
const VALUED: [&str; 2] = ["enter_span.outcome", "enter_span.trace.mode"];

/// What is written in this file begins so.
const OWN: &str = "own";

/// What these spans hold that was not written here.
fn emitted(spans: &[SpanData]) -> BTreeSet<String> {
    let mut emitted = BTreeSet::new();
    for span in spans {
        emitted.extend(
            span.attributes
                .iter()
                .map(|one| format!("attribute {}", key(one))),
        );
        for event in span
            .events
            .iter()
            .filter(|event| !event.name.starts_with(OWN))
        {
            emitted.insert(format!("event {}", event.name));
            let keys = event.attributes.iter().map(key);
            emitted.extend(keys.map(|key| format!("event {}: {key}", event.name)));
        }
        for link in span.links.iter() {
            emitted.extend(
                link.attributes
                    .iter()
                    .map(|one| format!("link {}", key(one))),
            );
        }
        if span.status != Status::Unset {
            emitted.insert("status".to_owned());
        }
        assert!(
            span.name.starts_with(OWN),
            "a span of the library's: {span:?}"
        );
    }
    emitted.retain(|one| !one.contains(&format!(" {OWN}")));
    emitted
}

fn key(attribute: &KeyValue) -> String {
    let KeyValue { key, value, .. } = attribute;
    if VALUED.contains(&key.as_str()) {
        format!("{key} = {value}")
    } else {
        key.to_string()
    }
}

#[enter_span("own ok", kind = server, attributes(own = 1), ret)]
fn ok() -> Result<u64, String> {
    Ok(1)
}

#[enter_span("own error", kind = client, err = message)]
fn error() -> Result<u64, String> {
    Err("own".to_owned())
}

#[enter_span("own type", kind = producer, err = type)]
fn error_type() -> Result<u64, std::num::ParseIntError> {
    "x".parse()
}

#[enter_span("own status", kind = consumer, err = status)]
fn error_status() -> Result<u64, std::fmt::Error> {
    Err(std::fmt::Error)
}

#[enter_span("own ignored", err = ignore, ret(own.value = |value| *value))]
fn ignored() -> Result<u64, String> {
    Err("own".to_owned())
}

#[enter_span("own panic")]
fn panics() {
    std::panic::resume_unwind(Box::new("own"));
}

#[enter_span("own pending")]
async fn pending() {
    std::future::pending::<()>().await;
}

#[enter_span("own parent", ends_children)]
fn parent() -> enter_span::OwnedSpan {
    start_span!("own abandoned")
}

/// Every outcome that there is, in every form that writes something of its own.
fn everything() {
    assert!(ok().is_ok());
    assert!(error().is_err() && error_type().is_err() && error_status().is_err());
    assert!(ignored().is_err());
    assert!(catch_unwind(panics).is_err());
    let mut polled = TaskContext::from_waker(Waker::noop());
    assert!(pin!(pending()).poll(&mut polled).is_pending());
    let block = enter_span_async("own block", |_| std::future::pending::<()>());
    assert!(pin!(block).poll(&mut polled).is_pending());
    drop(parent());
    let panics = || enter_span("own block", |_| std::panic::resume_unwind(Box::new(1)));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    let linked = start_span!("own linked", leaf, start(own.first = 1));
    in_span!("own root", root, links(&*linked), |span| {
        span.add_event("own event", [("own.key", 1)]);
        span.add_link(&*linked);
        span.set_outcome(&Err::<(), _>("own"));
        span.record_error(&std::fmt::Error);
        enter_span("own child", |_| ());
    });
    linked.end();
    let message = Run::new().start("own run", |_, message| message.to_string());
    let message: Message = message.parse().expect("a message");
    for mode in [TraceMode::Linked, TraceMode::Continuous] {
        let invocation = Invocation::of(&message).with_mode(mode);
        in_span!("own invocation", invocation = invocation, || ());
    }
}

fn of_the_pipeline() -> Vec<SpanData> {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_environment(|_| None);
    let builder = builder.with_exporter(exporter.clone());
    let pipeline = builder.install().expect("the only one");
    everything();
    pipeline.flush(AGES).expect("flushed in time");
    finished(&exporter)
}

fn of_a_provider() -> Vec<SpanData> {
    let exporter = in_memory();
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn);
    let provider = provider.with_simple_exporter(exporter.clone()).build();
    enter_span::set_tracer_provider(provider);
    everything();
    finished(&exporter)
}

/// By both backends.
#[test]
fn the_table_of_the_docs_is_what_is_emitted() {
    if !is_child("span::emitted::the_table_of_the_docs_is_what_is_emitted") {
        return;
    }
    let documented = documented();
    assert!(documented.len() > 8, "{documented:?}");
    let spans = of_the_pipeline();
    assert_eq!(emitted(&spans), documented);
    assert_eq!(emitted(&of_a_provider()), documented);
    // Five kinds, and each is what the source says; where it says nothing, what the docs say.
    let kind = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.map(|span| span.span_kind.clone())
    };
    assert_eq!(kind("own ok"), Some(SpanKind::Server));
    assert_eq!(kind("own error"), Some(SpanKind::Client));
    assert_eq!(kind("own type"), Some(SpanKind::Producer));
    assert_eq!(kind("own status"), Some(SpanKind::Consumer));
    assert_eq!(kind("own panic"), Some(SpanKind::Internal));
    assert_eq!(kind("own invocation"), Some(SpanKind::Consumer));
}
