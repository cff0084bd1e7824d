//! A trace as one page of HTML: pure, from spans to text.
//!
//! The page carries the trace as JSON in an element that browsers do not run, and a script that
//! draws it. Its policy lets nothing else run, and nothing be loaded.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Event, Link, SpanId, Status};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::json::Json;
use super::parents::parents;
use super::state::{SpanState, error_type, in_order, kind, length, state};
use super::trace_collector::Gaps;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The SHA-256 of the style and of the script, which a test compares.
const STYLE_HASH: &str = "sha256-ATALSGr6S+hT93J/qqFV6Kw1DJnFOR/qKIREFtuNoK0=";
const SCRIPT_HASH: &str = "sha256-wKxpmmrw1R8jQ1jpRfartA3n8droXSYlUajlUCX9kgk=";

/// Makes a page of one trace: it opens from disk, loads nothing, and shows spans of thousands.
///
/// More than 16,384 characters of a text are cut, and the text says so. `resource` is what the spans
/// are of, for the details.
pub fn page(spans: &[SpanData], resource: &Resource) -> String {
    page_of(spans, &key_values(resource), Gaps::default())
}

pub(super) fn key_values(resource: &Resource) -> Vec<KeyValue> {
    let pairs = resource.iter();
    pairs
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect()
}

/// The same for a part of a trace.
pub(super) fn page_of(spans: &[SpanData], resource: &[KeyValue], gaps: Gaps) -> String {
    let policy = format!(
        "default-src 'none'; script-src '{SCRIPT_HASH}'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let page = PAGE
        .replace("<!--policy-->", &policy)
        .replace("<!--style-->", STYLE)
        .replace("<!--script-->", SCRIPT);
    // Foreign text comes last, so that no marker is looked for in it.
    page.replacen("<!--trace-->", &trace(spans, resource, gaps).to_string(), 1)
}

fn trace(spans: &[SpanData], resource: &[KeyValue], gaps: Gaps) -> Json {
    let mut spans: Vec<&SpanData> = spans.iter().collect();
    spans.sort_by_key(|span| (span.start_time, span.end_time));
    let above = parents(&spans);
    let start = spans.first().map(|span| span.start_time);
    let start = start.unwrap_or(SystemTime::UNIX_EPOCH);
    let ends = spans.iter().map(|span| span.end_time.max(span.start_time));
    let id = spans.first().map(|span| span.span_context.trace_id());
    let all = spans.iter().zip(&above);
    Json::object([
        (
            "trace",
            Json::text(&id.map_or(String::new(), |id| id.to_string())),
        ),
        ("notes", Json::list(gaps.notes().map(Json::text))),
        ("resource", pairs(resource)),
        (
            "start",
            Json::number(length(SystemTime::UNIX_EPOCH, start).as_millis()),
        ),
        ("length", nanos(length(start, ends.max().unwrap_or(start)))),
        (
            "spans",
            Json::list(all.map(|(data, above)| span(data, *above, start, gaps))),
        ),
    ])
}

/// Times are in nanoseconds since the start of the trace.
fn span(span: &SpanData, above: Option<usize>, start: SystemTime, gaps: Gaps) -> Json {
    let parent = match span.parent_span_id {
        SpanId::INVALID => String::new(),
        id => id.to_string(),
    };
    let events = span.events.iter().map(|one| event(one, start));
    Json::object([
        ("id", Json::text(&span.span_context.span_id().to_string())),
        ("parent", Json::text(&parent)),
        (
            "up",
            above.map_or_else(Json::null, |above| Json::number(above as u128)),
        ),
        ("place", Json::text(place(span, above, gaps))),
        ("name", Json::text(&span.name)),
        ("kind", Json::text(kind(&span.span_kind))),
        ("start", nanos(length(start, span.start_time))),
        ("length", nanos(length(span.start_time, span.end_time))),
        ("state", Json::text(state_name(span))),
        ("error", Json::text(&error_type(span))),
        ("status", status(&span.status)),
        ("attributes", pairs(&span.attributes)),
        ("dropped", Json::number(span.dropped_attributes_count)),
        ("events", Json::list(events)),
        ("droppedEvents", Json::number(span.events.dropped_count)),
        ("links", Json::list(span.links.iter().map(link))),
        ("droppedLinks", Json::number(span.links.dropped_count)),
        (
            "traceState",
            Json::text(&span.span_context.trace_state().header()),
        ),
        ("scope", scope(&span.instrumentation_scope)),
    ])
}

fn place(span: &SpanData, above: Option<usize>, gaps: Gaps) -> &'static str {
    match above {
        None if span.parent_span_is_remote => "parent elsewhere",
        None if span.parent_span_id != SpanId::INVALID => gaps.absence(),
        _ => "",
    }
}

fn state_name(span: &SpanData) -> &'static str {
    match state(span) {
        SpanState::Quiet => "",
        SpanState::Failed => "failed",
        SpanState::Cancelled => "cancelled",
    }
}

fn status(status: &Status) -> Json {
    let (code, text) = match status {
        Status::Unset => ("unset", ""),
        Status::Ok => ("ok", ""),
        Status::Error { description } => ("error", &**description),
    };
    Json::object([("code", Json::text(code)), ("text", Json::text(text))])
}

fn event(event: &Event, start: SystemTime) -> Json {
    Json::object([
        ("name", Json::text(&event.name)),
        ("at", nanos(length(start, event.timestamp))),
        ("attributes", pairs(&event.attributes)),
        ("dropped", Json::number(event.dropped_attributes_count)),
    ])
}

fn link(link: &Link) -> Json {
    Json::object([
        (
            "trace",
            Json::text(&link.span_context.trace_id().to_string()),
        ),
        ("span", Json::text(&link.span_context.span_id().to_string())),
        ("attributes", pairs(&link.attributes)),
        ("dropped", Json::number(link.dropped_attributes_count)),
    ])
}

fn scope(scope: &InstrumentationScope) -> Json {
    let attributes: Vec<KeyValue> = scope.attributes().cloned().collect();
    Json::object([
        ("name", Json::text(scope.name())),
        ("version", Json::text(scope.version().unwrap_or_default())),
        ("attributes", pairs(&attributes)),
    ])
}

/// Each is a key, the value as a text, and its type.
fn pairs(attributes: &[KeyValue]) -> Json {
    Json::list(in_order(attributes).map(|KeyValue { key, value, .. }| {
        let kind = match value {
            Value::Bool(_) => "bool",
            Value::I64(_) => "int",
            Value::F64(_) => "float",
            Value::String(_) => "string",
            _ => "array",
        };
        Json::list([key.as_str(), &*value.as_str(), kind].map(Json::text))
    }))
}

fn nanos(duration: Duration) -> Json {
    Json::number(duration.as_nanos())
}
