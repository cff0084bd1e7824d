//! What the index shows of a page.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceId;
use opentelemetry_sdk::trace::SpanData;

use super::json::Json;
use super::parents::parents;
use super::state::{SpanState, length, state};
use super::trace_collector::Part;

/// Names of spans and services are cut here.
const MOST_CHARS: usize = 200;

/// A trace with links to more traces than this names the first ones.
const MOST_LINKS: usize = 16;

pub(super) fn summary(part: &Part, resource: &[KeyValue]) -> Json {
    let mut spans: Vec<&SpanData> = part.spans.iter().collect();
    spans.sort_by_key(|span| (span.start_time, span.end_time));
    let count = |wanted| {
        let found = spans.iter().filter(|span| state(span) == wanted);
        Json::number(found.count() as u128)
    };
    let links = linked_traces(&spans);
    let links = links.iter().map(|id| Json::text(&id.to_string()));
    Json::object([
        ("name", Json::text(&cut(name(&spans)))),
        ("service", Json::text(&cut(&service(resource)))),
        ("length", Json::number(duration(&spans).as_nanos())),
        ("spans", Json::number(spans.len() as u128)),
        ("failed", count(SpanState::Failed)),
        ("cancelled", count(SpanState::Cancelled)),
        ("notes", Json::list(part.gaps.notes().map(Json::text))),
        ("links", Json::list(links)),
    ])
}

/// Of the first span without a parent here, as in the heading of the page.
fn name<'a>(spans: &[&'a SpanData]) -> &'a str {
    let above = parents(spans);
    let mut pairs = spans.iter().zip(above);
    let root = pairs.find(|(_, above)| above.is_none());
    root.map_or("", |(span, _)| &span.name)
}

fn service(resource: &[KeyValue]) -> String {
    let name = resource
        .iter()
        .find(|one| one.key.as_str() == "service.name");
    name.map_or(String::new(), |one| one.value.as_str().into_owned())
}

fn duration(spans: &[&SpanData]) -> Duration {
    let start = spans.first().map(|span| span.start_time);
    let ends = spans.iter().map(|span| span.end_time);
    let end = ends.max().unwrap_or(SystemTime::UNIX_EPOCH);
    start.map_or(Duration::ZERO, |start| length(start, end))
}

/// Other traces than this one, each once, in the order of the spans.
fn linked_traces(spans: &[&SpanData]) -> Vec<TraceId> {
    let own = spans.first().map(|span| span.span_context.trace_id());
    let links = spans.iter().flat_map(|span| span.links.iter());
    let ids = links.map(|link| link.span_context.trace_id());
    let mut seen: HashSet<TraceId> = own.into_iter().collect();
    ids.filter(|id| seen.insert(*id)).take(MOST_LINKS).collect()
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARS).collect()
}
