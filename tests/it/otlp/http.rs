//! Answers of HTTP that are final.

use std::io::{ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};

use rstest::rstest;

use super::{Outcome, TIMEOUT, assert_outcome, error, exporting_to, patient_for, to};
use crate::pipeline::AGES;
use crate::pipeline::otlp::{build, export_one};
use crate::support::scripted::{Scripted, Then, answer, taken, wait_for_end};

fn one_failed() -> Outcome {
    Outcome {
        failed: 1,
        ..Outcome::default()
    }
}

/// An answer that refuses the spans, or is none, costs one request, and its reason is shown.
#[rstest]
#[case::refused(
    answer("400 Bad Request", "content-type: text/plain\r\n", b"no such tenant"),
    "HTTP status 400: no such tenant"
)]
#[case::too_large(
    answer(
        "413 Payload Too Large",
        "content-type: application/json\r\n",
        b"{\"max\":1}"
    ),
    "HTTP status 413: {\"max\":1}"
)]
#[case::status(
    answer(
        "403 Forbidden",
        "content-type: application/x-protobuf\r\n",
        b"\x08\x07\x12\x06denied"
    ),
    "HTTP status 403: denied"
)]
#[case::page_of_an_error(
    answer("404 Not Found", "content-type: text/html\r\n", b"<html>hidden"),
    "HTTP status 404"
)]
#[case::page(
    answer(
        "200 OK",
        "content-type: text/html; charset=utf-8\r\n",
        b"<html>hidden"
    ),
    "HTTP status 200, but the answer is a page of HTML: this is no receiver of OTLP"
)]
#[case::text(
    answer("200 OK", "content-type: text/plain\r\n", b"hidden"),
    "HTTP status 200, but the answer is a plain text: this is no receiver of OTLP"
)]
#[case::garbage(
    answer(
        "200 OK",
        "content-type: application/x-protobuf\r\n",
        b"\x0a\xffhidden"
    ),
    "HTTP status 200, but the answer is no message of OTLP: this is no receiver of OTLP"
)]
fn a_refusal_says_why(#[case] answer: Vec<u8>, #[case] expected: &str) {
    let receiver = Scripted::answering(vec![answer, taken()]);
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    assert_outcome(&pipeline, one_failed());
    assert_eq!(error(&pipeline), expected);
    assert_eq!(receiver.requests().len(), 1);
    // The next one goes out as if nothing had been.
    export_one(&pipeline);
    assert_eq!(pipeline.counts().exported, 1);
}

/// Some receivers answer in JSON, or with another code of success, and have taken the spans.
#[rstest]
#[case(answer("200 OK", "content-type: application/json\r\n", b"{}"))]
#[case(answer("202 Accepted", "", b""))]
#[case(answer("200 OK", "content-type: application/octet-stream\r\n", b""))]
fn a_success_is_one(#[case] answer: Vec<u8>) {
    let receiver = Scripted::answering(vec![answer]);
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    assert_eq!(pipeline.last_export_error(), None);
    assert_eq!(pipeline.counts().exported, 1);
}

/// Bytes that are no HTTP/1.1 are not asked for again: of HTTP/2, of TLS, and others.
#[rstest]
#[case::http2(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")]
#[case::tls(b"\x15\x03\x01\x00\x02\x02\x0a")]
#[case::garbage(b"\xff\xfe\x00 hidden\r\n\r\n")]
fn another_protocol_is_told(#[case] bytes: &'static [u8]) {
    let receiver = Scripted::start(move |_, stream| {
        stream.write_all(bytes).ok();
        wait_for_end(stream);
        Then::Close
    });
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    assert_outcome(&pipeline, one_failed());
    let error = error(&pipeline);
    let expected = "the receiver does not speak the protocol: ";
    assert!(error.starts_with(expected), "{error}");
    assert!(!error.contains("hidden"), "{error}");
}

/// A redirect is not followed: nothing goes to where it points, and the headers least of all.
#[rstest]
#[case("302 Found")]
#[case("307 Temporary Redirect")]
fn a_redirect_is_not_followed(#[case] status: &str) {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    other.set_nonblocking(true).expect("a socket");
    let location = other.local_addr().expect("an address");
    let header = format!("location: http://{location}/?key=hidden\r\n");
    let receiver = Scripted::answering(vec![answer(status, &header, b"")]);
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer hidden");
    let pipeline = exporting_to(&receiver, &[headers]);
    export_one(&pipeline);
    let connection = other.accept().expect_err("nobody connects");
    assert_eq!(connection.kind(), ErrorKind::WouldBlock);
    assert_outcome(&pipeline, one_failed());
    let code = &status[..3];
    let expected = format!("HTTP status {code}: redirects are not followed");
    assert_eq!(error(&pipeline), expected);
}

/// Of an endless answer a bounded part is read, and then the connection closes.
#[rstest]
#[case(
    "200 OK",
    "application/x-protobuf",
    "HTTP status 200, but the answer is longer than 64 KiB"
)]
#[case("400 Bad Request", "text/plain", "HTTP status 400: xxxx")]
fn an_endless_answer_is_cut(#[case] status: &str, #[case] kind: &str, #[case] expected: &str) {
    const GIB: u64 = 1 << 30;
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {GIB}\r\n\r\n");
    let (written, total) = mpsc::channel();
    let receiver = Scripted::start(move |_, stream| {
        stream.write_all(head.as_bytes()).ok();
        let mut total = 0;
        while total < GIB && stream.write_all(&[b'x'; 64 * 1024]).is_ok() {
            total += 64 * 1024;
        }
        written.send(total).ok();
        Then::Close
    });
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    assert_outcome(&pipeline, one_failed());
    let error = error(&pipeline);
    assert!(error.starts_with(expected), "{error}");
    assert!(error.len() < 300, "{error}");
    let total = total.recv_timeout(AGES).expect("the end of the answer");
    // What lies in the buffers of the sockets was written and not read.
    assert!(total < GIB / 16, "{total} bytes were written");
}

