//! The header `tracestate`, by W3C Trace Context, level 2: entries of the tracing systems on the way, which only
//! they may change.
//!
//! A `tracestate` travels twice if it must. OpenTelemetry's `TraceState` refuses keys that level 2 allows
//! (`a@@b`, more than 13 characters after an `@`), rewrites white space and empty members, and is copied with
//! each span. But samplers and exporters read it, and all spans below a remote one carry it. So it holds what it
//! can. If it would not give back the text as it was, or the text is too long, the text is kept beside it: one
//! value in the context of the remote span, which everything below inherits for free.
//!
//! The text is written if the current span is of the same trace and its `TraceState` is still the received one.
//! If a sampler has changed that, the changed members come first, and the rest of the text keeps its order.
//!
//! Injection is checked like extraction. Local code can put any text into a `TraceState`. Members that do not
//! follow the grammar are left out when they are written, so that nobody can end a header in them.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceId, TraceState};

use super::field::{WHITE_SPACE, trimmed};
use crate::context::remote_tracestate::{ReceivedTracestate, RemoteTracestate};

pub(super) const NAME: &str = "tracestate";

const MOST_MEMBERS: usize = 32;

/// Of a key, and of a value.
const MOST_CHARACTERS: usize = 256;

/// The longest list without white space. A longer text is thrown away unread; the specification asks
/// for 512.
const MOST_BYTES: usize = MOST_MEMBERS * (2 * MOST_CHARACTERS + 2) - 1;

/// What spans carry of it: as many bytes as the specification asks for at least.
const MOST_CARRIED: usize = 512;

/// Where it is too long, members of more bytes than this go first, by the specification.
const LARGE: usize = 128;

/// What has come.
#[derive(Default)]
pub(super) struct Tracestate {
    /// What OpenTelemetry's type can hold of it, and spans carry.
    pub(super) state: TraceState,
    /// All of it, if that would not give it back as it was.
    text: Option<String>,
}

/// One member that is wrong, or one too many, and all are thrown away.
pub(super) fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Tracestate {
    // An empty header adds no member.
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

fn parse(text: &[u8]) -> Option<Tracestate> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let mut all = [("", ""); MOST_MEMBERS];
    let (mut members, mut count, mut length) = (0, 0, 0);
    for member in Members(Some(text)) {
        members += 1;
        match member {
            Member::Wrong => return None,
            Member::Empty => {}
            Member::Pair(key, value) => {
                *all.get_mut(count)? = (key, value);
                count += 1;
                length += key.len() + value.len() + 2;
            }
        }
    }
    let pairs = all.get(..count)?;
    let as_it_was = || {
        if members > MOST_MEMBERS {
            write(|| pairs.iter().copied())
        } else {
            text.to_owned()
        }
    };
    let is_short = text.len() <= MOST_CARRIED;
    let known = is_short.then(|| TraceState::from_key_value(pairs.iter().copied()));
    match known {
        Some(Ok(state)) if length == text.len() + 1 => Some(Tracestate { state, text: None }),
        _ => Some(Tracestate {
            text: (count > 0).then(as_it_was),
            state: carried(pairs),
        }),
    }
}

enum Member<'a> {
    Pair(&'a str, &'a str),
    Empty,
    /// After it there is none.
    Wrong,
}

/// The members of a list, which is read once, from its beginning to its end.
struct Members<'a>(Option<&'a str>);

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    #[inline]
    fn next(&mut self) -> Option<Member<'a>> {
        let (member, rest) = member(self.0?);
        self.0 = match rest.as_bytes().first() {
            Some(b',') => rest.get(1..),
            Some(_) => {
                self.0 = None;
                return Some(Member::Wrong);
            }
            None => None,
        };
        Some(member)
    }
}

/// The first member, and what follows it, which is nothing or begins with a comma.
#[inline]
fn member(text: &str) -> (Member<'_>, &str) {
    let text = text.trim_start_matches(WHITE_SPACE);
    let (key, rest) = leading(text, OF_KEY);
    let Some(rest) = rest.strip_prefix('=') else {
        return (Member::Empty, text);
    };
    let (value, rest) = leading(rest, OF_VALUE);
    let value = value.trim_end_matches(' ');
    if is_key(key) && is_value(value) {
        (
            Member::Pair(key, value),
            rest.trim_start_matches(WHITE_SPACE),
        )
    } else {
        (Member::Empty, text)
    }
}

