//! `key=value,key=value`: the form of W3C's baggage without its metadata, percent-encoded.

/// Which part of a list is wrong: the only thing to say of it, for it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// From 1, without the parts that are empty.
    pub(super) part: usize,
}

/// All pairs, decoded.
pub(super) fn pairs(list: &str) -> Result<Vec<(String, String)>, Malformed> {
    let parts = list.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty()).enumerate();
    parts
        .map(|(index, part)| pair(part).ok_or(Malformed { part: index + 1 }))
        .collect()
}

fn pair(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=')?;
    let key = decode(key.trim())?;
    (!key.is_empty()).then_some((key, decode(value.trim())?))
}

/// Resolves `%2C`; `None` for a `%` without two hexadecimal digits, and for what is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
