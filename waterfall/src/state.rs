//! What a span says of itself, as both pictures need it.

use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

const OUTCOME: &str = "enter_span.outcome";

/// What became of a span.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanState {
    Quiet,
    Failed,
    Cancelled,
}

pub(super) fn state(span: &SpanData) -> SpanState {
    let cancelled = attribute(span, OUTCOME).is_some_and(|outcome| outcome == "cancelled");
    match span.status {
        Status::Error { .. } => SpanState::Failed,
        _ if cancelled => SpanState::Cancelled,
        _ => SpanState::Quiet,
    }
}

/// The last part of the type's path, without its generics: the rest is in the way here.
pub(super) fn error_type(span: &SpanData) -> String {
    let path = attribute(span, "error.type").unwrap_or_default();
    let path = path.split('<').next().unwrap_or(&path);
    path.rsplit("::").next().unwrap_or(path).to_owned()
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|a| a.key.as_str() == key)?;
    Some(found.value.as_str().into_owned())
}

/// Whether an attribute says what the row does not say already.
pub(super) fn is_news(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    !key.starts_with("code.") && !["error.type", "exception.stacktrace", OUTCOME].contains(&key)
}

/// The attributes in the order in which they are shown: those that all spans of a bridge have, and that say
/// little of the work, stand last.
pub(super) fn in_order(attributes: &[KeyValue]) -> impl Iterator<Item = &KeyValue> {
    let first = attributes.iter().filter(|one| !is_background(one));
    first.chain(attributes.iter().filter(|one| is_background(one)))
}

fn is_background(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    let is_place = key.starts_with("thread.") || key.starts_with("code.");
    is_place || ["target", "level"].contains(&key)
}

/// Whether an attribute is a statement, whose line breaks and indentation are in the way on a line.
pub(super) fn is_statement(key: &str) -> bool {
    ["db.query.text", "db.statement"].contains(&key)
}

/// Empty for the default kind.
pub(super) fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "",
        SpanKind::Client => "client",
        SpanKind::Server => "server",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

/// A span cannot have taken less than no time, whatever the clocks said.
pub(super) fn length(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}
