//! Names and values in one line of visible ASCII: `name=value`, joined by `&`, and percent-encoded where a
//! character is none of these.

use std::borrow::Cow;
use std::fmt;

pub(super) fn write<K: AsRef<str>, V: AsRef<str>>(
    formatter: &mut fmt::Formatter<'_>,
    entries: impl Iterator<Item = (K, V)>,
) -> fmt::Result {
    for (index, (name, value)) in entries.enumerate() {
        if index > 0 {
            formatter.write_str("&")?;
        }
        encode(formatter, name.as_ref())?;
        formatter.write_str("=")?;
        encode(formatter, value.as_ref())?;
    }
    Ok(())
}

fn encode(formatter: &mut fmt::Formatter<'_>, mut text: &str) -> fmt::Result {
    while let Some(end) = text.bytes().position(|byte| !is_plain(byte)) {
        let (plain, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        formatter.write_str(plain)?;
        let Some(character) = rest.chars().next() else {
            return Ok(());
        };
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            write!(formatter, "%{byte:02X}")?;
        }
        text = &rest[character.len_utf8()..];
    }
    formatter.write_str(text)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"%&=".contains(&byte)
}

/// What is read of a line: pairs, up to the first entry that is none.
pub(super) fn read(line: &str) -> impl Iterator<Item = Option<(Cow<'_, str>, Cow<'_, str>)>> {
    let line = line.trim_ascii();
    let entries = (!line.is_empty()).then(|| line.split('&'));
    entries.into_iter().flatten().map(|entry| {
        let (name, value) = entry.split_once('=')?;
        Some((decode(name)?, decode(value)?))
    })
}

/// Resolves `%2C`; `None` for a `%` without two hexadecimal digits, and for what is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut parts = text.split('%');
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok();
        bytes.push(byte.filter(|_| is_hex)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
