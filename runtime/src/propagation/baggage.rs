//! The header `baggage`, by W3C Baggage: entries that the application sends with its requests.
//!
//! Only the keys that the application names are written. With a current span the header is ours: it is replaced,
//! or removed if there is nothing to write. Entries that do not follow the grammar are left out when they are
//! written, so that nobody can end a header in them.

use std::borrow::Cow;

use opentelemetry::baggage::{Baggage, KeyValueMetadata};

use super::field::{WHITE_SPACE, trimmed};

pub(super) const NAME: &str = "baggage";

/// Both ways, the least that the specification asks for is the most.
const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 8192;

/// Reads so many bytes of so many members; a member that is wrong is left out, and so is one that is
/// cut. `None` if nothing is left.
pub(super) fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Baggage> {
    let mut room = MOST_BYTES;
    let members = values.flat_map(|value| {
        let (text, left) = cut(value, room);
        room = left;
        text.split(|byte| *byte == b',')
    });
    let members = members.filter(|member| !trimmed(member).is_empty());
    let mut entries = members.take(MOST_MEMBERS).filter_map(member).peekable();
    // An empty one would be made for nothing.
    entries.peek()?;
    Some(entries.collect())
}

/// The whole members within so many bytes, and how many bytes are left.
fn cut(value: &[u8], room: usize) -> (&[u8], usize) {
    if value.len() <= room {
        // The comma that would join it with the next one counts.
        return (value, room.saturating_sub(value.len() + 1));
    }
    let within = value.get(..=room).unwrap_or_default();
    let end = within.iter().rposition(|byte| *byte == b',');
    (within.get(..end.unwrap_or(0)).unwrap_or_default(), 0)
}

fn member(member: &[u8]) -> Option<KeyValueMetadata> {
    let mut parts = std::str::from_utf8(member)
        .ok()?
        .split(';')
        .map(|part| part.trim_matches(WHITE_SPACE));
    let (key, value) = parts.next()?.split_once('=')?;
    let (key, value) = (
        key.trim_end_matches(WHITE_SPACE),
        value.trim_start_matches(WHITE_SPACE),
    );
    let properties: Vec<&str> = parts.collect();
    let is_valid =
        is_token(key) && is_value(value) && properties.iter().all(|one| is_property(one));
    is_valid.then(|| KeyValueMetadata::new(key.to_owned(), decoded(value), properties.join(";")))
}

fn is_property(property: &str) -> bool {
    match property.split_once('=') {
        None => is_token(property),
        Some((key, value)) => {
            is_token(key.trim_end_matches(WHITE_SPACE))
                && is_value(value.trim_start_matches(WHITE_SPACE))
        }
    }
}

/// As HTTP defines it.
fn is_token(text: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(may_stand)
}

fn is_value(text: &str) -> bool {
    text.bytes().all(may_stand)
}

fn may_stand(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// Percent-decoded. What is no UTF-8 then is replaced; a percent sign that begins nothing is one.
fn decoded(value: &str) -> String {
    if !value.contains('%') {
        return value.to_owned();
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        match encoded(rest) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[percent, high, low], after) = text.split_first_chunk()?;
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = digit(high)? << 4 | digit(low)?;
    (percent == b'%').then_some((u8::try_from(byte).ok()?, after))
}

/// The header for those of these keys that there are; nothing if there are none. What does not fit is
/// left out whole.
pub(super) fn write(baggage: &Baggage, keys: &[Cow<'static, str>]) -> Option<String> {
    let mut text = String::new();
    let mut members = 0;
    for key in keys {
        let before = text.len();
        if members == MOST_MEMBERS || !push(&mut text, baggage, key) {
            continue;
        }
        if text.len() > MOST_BYTES {
            text.truncate(before)
        } else {
            members += 1
        }
    }
    (members > 0).then_some(text)
}

fn push(text: &mut String, baggage: &Baggage, key: &str) -> bool {
    let Some((value, metadata)) = baggage.get_with_metadata(key) else {
        return false;
    };
    let value = value.as_str();
    // One that cannot fit is not even encoded.
    if !is_token(key) || value.len() > MOST_BYTES {
        return false;
    }
    if !text.is_empty() {
        text.push(',');
    }
    text.push_str(key);
    text.push('=');
    for byte in value.bytes() {
        push_encoded(text, byte);
    }
    let metadata = metadata.as_str();
    if !metadata.is_empty()
        && metadata
            .split(';')
            .all(|property| is_property(property.trim_matches(WHITE_SPACE)))
    {
        text.push(';');
        text.push_str(metadata);
    }
    true
}

fn push_encoded(text: &mut String, byte: u8) {
    if may_stand(byte) && byte != b'%' {
        return text.push(char::from(byte));
    }
    text.push('%');
    let digits = [byte >> 4, byte & 15].map(|half| b"0123456789ABCDEF"[usize::from(half)]);
    text.extend(digits.map(char::from));
}
