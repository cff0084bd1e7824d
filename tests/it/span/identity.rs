//! Trace and span ids as text and bytes.

use std::fmt::Debug;
use std::str::FromStr;

use enter_span::{ParseIdError, SpanId, TraceId};
use rstest::rstest;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID: &str = "00f067aa0ba902b7";

fn is_refused<Id: FromStr<Err = ParseIdError> + Debug>(text: &str, digits: usize) {
    let error = text.parse::<Id>().expect_err(text).to_string();
    let expected = format!("not an id; expected {digits} lower-case hexadecimal digits");
    assert_eq!(error, expected);
}

/// Each text is of a span id, and twice of a trace id, so that the length alone refuses none but the first ones.
#[rstest]
#[case::empty("")]
#[case::short("00f067aa0ba902b")]
#[case::long("00f067aa0ba902b70")]
#[case::upper_case("00F067AA0BA902B7")]
#[case::no_digit("00f067aa0ba902bg")]
#[case::sign("+0f067aa0ba902b7")]
#[case::prefix("0x067aa0ba902b70")]
#[case::space(" 0f067aa0ba902b7")]
#[case::underscore("00f067aa_ba902b7")]
#[case::two_bytes("00f067aa0ba902\u{e9}")]
#[case::wide_digit("00f067aa0ba90\u{ff10}")]
fn other_texts_are_no_ids(#[case] text: &str) {
    is_refused::<SpanId>(text, 16);
    is_refused::<TraceId>(&text.repeat(2), 32);
}

#[test]
fn ids_are_read_as_they_are_written() {
    let trace_id: TraceId = TRACE_ID.parse().expect("a trace id");
    let span_id: SpanId = SPAN_ID.parse().expect("a span id");
    assert_eq!(trace_id.to_string(), TRACE_ID);
    assert_eq!(span_id.to_string(), SPAN_ID);
    assert_eq!(TraceId::from_bytes(trace_id.to_bytes()), trace_id);
    assert_eq!(SpanId::from_bytes(span_id.to_bytes()), span_id);
    assert_eq!(format!("{trace_id:x}"), TRACE_ID);
    assert_eq!(format!("{span_id:#x}"), format!("0x{SPAN_ID}"));
    assert_eq!(format!("{span_id:>18x}"), format!("  {SPAN_ID}"));
}

#[test]
fn ids_are_ordered_as_their_texts() {
    let mut ids = ["00f067aa0ba902b7", "ff00000000000000", "00000000000000ff"];
    let mut parsed = ids.map(|id| id.parse::<SpanId>().expect("a span id"));
    ids.sort_unstable();
    parsed.sort_unstable();
    assert_eq!(parsed.map(|id| id.to_string()), ids);
}