/// As far as the characters are of this class, and the rest.
#[inline]
fn leading(text: &str, class: u8) -> (&str, &str) {
    let is_other = |character| CLASSES[usize::from(character)] & class == 0;
    let end = text.bytes().position(is_other);
    end.and_then(|end| text.split_at_checked(end))
        .unwrap_or((text, ""))
}

/// Of what the characters can be.
fn is_key(key: &str) -> bool {
    let first = key.bytes().next().map(usize::from);
    key.len() <= MOST_CHARACTERS && first.is_some_and(|first| CLASSES[first] & BEGINS_KEY != 0)
}

/// Of what the characters can be.
fn is_value(value: &str) -> bool {
    (1..=MOST_CHARACTERS).contains(&value.len()) && !value.ends_with(' ')
}

/// Of anything.
#[inline]
fn is_valid(&(key, value): &(&str, &str)) -> bool {
    is_key(key) && is_value(value) && are(key, OF_KEY) && are(value, OF_VALUE)
}

const BEGINS_KEY: u8 = 1;
const OF_KEY: u8 = 2;
const OF_VALUE: u8 = 4;

/// What each character can be.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut character = b' ';
    while character <= b'~' {
        classes[character as usize] = match character {
            b'a'..=b'z' | b'0'..=b'9' => BEGINS_KEY | OF_KEY | OF_VALUE,
            b'_' | b'-' | b'*' | b'/' | b'@' => OF_KEY | OF_VALUE,
            b',' | b'=' => 0,
            _ => OF_VALUE,
        };
        character += 1;
    }
    classes
};

fn are(text: &str, class: u8) -> bool {
    let common = |common, character| common & CLASSES[usize::from(character)];
    text.bytes().fold(class, common) != 0
}

/// Those members that OpenTelemetry's type takes, as far as spans carry them.
fn carried(pairs: &[(&str, &str)]) -> TraceState {
    let is_known = |pair: &(&str, &str)| TraceState::from_key_value([*pair]).is_ok();
    let mut pairs: Vec<_> = pairs.iter().copied().filter(is_known).collect();
    let length = |(key, value): &(&str, &str)| key.len() + value.len() + 1;
    while pairs.iter().map(|pair| length(pair) + 1).sum::<usize>() > MOST_CARRIED + 1 {
        let last_large = pairs.iter().rposition(|pair| length(pair) > LARGE);
        match last_large {
            Some(large) => drop(pairs.remove(large)),
            None => drop(pairs.pop()),
        }
    }
    TraceState::from_key_value(pairs).unwrap_or_default()
}

/// Of what local code has put in, only what may be sent.
fn write<'a, P>(pairs: impl Fn() -> P) -> String
where
    P: Iterator<Item = (&'a str, &'a str)>,
{
    let length = pairs().map(|(key, value)| key.len() + value.len() + 2);
    let length: usize = length.take(MOST_MEMBERS).sum();
    let mut text = String::with_capacity(length.saturating_sub(1));
    for (key, value) in pairs().filter(is_valid).take(MOST_MEMBERS) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(key);
        text.push('=');
        text.push_str(value);
    }
    text
}

impl Tracestate {
    /// What is to be kept beside the remote span of this trace.
    pub(super) fn take_remote(&mut self, trace_id: TraceId) -> RemoteTracestate {
        let text = self.text.take();
        RemoteTracestate(text.map(|text| ReceivedTracestate {
            trace_id,
            state: self.state.clone(),
            text,
        }))
    }
}

impl RemoteTracestate {
    /// `context`, in which the remote span is current, with what its type cannot keep.
    pub(super) fn add_to(self, context: Context) -> Context {
        if self.0.is_some() || context.get::<RemoteTracestate>().is_some() {
            context.with_value(self)
        } else {
            context
        }
    }
}

/// The header for the span of `context`. It is empty if there is nothing to say.
pub(super) fn header(context: &Context, span: &SpanContext) -> String {
    let received = context
        .get()
        .and_then(|RemoteTracestate(received)| received.as_ref());
    let state = span.trace_state();
    match received.filter(|received| received.trace_id == span.trace_id()) {
        None => write(|| state.into_iter()),
        Some(received) if received.state == *state => received.text.clone(),
        Some(received) => received.changed_to(state),
    }
}

impl ReceivedTracestate {
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
            let pairs = Members(Some(&self.text)).filter_map(|member| match member {
                Member::Pair(key, value) => Some((key, value)),
                Member::Empty | Member::Wrong => None,
            });
            changed.chain(pairs.filter(stays))
        })
    }
}
