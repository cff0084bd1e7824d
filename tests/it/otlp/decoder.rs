//! The decoder of answers agrees with others' encoders, and takes any bytes.

use std::time::Duration;

use enter_span_pipeline::fuzzing::{read_response, read_status};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use proptest::prelude::*;
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, HelpLink, StatusExt as _};

fn response(rejected_spans: i64, error_message: &str) -> Vec<u8> {
    let partial_success = Some(ExportTracePartialSuccess {
        rejected_spans,
        error_message: error_message.to_owned(),
    });
    ExportTraceServiceResponse { partial_success }.encode_to_vec()
}

fn status(message: &str, details: ErrorDetails) -> Vec<u8> {
    let status = Status::with_error_details(Code::Unavailable, message, details);
    status.details().to_vec()
}

/// Fields that are not known are skipped: of each kind, before and behind.
#[test]
fn unknown_fields_are_skipped() {
    // 15: a number, 64 bits, bytes, 32 bits.
    let unknown = b"\x78\xff\x01\x79\x01\x02\x03\x04\x05\x06\x07\x08\x7a\x01x\x7d\x01\x02\x03\x04";
    let known = response(3, "old");
    let both = [unknown, &*known, unknown].concat();
    assert_eq!(read_response(&both), Some((3, "old".to_owned())));
}

/// Other details stand beside the pause.
#[test]
fn the_pause_is_found_among_the_details() {
    let mut details = ErrorDetails::with_quota_failure_violation("spans", "too many");
    details.set_retry_info(Some(Duration::from_millis(1_500)));
    details.set_help(Vec::<HelpLink>::new());
    let expected = Some(("busy".to_owned(), Some(Duration::from_millis(1_500))));
    assert_eq!(read_status(&status("busy", details)), expected);
    let details = ErrorDetails::with_quota_failure_violation("spans", "too many");
    let expected = Some(("busy".to_owned(), None));
    assert_eq!(read_status(&status("busy", details)), expected);
}

/// A message that comes in parts is one: here the seconds of a pause, and then its nanoseconds.
#[test]
fn parts_are_merged() {
    let url = b"type.googleapis.com/google.rpc.RetryInfo";
    let parts = b"\x0a\x02\x08\x01\x0a\x02\x10\x05";
    let detail = [b"\x0a\x28", &url[..], b"\x12\x08", parts].concat();
    let status = [b"\x1a\x34", &detail[..]].concat();
    let expected = Some((String::new(), Some(Duration::new(1, 5))));
    assert_eq!(read_status(&status), expected);
}

/// Cut short, too long, of field 0, and groups.
#[test]
fn what_is_malformed_is_none() {
    let malformed: [&[u8]; 6] = [
        b"\x0a",
        b"\x0a\x05abc",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x00\x00",
        b"\x0b\x0c",
        b"\x0a\x02\x08\x80",
    ];
    for bytes in malformed {
        assert_eq!(read_response(bytes), None, "{bytes:?}");
    }
}

proptest! {
    #![proptest_config(crate::span::random::unrecorded(500))]

    #[test]
    fn a_response_is_read(rejected: i64, message: String) {
        let expected = Some((rejected.max(0).unsigned_abs(), message.clone()));
        prop_assert_eq!(read_response(&response(rejected, &message)), expected);
    }

    #[test]
    fn a_status_is_read(message: String, seconds in 0..=315_576_000_000_u64, nanos in 0..1_000_000_000_u32) {
        let pause = Duration::new(seconds, nanos);
        let bytes = status(&message, ErrorDetails::with_retry_info(Some(pause)));
        prop_assert_eq!(read_status(&bytes), Some((message, Some(pause))));
    }

    /// Also those that begin as an answer does.
    #[test]
    fn any_bytes_are_taken(bytes: Vec<u8>, at: usize, byte: u8, message: String) {
        read_response(&bytes);
        read_status(&bytes);
        let mut bytes = response(1, &message);
        let at = at % bytes.len();
        bytes[at] = byte;
        read_response(&bytes);
        let mut bytes = status(&message, ErrorDetails::with_retry_info(Some(Duration::MAX)));
        if let Some(at) = at.checked_rem(bytes.len()) {
            bytes[at] = byte;
        }
        read_status(&bytes);
    }
}
