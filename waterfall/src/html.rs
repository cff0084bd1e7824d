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
use super::page_name::INDEX_NAME;
use super::parents::parents;
use super::state::{SpanState, error_type, in_order, kind, length, state};
use super::trace_collector::{Gaps, Part};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("text.js"), include_str!("page.js"));

/// The SHA-256 of the style and of the script, which a test compares.
const STYLE_HASH: &str = "sha256-rWLa6X56m3B2mECC9dAetb9HOTyXedb9mEYHXo89L0k=";
const SCRIPT_HASH: &str = "sha256-N1rBsP02XYu7O4e06fllsJ8HhpVV1BQbvgIzr7rTJPw=";

/// Makes a page of one trace: it opens from disk, loads nothing, and shows spans of thousands.
///
/// More than 16,384 characters of a text are cut, and the text says so. `resource` is that of the spans; the details
/// show it.
pub fn page(spans: &[SpanData], resource: &Resource) -> String {
    let trace = trace(spans, &key_values(resource), Gaps::default(), "");
    filled("", &trace)
}

pub(super) fn key_values(resource: &Resource) -> Vec<KeyValue> {
    let pairs = resource.iter();
    pairs
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect()
}

/// The same for a part of a trace, in a folder that has an index. Its first line carries the summary.
pub(super) fn page_in_folder(part: &Part, resource: &[KeyValue], summary: &str) -> String {
    let trace = trace(&part.spans, resource, part.gaps, INDEX_NAME);
    filled(&format!("{SUMMARY_OPEN}{summary}{SUMMARY_CLOSE}"), &trace)
}

/// The summary that the first line of a page carries.
pub(super) fn summary_in(first_line: &str) -> Option<&str> {
    let (_, rest) = first_line.split_once(SUMMARY_OPEN)?;
    let (summary, _) = rest.split_once(SUMMARY_CLOSE)?;
    Some(summary)
}

/// A comment. JSON of ours has neither `<` nor `>`, so nothing in it ends the comment.
const SUMMARY_OPEN: &str = "<!--";
const SUMMARY_CLOSE: &str = "-->";

fn filled(summary: &str, trace: &Json) -> String {
    let page = PAGE
        .replace("<!--policy-->", &policy(SCRIPT_HASH, STYLE_HASH))
        .replace("<!--style-->", STYLE)
        .replace("<!--script-->", SCRIPT);
    // Foreign text comes last, so that no marker is looked for in it.
    page.replacen("<!--summary-->", summary, 1)
        .replacen("<!--trace-->", &trace.to_string(), 1)
}

/// Nothing runs but this script, and nothing is loaded.
pub(super) fn policy(script_hash: &str, style_hash: &str) -> String {
    format!(
        "default-src 'none'; script-src '{script_hash}'; style-src '{style_hash}'; base-uri 'none'; form-action 'none'"
    )
}

fn trace(spans: &[SpanData], resource: &[KeyValue], gaps: Gaps, index: &str) -> Json {
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
        ("index", Json::text(index)),
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

pub(super) fn nanos(duration: Duration) -> Json {
    Json::number(duration.as_nanos())
}
