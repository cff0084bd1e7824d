//! The header `tracestate`, by W3C Trace Context, level 2: what the tracing systems on the way have
//! to say, which nobody may change but they.
//!
//! OpenTelemetry's `TraceState` refuses keys that level 2 allows, and rewrites white space and empty
//! members. A text that it would not give back as it was travels beside it, in the context of the
//! remote span, from which everything below inherits it.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};

use super::field::{WHITE_SPACE, trimmed};

pub(super) const NAME: &str = "tracestate";

const MOST_MEMBERS: usize = 32;

/// Of a key, and of a value.
const MOST_CHARACTERS: usize = 256;

/// The longest list without white space. A longer text is thrown away unread; the specification asks
/// for 512.
const MOST_BYTES: usize = MOST_MEMBERS * (2 * MOST_CHARACTERS + 2) - 1;

/// What has come.
#[derive(Default)]
pub(super) struct Tracestate {
    /// What OpenTelemetry's type can hold of it.
    pub(super) state: TraceState,
    /// All of it, if that type would not give it back as it was.
    text: Option<String>,
}

/// One member that is wrong, or one too many, and all are thrown away.
pub(super) fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Tracestate {
    // An empty header says nothing, and so adds nothing.
    let mut values = values.map(trimmed).filter(|value| !value.is_empty());
    let tracestate = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => parse(value),
        (Some(first), Some(second)) => {
            join([first, second].into_iter().chain(values)).and_then(|value| parse(&value))
        }
    };
    tracestate.unwrap_or_default()
}

/// Several headers are one list.
fn join<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    for value in values {
        if joined.len() + value.len() > MOST_BYTES {
            return None;
        }
        if !joined.is_empty() {
            joined.push(b',');
        }
        joined.extend_from_slice(value);
    }
    Some(joined)
}

fn parse(value: &[u8]) -> Option<Tracestate> {
    if value.len() > MOST_BYTES {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let (mut members, mut pairs, mut length) = (0, 0, 0);
    for member in members_of(text) {
        members += 1;
        if !member.is_empty() {
            pair(member).filter(is_valid)?;
            pairs += 1;
            length += member.len() + 1;
        }
    }
    if pairs > MOST_MEMBERS {
        return None;
    }
    let known = TraceState::from_key_value(pairs_of(text)).ok();
    let is_plain = known.is_some() && length == text.len() + 1;
    let as_it_was = || match members > MOST_MEMBERS {
        // Empty members are members too, and such a list could not be sent on.
        true => write(|| pairs_of(text)),
        false => text.to_owned(),
    };
    Some(Tracestate {
        state: known.unwrap_or_else(|| known_of(text)),
        text: (!is_plain && pairs > 0).then(as_it_was),
    })
}

/// Without the white space around them.
fn members_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(|member| member.trim_matches(WHITE_SPACE))
}

/// Of a text whose pairs are valid.
fn pairs_of(text: &str) -> impl Iterator<Item = (&str, &str)> {
    members_of(text).filter_map(pair)
}

fn pair(member: &str) -> Option<(&str, &str)> {
    member.split_once('=')
}

fn is_valid(&(key, value): &(&str, &str)) -> bool {
    is_key(key.as_bytes()) && is_value(value.as_bytes())
}

fn is_key(key: &[u8]) -> bool {
    let may_begin = |character: &u8| matches!(character, b'a'..=b'z' | b'0'..=b'9');
    let may_follow = |character: &u8| matches!(character, b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= MOST_CHARACTERS
        && key.first().is_some_and(may_begin)
        && key
            .iter()
            .all(|character| may_begin(character) || may_follow(character))
}

fn is_value(value: &[u8]) -> bool {
    let may_stand =
        |character: &u8| matches!(character, b' '..=b'~') && !matches!(character, b',' | b'=');
    value.len() <= MOST_CHARACTERS
        && value.last().is_some_and(|last| *last != b' ')
        && value.iter().all(may_stand)
}

/// Those members that OpenTelemetry's type takes.
fn known_of(text: &str) -> TraceState {
    let is_known = |pair: &(&str, &str)| TraceState::from_key_value([*pair]).is_ok();
    TraceState::from_key_value(pairs_of(text).filter(is_known)).unwrap_or_default()
}

/// Of what local code has put in, only what may be sent.
fn write<'a, P>(pairs: impl Fn() -> P) -> String
where
    P: Iterator<Item = (&'a str, &'a str)>,
{
    let pairs = || pairs().filter(is_valid).take(MOST_MEMBERS);
    let length: usize = pairs()
        .map(|(key, value)| key.len() + value.len() + 2)
        .sum();
    let mut text = String::with_capacity(length.saturating_sub(1));
    for (key, value) in pairs() {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(key);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// The text that has come with a remote span. `None` hides that of another one.
pub(super) struct Beside(Option<Arrived>);

struct Arrived {
    trace_id: TraceId,
    state: TraceState,
    text: String,
}

impl Tracestate {
    /// What is to be kept beside the remote span of this trace.
    pub(super) fn keep(&mut self, trace_id: TraceId) -> Beside {
        let text = self.text.take();
        Beside(text.map(|text| Arrived {
            trace_id,
            state: self.state.clone(),
            text,
        }))
    }
}

impl Beside {
    /// `context`, in which the remote span is current, with what its type cannot hold.
    pub(super) fn put_into(self, context: Context) -> Context {
        match self.0.is_some() || context.get::<Beside>().is_some() {
            true => context.with_value(self),
            false => context,
        }
    }
}

/// The header for the span of `context`. It is empty if there is nothing to say.
pub(super) fn header(context: &Context, span: &SpanContext) -> String {
    let beside = context.get().and_then(|Beside(arrived)| arrived.as_ref());
    let state = span.trace_state();
    match beside.filter(|arrived| arrived.trace_id == span.trace_id()) {
        None => write(|| state.into_iter()),
        Some(arrived) if arrived.state == *state => arrived.text.clone(),
        Some(arrived) => arrived.changed_to(state),
    }
}

impl Arrived {
    /// What was changed stands first, and what was not keeps its order.
    fn changed_to(&self, now: &TraceState) -> String {
        let is_changed = |(key, _): &(&str, &str)| self.state.get(key) != now.get(key);
        let stays = |(key, _): &(&str, &str)| match (self.state.get(key), now.get(key)) {
            (Some(was), Some(is)) => was == is,
            (Some(_), None) | (None, Some(_)) => false,
            // OpenTelemetry's type has never known it.
            (None, None) => true,
        };
        write(|| {
            let changed = now.into_iter().filter(is_changed);
            changed.chain(pairs_of(&self.text).filter(stays))
        })
    }
}
