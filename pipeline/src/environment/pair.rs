//! `key=value,key=value`: the form of W3C's baggage without its metadata, percent-encoded.

use enter_span::native::decode;

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
    let key = decode(key.trim())?.into_owned();
    (!key.is_empty()).then_some((key, decode(value.trim())?.into_owned()))
}
