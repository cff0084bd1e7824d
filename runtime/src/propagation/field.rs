//! The value of a header, of whichever name.

/// Optional around a value, as HTTP defines it.
pub(super) const WHITE_SPACE: [char; 2] = [' ', '\t'];

#[inline]
pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
