//! The value of a header, of whichever name.

/// Optional around a value, as HTTP defines it.
pub(super) const WHITE_SPACE: [char; 2] = [' ', '\t'];

pub(super) fn trimmed(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = value.iter().position(is_text);
    let end = value.iter().rposition(is_text);
    match (start, end) {
        (Some(start), Some(end)) => value.get(start..=end).unwrap_or_default(),
        _ => &[],
    }
}
