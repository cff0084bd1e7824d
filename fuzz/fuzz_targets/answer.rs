//! Arbitrary bytes as a receiver's answer and as the status of a refusal: never a panic, and what is read
//! is what another decoder reads.

#![no_main]

use std::time::Duration;

use enter_span_pipeline::fuzzing::{read_response, read_status};
use libfuzzer_sys::fuzz_target;
use prost::{DecodeError, Message};

/// `ExportTraceServiceResponse`.
#[derive(Message)]
struct Response {
    #[prost(message, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`.
#[derive(Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes, tag = "2")]
    value: Vec<u8>,
}

#[derive(Message)]
struct RetryInfo {
    #[prost(message, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`. Both numbers are as wide as they can be on the wire.
#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int64, tag = "2")]
    nanos: i64,
}

fn other_response(input: &[u8]) -> Result<(u64, String), DecodeError> {
    let response = Response::decode(input)?;
    let partial_success = response.partial_success.unwrap_or_default();
    let rejected = u64::try_from(partial_success.rejected_spans).unwrap_or(0);
    Ok((rejected, partial_success.error_message))
}

fn other_status(input: &[u8]) -> Result<(String, Option<Duration>), DecodeError> {
    let status = Status::decode(input)?;
    let mut delay = None;
    for detail in &status.details {
        if detail.type_url.ends_with("/google.rpc.RetryInfo") {
            let info = RetryInfo::decode(&*detail.value)?;
            delay = info.retry_delay.map(duration).or(delay);
        }
    }
    Ok((status.message, delay))
}

fn duration(delay: Delay) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(delay.seconds).unwrap_or(0));
    let nanos = Duration::from_nanos(u32::try_from(delay.nanos).unwrap_or(0).into());
    seconds.saturating_add(nanos)
}

/// Of what both read. Ours takes text that is not UTF-8, fields of a known number and another kind, and
/// numbers that are too long; the other one takes groups.
fn check<T: PartialEq + std::fmt::Debug>(ours: Option<&T>, other: Result<T, DecodeError>) {
    if let (Some(ours), Ok(other)) = (ours, other) {
        assert_eq!(ours, &other);
    }
}

/// What is appended to a message replaces what it said.
fn appended(input: &[u8], further: &impl Message) -> Vec<u8> {
    let mut bytes = input.to_vec();
    further.encode(&mut bytes).expect("enough memory");
    bytes
}

fuzz_target!(|input: &[u8]| {
    let response = read_response(input);
    check(response.as_ref(), other_response(input));
    if response.is_some() {
        let partial_success = Some(PartialSuccess {
            rejected_spans: 7,
            error_message: "old".to_owned(),
        });
        let replaced = Some((7, "old".to_owned()));
        assert_eq!(
            read_response(&appended(input, &Response { partial_success })),
            replaced
        );
    }

    let status = read_status(input);
    check(status.as_ref(), other_status(input));
    let busy = Status {
        message: "busy".to_owned(),
        details: Vec::new(),
    };
    if let Some((_, delay)) = status {
        let replaced = Some(("busy".to_owned(), delay));
        assert_eq!(read_status(&appended(input, &busy)), replaced);
    }
});
