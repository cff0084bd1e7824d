//! The names of pages: when the trace started, which trace it is, and which part of it.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use opentelemetry_sdk::trace::SpanData;

use super::state::length;

/// The page that lists the others.
pub(super) const INDEX_NAME: &str = "index.html";

/// The digits of the start, in microseconds, so that names are in the order of time.
const DIGITS: usize = 17;

/// The numbers of the parts that follow the first one.
const PARTS: RangeInclusive<u32> = 2..=1_000;

/// All names that a page of these spans may have, in the order in which they are taken.
pub(super) fn page_names(spans: &[SpanData]) -> impl Iterator<Item = String> {
    let stem = stem(spans);
    let first = format!("{stem}.html");
    let others = PARTS.map(move |number| format!("{stem}-{number}.html"));
    std::iter::once(first).chain(others)
}

fn stem(spans: &[SpanData]) -> String {
    let start = spans.iter().map(|span| span.start_time).min();
    let start = length(
        SystemTime::UNIX_EPOCH,
        start.unwrap_or(SystemTime::UNIX_EPOCH),
    );
    let trace = spans
        .first()
        .map(|span| span.span_context.trace_id().to_string());
    let trace = trace.unwrap_or_default();
    format!("trace-{:0DIGITS$}-{trace}", start.as_micros())
}

/// Whether a name is one of those that are made here, to the letter.
pub(super) fn is_page_name(name: &str) -> bool {
    let parts = name
        .strip_prefix("trace-")
        .and_then(|name| name.strip_suffix(".html"));
    let mut parts = parts.unwrap_or_default().splitn(3, '-');
    let mut is = |length, is_right: fn(char) -> bool| {
        let part = parts.next().unwrap_or_default();
        part.len() == length && part.chars().all(is_right)
    };
    is(DIGITS, |c| c.is_ascii_digit())
        && is(32, |c| matches!(c, '0'..='9' | 'a'..='f'))
        && parts.next().is_none_or(is_part_number)
}

/// That of a further part of a trace.
fn is_part_number(text: &str) -> bool {
    let number = text.parse().ok();
    number.is_some_and(|number: u32| PARTS.contains(&number) && number.to_string() == text)
}
