//! The header `traceparent`, by W3C Trace Context, level 2: which span the sender was in.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

use super::field::trimmed;

pub(super) const NAME: &str = "traceparent";

/// The characters of version 00, with which every later version begins.
const LENGTH: usize = 55;

/// The flags that level 2 knows: sampled, and that the trace id is random. The others are zero.
const KNOWN_FLAGS: u8 = 0b11;

/// What a `traceparent` says.
pub(super) struct Traceparent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) flags: TraceFlags,
}

/// Of several headers of this name none is better than the others: the trace begins anew.
pub(super) fn read<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<Traceparent> {
    let value = values.next()?;
    match values.next() {
        None => parse(trimmed(value)),
        Some(_) => None,
    }
}

/// What comes after the known part of a later version is not looked at.
fn parse(value: &[u8]) -> Option<Traceparent> {
    let (known, rest) = value.split_first_chunk::<LENGTH>()?;
    let [version] = bytes(&known[..2])?;
    let can_follow = match (version, rest.first()) {
        (0xff, _) => false,
        (_, None) => true,
        (0, Some(_)) => false,
        (_, Some(&next)) => next == b'-',
    };
    if !can_follow || [known[2], known[35], known[52]] != *b"---" {
        return None;
    }
    let [flags] = bytes(&known[53..])?;
    let traceparent = Traceparent {
        trace_id: TraceId::from_bytes(bytes(&known[3..35])?),
        span_id: SpanId::from_bytes(bytes(&known[36..52])?),
        flags: TraceFlags::new(flags & KNOWN_FLAGS),
    };
    let is_valid =
        traceparent.trace_id != TraceId::INVALID && traceparent.span_id != SpanId::INVALID;
    is_valid.then_some(traceparent)
}

/// Two digits a byte, in lower case.
#[inline]
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let (high, low) = (VALUES[usize::from(high)], VALUES[usize::from(low)]);
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all != NO_DIGIT).then_some(bytes)
}

const NO_DIGIT: u8 = 0xff;

/// What each character is worth as a digit. One that is none is seen at the end, and not at each step.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The header of version 00 for a span; nothing for one that is not valid.
pub(super) fn write(span: &SpanContext) -> Option<String> {
    if !span.is_valid() {
        return None;
    }
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    put(&mut text[3..35], &span.trace_id().to_bytes());
    put(&mut text[36..52], &span.span_id().to_bytes());
    put(&mut text[53..], &[span.trace_flags().to_u8() & KNOWN_FLAGS]);
    std::str::from_utf8(&text).ok().map(str::to_owned)
}

fn put(text: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        let digits = [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]);
        pair.copy_from_slice(&digits);
    }
}
