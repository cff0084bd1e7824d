//! `Span` of `opentelemetry.proto.trace.v1`.

use std::time::{Duration, SystemTime};

use enter_span::native::{Details, EndedSpan, RecordedEvent, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanId, SpanKind, TraceState};

use super::attribute::attributes;
use super::writer::{Writer, fixed32, fixed64, message, number};
use crate::host::clock::Reading;

const TRACE_ID: u8 = message(1);
const SPAN_ID: u8 = message(2);
const TRACE_STATE: u8 = message(3);
const PARENT_SPAN_ID: u8 = message(4);
const NAME: u8 = message(5);
const KIND: u8 = number(6);
const START: u8 = fixed64(7);
const END: u8 = fixed64(8);
pub(super) const ATTRIBUTE: u8 = message(9);
const DROPPED_ATTRIBUTES: u8 = number(10);
const EVENT: u8 = message(11);
const DROPPED_EVENTS: u8 = number(12);
const LINK: u8 = message(13);
const DROPPED_LINKS: u8 = number(14);
const STATUS: u8 = message(15);
/// The number of the field is 16, and its tag takes two bytes.
const FLAGS: [u8; 2] = [0x85, 0x01];

/// Flags of a span: it is known whether its parent is remote.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// The content of the message. `code` has the attributes of its place in source, each with its tag.
#[inline]
pub(super) fn span(
    writer: &mut Writer,
    span: &EndedSpan,
    own: &[KeyValue],
    code: &[u8],
    reading: &Reading,
) {
    let details = span.details.as_deref();
    let parentage = span.parentage;
    writer.array(flags(parentage.flags.to_u8(), parentage.parent_is_remote).to_le_bytes());
    writer.array(FLAGS);
    status(writer, span.status, details);
    if let Some(details) = details {
        links_and_events(writer, details, reading);
    }
    writer.count(DROPPED_ATTRIBUTES, span.dropped_attributes);
    writer.bytes(code);
    attributes(writer, ATTRIBUTE, own.iter());
    let (start, end) = times(span, details, reading);
    writer.nanos(END, end);
    writer.nanos(START, start);
    writer.array([KIND, kind(&span.kind)]);
    writer.text(NAME, span.name());
    let parent = parentage.parent;
    if parent != SpanId::INVALID {
        id(writer, PARENT_SPAN_ID, parent.to_bytes());
    }
    if let Some(details) = details {
        trace_state(writer, &details.state);
    }
    let (trace_id, span_id) = (parentage.trace_id, parentage.span_id);
    id(writer, SPAN_ID, span_id.to_bytes());
    id(writer, TRACE_ID, trace_id.to_bytes());
}

#[inline]
fn id<const N: usize>(writer: &mut Writer, tag: u8, id: [u8; N]) {
    writer.array(id);
    writer.array([tag, N as u8]);
}

#[inline]
fn flags(trace_flags: u8, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(trace_flags) | HAS_IS_REMOTE | remote
}

#[inline]
fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// Start and end, in nanoseconds since 1970. An end is never before its start.
#[inline]
fn times(span: &EndedSpan, details: Option<&Details>, reading: &Reading) -> (u64, u64) {
    let counted = |ticks| reading.wall_time_of(ticks);
    let start = details.and_then(|details| details.start);
    let end = details.and_then(|details| details.end);
    let start = start.unwrap_or_else(|| counted(span.start));
    let end = end.unwrap_or_else(|| counted(span.end)).max(start);
    (nanos(start), nanos(end))
}

/// A time before 1970 is written as that year's beginning.
#[inline]
fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since: Duration = since.unwrap_or_default();
    since.as_nanos() as u64
}

#[inline]
fn status(writer: &mut Writer, code: StatusCode, details: Option<&Details>) {
    const MESSAGE: u8 = message(2);
    const CODE: u8 = number(3);
    match code {
        StatusCode::Unset => writer.array([STATUS, 0]),
        StatusCode::Ok => writer.array([STATUS, 2, CODE, 1]),
        StatusCode::Error => {
            let start = writer.written();
            writer.array([CODE, 2]);
            let description = details.map_or("", |details| &details.description);
            writer.text(MESSAGE, description);
            writer.wrap(STATUS, start);
        }
    }
}

fn trace_state(writer: &mut Writer, state: &TraceState) {
    writer.text(TRACE_STATE, &state.header());
}

fn links_and_events(writer: &mut Writer, details: &Details, reading: &Reading) {
    writer.count(DROPPED_LINKS, details.dropped_links);
    for one in details.links.iter().rev() {
        let start = writer.written();
        link(writer, one);
        writer.wrap(LINK, start);
    }
    writer.count(DROPPED_EVENTS, details.dropped_events);
    for one in details.events.iter().rev() {
        let start = writer.written();
        event(writer, one, reading);
        writer.wrap(EVENT, start);
    }
}

fn link(writer: &mut Writer, link: &Link) {
    const ATTRIBUTE: u8 = message(4);
    const DROPPED_ATTRIBUTES: u8 = number(5);
    const FLAGS: u8 = fixed32(6);
    let to = &link.span_context;
    writer.array(flags(to.trace_flags().to_u8(), to.is_remote()).to_le_bytes());
    writer.array([FLAGS]);
    writer.count(DROPPED_ATTRIBUTES, link.dropped_attributes_count);
    attributes(writer, ATTRIBUTE, link.attributes.iter());
    trace_state(writer, to.trace_state());
    id(writer, SPAN_ID, to.span_id().to_bytes());
    id(writer, TRACE_ID, to.trace_id().to_bytes());
}

fn event(writer: &mut Writer, event: &RecordedEvent, reading: &Reading) {
    const TIME: u8 = fixed64(1);
    const NAME: u8 = message(2);
    const ATTRIBUTE: u8 = message(3);
    const DROPPED_ATTRIBUTES: u8 = number(4);
    writer.count(DROPPED_ATTRIBUTES, event.dropped_attributes);
    attributes(writer, ATTRIBUTE, event.attributes.iter());
    writer.text(NAME, &event.name);
    writer.nanos(TIME, nanos(reading.wall_time(event.timestamp)));
}
