//! Failures that pass: the request is sent again, and nothing is lost.

use std::io::Write as _;
use std::time::Duration;

use rstest::rstest;

use super::{Outcome, assert_outcome, error, exporting_to, patient_for, to};
use crate::pipeline::AGES;
use crate::pipeline::otlp::{build, export_one, record};
use crate::support::scripted::{Scripted, Then, answer, taken};

/// Dates of HTTP.
const PAST: &str = "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const FUTURE: &str = "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n";

/// Each status that passes, and each form of a pause; without one, and where it is nonsense, the pause is our own,
/// and short.
#[rstest]
#[case("429 Too Many Requests", "")]
#[case("429 Too Many Requests", "retry-after: 0\r\n")]
#[case("429 Too Many Requests", PAST)]
#[case("503 Service Unavailable", "retry-after: soon\r\n")]
#[case("503 Service Unavailable", "retry-after: -3600\r\n")]
#[case("503 Service Unavailable", "retry-after:\r\n")]
#[case("502 Bad Gateway", "retry-after: 0\r\n")]
#[case("503 Service Unavailable", "retry-after: 0\r\n")]
#[case("504 Gateway Timeout", "retry-after: 0\r\n")]
fn what_passes_is_sent_again(#[case] status: &str, #[case] headers: &str) {
    let busy = answer(status, headers, b"");
    let receiver = Scripted::answering(vec![busy, taken()]);
    let pipeline = exporting_to(&receiver, &[]);
    record(&pipeline, 7);
    pipeline.flush(AGES).expect("flushed in time");
    let outcome = Outcome {
        exported: 7,
        retried: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    assert_eq!(pipeline.last_export_error(), None);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

/// A receiver that is down for some requests, and then up again, gets all spans.
#[test]
fn a_receiver_that_comes_back_gets_everything() {
    let down = answer("503 Service Unavailable", "retry-after: 0\r\n", b"");
    let receiver = Scripted::answering(vec![down.clone(), down.clone(), down, taken()]);
    let pipeline = exporting_to(&receiver, &[]);
    (0..3).for_each(|_| export_one(&pipeline));
    let outcome = Outcome {
        exported: 3,
        retried: 3,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
}

/// Of a receiver that accepts, rejects and puts off in turns, each span has its own answer: one that is rejected
/// costs no other.
#[test]
fn a_receiver_that_changes_its_mind_costs_what_it_rejects() {
    let receiver = Scripted::start(|number, stream| {
        let answer = match number % 3 {
            0 => taken(),
            1 => answer("400 Bad Request", "", b""),
            _ => answer("503 Service Unavailable", "retry-after: 0\r\n", b""),
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let pipeline = exporting_to(&receiver, &[]);
    // After the first one, each three requests are for two spans: 400, and 503 before 200.
    (0..11).for_each(|_| export_one(&pipeline));
    let outcome = Outcome {
        exported: 6,
        failed: 5,
        retried: 5,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    assert_eq!(receiver.requests().len(), 16);
}

/// Other answers do not pass, also where they name a pause.
#[rstest]
#[case("400 Bad Request")]
#[case("408 Request Timeout")]
#[case("413 Payload Too Large")]
#[case("500 Internal Server Error")]
#[case("501 Not Implemented")]
fn what_stays_is_not_sent_again(#[case] status: &str) {
    let refused = answer(status, "retry-after: 0\r\n", b"");
    let receiver = Scripted::answering(vec![refused, taken()]);
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    let outcome = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    assert_eq!(receiver.requests().len(), 1);
}

/// A pause that ends after the time of a batch is cut to it: the last try is at its end.
#[rstest]
#[case("retry-after: 3600\r\n")]
#[case("retry-after: 31536000\r\n")]
#[case("retry-after: 99999999999999999999999\r\n")]
#[case(FUTURE)]
fn a_pause_is_cut_to_the_time_for_retries(#[case] headers: &str) {
    let busy = answer("429 Too Many Requests", headers, b"");
    let receiver = Scripted::answering(vec![busy]);
    let pipeline = build(to(receiver.url(), &[]).with_limits(patient_for(50)));
    export_one(&pipeline);
    let outcome = Outcome {
        failed: 1,
        retried: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    let expected = "HTTP status 429 (given up after 2 tries)";
    assert_eq!(error(&pipeline), expected);
}

/// Without time for retries, each request is sent once.
#[test]
fn retries_can_be_turned_off() {
    let busy = answer("503 Service Unavailable", "retry-after: 0\r\n", b"");
    let receiver = Scripted::answering(vec![busy, taken()]);
    let pipeline = build(to(receiver.url(), &[]).with_limits(patient_for(0)));
    export_one(&pipeline);
    export_one(&pipeline);
    let outcome = Outcome {
        exported: 1,
        failed: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
}

/// A receiver that always asks for no pause is not asked as fast as it answers: of the tries that the
/// time has room for, some wait by themselves.
#[test]
fn a_receiver_that_is_always_busy_is_not_flooded() {
    let busy = answer("503 Service Unavailable", "retry-after: 0\r\n", b"");
    let receiver = Scripted::answering(vec![busy]);
    let pipeline = build(to(receiver.url(), &[]).with_limits(patient_for(500)));
    export_one(&pipeline);
    let counts = pipeline.counts();
    assert_eq!(counts.dropped.total(), 1);
    assert!(error(&pipeline).contains("HTTP status 503"));
    assert!(receiver.requests().len() < 8);
}

/// A connection that closes in the middle of an answer, or before it, costs nothing.
#[rstest]
#[case(b"")]
#[case(b"HTTP/1.1 200 OK\r\ncontent-le")]
#[case(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n\x0a")]
fn a_connection_that_breaks_is_replaced(#[case] part: &'static [u8]) {
    let receiver = Scripted::start(move |number, stream| {
        if number == 0 {
            stream.write_all(part).ok();
            return Then::Close;
        }
        stream.write_all(&taken()).ok();
        Then::Keep
    });
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    let outcome = Outcome {
        exported: 1,
        retried: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
}

/// A shutdown ends the pauses, also one that the receiver named, and each request is tried once more:
/// without a receiver, a process ends as fast as with one.
#[test]
fn a_shutdown_does_not_wait_for_a_receiver_that_is_busy() {
    let busy = answer("503 Service Unavailable", "retry-after: 25\r\n", b"");
    let receiver = Scripted::answering(vec![busy]);
    let pipeline = exporting_to(&receiver, &[]);
    record(&pipeline, 1);
    std::thread::scope(|threads| {
        threads.spawn(|| pipeline.flush(AGES));
        while pipeline.counts().retried == 0 {
            std::thread::yield_now();
        }
        let shorter = Duration::from_secs(20);
        pipeline
            .shutdown(shorter)
            .expect("down before the pause is over");
    });
    let outcome = Outcome {
        failed: 1,
        retried: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    assert_eq!(receiver.requests().len(), 2);
}

/// A kept connection that is gone costs nothing at a shutdown either.
#[test]
fn a_shutdown_replaces_a_connection_that_is_gone() {
    let receiver = Scripted::start(|number, stream| {
        if number == 1 {
            return Then::Close;
        }
        stream.write_all(&taken()).ok();
        Then::Keep
    });
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    record(&pipeline, 1);
    pipeline.shutdown(AGES).expect("down in time");
    let outcome = Outcome {
        exported: 2,
        retried: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
}

/// While requests are sent again, `diagnose` says why; and what a receiver says of a success.
#[test]
fn diagnose_says_what_the_receiver_said() {
    if !crate::support::child::is_child("otlp::retry::diagnose_says_what_the_receiver_said") {
        return;
    }
    let busy = answer(
        "503 Service Unavailable",
        "content-type: text/plain\r\nretry-after: 0\r\n",
        b"too busy",
    );
    // partial_success { error_message: "slow down" }
    let noted = answer(
        "200 OK",
        "content-type: application/x-protobuf\r\n",
        b"\x0a\x0b\x12\x09slow down",
    );
    let refused = answer("400 Bad Request", "content-type: text/plain\r\n", b"no");
    let receiver = Scripted::answering(vec![busy, noted, refused]);
    let builder = super::to(receiver.url(), &[]);
    let pipeline = builder.install().expect("the only one");
    export_one(&pipeline);
    let diagnosis = enter_span::diagnose().to_string();
    let lines = [
        "requests that were sent again: 1; that were given up: 0",
        "the last export went well; the receiver says: slow down",
    ];
    for line in lines {
        assert!(diagnosis.contains(line), "{diagnosis}");
    }
    assert_eq!(pipeline.last_export_error(), None);
    export_one(&pipeline);
    let diagnosis = enter_span::diagnose().to_string();
    let line = "the last export failed: HTTP status 400: no";
    assert!(diagnosis.contains(line), "{diagnosis}");
}