fn hangs(stream: &mut TcpStream) {
    wait_for_end(stream);
}

/// One byte after the other, and never the last.
fn trickles(stream: &mut TcpStream) {
    let head = b"HTTP/1.1 200 OK\r\nx: "
        .iter()
        .chain(std::iter::repeat(&b'y'));
    for byte in head {
        std::thread::sleep(std::time::Duration::from_millis(1));
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
}

/// A receiver that gives no whole answer is left at the deadline, and its connection is closed then.
#[rstest]
#[case(hangs)]
#[case(trickles)]
fn a_receiver_that_never_ends_is_left(#[case] behaves: fn(&mut TcpStream)) {
    let (ended, end) = mpsc::channel();
    let receiver = Scripted::start(move |_, stream| {
        behaves(stream);
        ended.send(()).ok();
        Then::Close
    });
    let builder = to(receiver.url(), &[(TIMEOUT, "50")]);
    let pipeline = build(builder.with_limits(patient_for(0)));
    export_one(&pipeline);
    let timed_out = Outcome {
        timed_out: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, timed_out);
    assert_eq!(error(&pipeline), "no answer in time (given up after 1 try)");
    end.recv_timeout(AGES).expect("a closed connection");
}

/// What a receiver repeats of our headers and of the query is hidden, whole or in part.
#[rstest]
#[case("text/plain", "bad key s3cr3t")]
#[case("text/plain", "bad token \"t0k3n\"")]
#[case("text/plain", "unknown user anna, p4ss")]
#[case("text/plain", "Bearer t0k3n; Basic YW5uYTpwNHNz; key=qu3ry")]
#[case("application/json", "{\"error\":\"s3cr3t\"}")]
fn our_credentials_are_hidden(#[case] kind: &str, #[case] said: &str) {
    let headers = format!("content-type: {kind}\r\n");
    let said = answer("401 Unauthorized", &headers, said.as_bytes());
    let receiver = Scripted::answering(vec![said]);
    for own in [
        "x-api-key=s3cr3t,x-token=Bearer t0k3n",
        "authorization=Bearer t0k3n,x-api-key=s3cr3t",
    ] {
        let url = receiver.url().replace("http://", "http://anna:p4ss@");
        let variables = [("OTEL_EXPORTER_OTLP_HEADERS", own)];
        let own = own.contains("authorization");
        let pipeline =
            crate::pipeline::otlp::build(super::to(&format!("{url}/?key=qu3ry"), &variables));
        export_one(&pipeline);
        let error = error(&pipeline);
        assert!(error.starts_with("HTTP status 401: "), "{error}");
        for secret in ["s3cr3t", "t0k3n", "qu3ry"] {
            assert!(!error.contains(secret), "{error}");
        }
        // Where a header overrules the user of the URL, that one is nowhere.
        assert!(
            own || !error.contains("p4ss") && !error.contains("YW5u"),
            "{error}"
        );
    }
}

/// A terminal gets no control characters of a stranger, and a reader no novel.
#[test]
fn what_a_receiver_says_is_escaped_and_short() {
    let said = format!("a\r\n\x1b[31mb\u{200b}{}", "é".repeat(10_000));
    let said = answer(
        "400 Bad Request",
        "content-type: text/plain\r\n",
        said.as_bytes(),
    );
    let receiver = Scripted::answering(vec![said]);
    let pipeline = exporting_to(&receiver, &[]);
    export_one(&pipeline);
    let error = error(&pipeline);
    let start = "HTTP status 400: a  \\u{1b}[31mb\\u{200b}éé";
    assert!(error.starts_with(start), "{error}");
    assert!(error.ends_with("é…"), "{error}");
    assert!(error.chars().count() < 320, "{error}");
}

/// Gzip is what everybody reads, of one request after the other.
#[test]
fn compressed_requests_are_whole() {
    use std::io::Read as _;
    let receiver = Scripted::answering(vec![taken()]);
    let pipeline = exporting_to(&receiver, &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
    for spans in [1, 400, 3] {
        crate::pipeline::otlp::record(&pipeline, spans);
        pipeline.flush(AGES).expect("flushed in time");
    }
    let mut spans = 0;
    for request in receiver.requests() {
        let head = request.head.to_lowercase();
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
        assert!(head.contains("host: 127.0.0.1:"), "{head}");
        let mut plain = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&*request.body);
        decoder.read_to_end(&mut plain).expect("gzip");
        spans += super::size::spans_of(&plain);
    }
    assert_eq!(spans, 404);
    assert_eq!(pipeline.counts().exported, 404);
}

/// One connection serves all requests.
#[test]
fn a_connection_is_kept() {
    let peers = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&peers);
    let receiver = Scripted::start(move |_, stream| {
        let peer = stream.peer_addr().expect("an address");
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(peer);
        stream.write_all(&taken()).ok();
        Then::Keep
    });
    let pipeline = exporting_to(&receiver, &[]);
    (0..3).for_each(|_| export_one(&pipeline));
    let mut peers = peers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(peers.len(), 3);
    peers.dedup();
    assert_eq!(peers.len(), 1);
}
