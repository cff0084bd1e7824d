//! gRPC: what a receiver answers in trailers, on its streams and on its connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use axum::body::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use http::{HeaderMap, Response};
use rstest::rstest;
use tokio::net::{TcpListener, TcpStream};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{Outcome, assert_outcome, error, patient_for, to};
use crate::pipeline::AGES;
use crate::pipeline::otlp::{build, export_one, record};
use crate::support::scripted::{Scripted, answer};

/// What a receiver does with one request.
enum Act {
    Reset(Reason),
    /// Says that the connection ends, and ends it.
    GoAway,
    /// Closes the socket, and says nothing.
    Close,
    Say(Box<Said>),
}

#[derive(Clone, Default)]
struct Said {
    head: Response<()>,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

/// A receiver of HTTP/2, which asks this for each request, from 0. Gives its URL.
fn start(act: impl Fn(usize) -> Act + Send + Sync + 'static) -> String {
    let (bound, address) = mpsc::channel::<SocketAddr>();
    thread::spawn(move || {
        // What serves must not be seen where a test looks at the spans of all threads.
        let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            bound.send(listener.local_addr().expect("an address")).ok();
            let (act, number) = (Arc::new(act), Arc::new(AtomicUsize::new(0)));
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&act), Arc::clone(&number)));
            }
        });
    });
    format!("http://{}", address.recv().expect("a receiver"))
}

async fn serve<A: Fn(usize) -> Act>(stream: TcpStream, act: Arc<A>, number: Arc<AtomicUsize>) {
    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
    // The peer may go away at any time.
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let mut body = request.into_body();
        match act(number.fetch_add(1, Ordering::SeqCst)) {
            Act::Reset(reason) => respond.send_reset(reason),
            Act::GoAway => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                continue;
            }
            Act::Close => return,
            Act::Say(said) => {
                // Driven together with the connection.
                tokio::spawn(async move {
                    while let Some(Ok(data)) = body.data().await {
                        body.flow_control().release_capacity(data.len()).ok();
                    }
                    say(&mut respond, *said);
                });
            }
        }
    }
}

fn say(respond: &mut SendResponse<Bytes>, said: Said) {
    let is_last = said.body.is_empty() && said.trailers.is_none();
    // An error here is the peer's end.
    let Ok(mut stream) = respond.send_response(said.head, is_last) else {
        return;
    };
    if !said.body.is_empty() {
        stream.send_data(said.body, said.trailers.is_none()).ok();
    }
    if let Some(trailers) = said.trailers {
        stream.send_trailers(trailers).ok();
    }
}

fn says(said: Said) -> Act {
    Act::Say(Box::new(said))
}

fn head(kind: &str) -> Response<()> {
    let head = Response::builder().header("content-type", kind);
    head.body(()).expect("a response")
}

/// An answer with this message, uncompressed.
fn message(body: &'static [u8]) -> Said {
    let mut framed = vec![0];
    framed.extend_from_slice(&(body.len() as u32).to_be_bytes());
    framed.extend_from_slice(body);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().expect("a value"));
    Said {
        head: head("application/grpc"),
        body: framed.into(),
        trailers: Some(trailers),
    }
}

/// Where in an answer a status stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    Head,
    Trailers,
}

fn refusal(status: &Status, place: Place) -> Said {
    let mut said = Said {
        head: head("application/grpc"),
        ..Said::default()
    };
    match place {
        Place::Head => status
            .add_header(said.head.headers_mut())
            .expect("a status"),
        Place::Trailers => {
            let mut trailers = HeaderMap::new();
            status.add_header(&mut trailers).expect("a status");
            said.trailers = Some(trailers);
        }
    }
    said
}

/// First this, then it takes everything.
fn first(act: impl Fn() -> Act + Send + Sync + 'static) -> String {
    start(move |number| match number {
        0 => act(),
        _ => says(message(b"")),
    })
}

fn exporting(url: &str, further: &[(&str, &str)]) -> enter_span_pipeline::Pipeline {
    let mut variables = vec![("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    variables.extend(further);
    build(to(url, &variables))
}

fn sent_again() -> Outcome {
    Outcome {
        exported: 7,
        retried: 1,
        ..Outcome::default()
    }
}

fn export_seven(url: &str) -> enter_span_pipeline::Pipeline {
    let pipeline = exporting(url, &[]);
    record(&pipeline, 7);
    pipeline.flush(AGES).expect("flushed in time");
    pipeline
}

fn with_pause(code: Code, pause: Duration) -> Status {
    let details = ErrorDetails::with_retry_info(Some(pause));
    Status::with_error_details(code, "busy", details)
}

/// Each code that passes; an exhausted resource only with a pause.
#[rstest]
#[case(Code::Cancelled)]
#[case(Code::DeadlineExceeded)]
#[case(Code::Aborted)]
#[case(Code::OutOfRange)]
#[case(Code::Unavailable)]
#[case(Code::DataLoss)]
#[case(Code::ResourceExhausted)]
fn what_passes_is_sent_again(
    #[case] code: Code,
    #[values(Place::Head, Place::Trailers)] place: Place,
) {
    let status = with_pause(code, Duration::ZERO);
    let url = first(move || says(refusal(&status, place)));
    assert_outcome(&export_seven(&url), sent_again());
}

/// Without `RetryInfo` the pause is our own, and short.
#[test]
fn without_a_pause_it_is_our_own() {
    let status = Status::unavailable("starting");
    let url = first(move || says(refusal(&status, Place::Trailers)));
    assert_outcome(&export_seven(&url), sent_again());
}

/// Other codes stay, and their message is shown as it was written.
#[rstest]
#[case(Code::ResourceExhausted, "RESOURCE_EXHAUSTED")]
#[case(Code::Unknown, "UNKNOWN")]
#[case(Code::InvalidArgument, "INVALID_ARGUMENT")]
#[case(Code::NotFound, "NOT_FOUND")]
#[case(Code::AlreadyExists, "ALREADY_EXISTS")]
#[case(Code::PermissionDenied, "PERMISSION_DENIED")]
#[case(Code::FailedPrecondition, "FAILED_PRECONDITION")]
#[case(Code::Unimplemented, "UNIMPLEMENTED")]
#[case(Code::Internal, "INTERNAL")]
#[case(Code::Unauthenticated, "UNAUTHENTICATED")]
fn what_stays_is_not_sent_again(#[case] code: Code, #[case] name: &str) {
    let status = Status::new(code, "quota: 5% left, \u{fc}ber s3cr3t\n");
    let url = first(move || says(refusal(&status, Place::Trailers)));
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=s3cr3t");
    let pipeline = exporting(&url, &[headers]);
    export_one(&pipeline);
    let failed = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, failed);
    let expected = format!("gRPC status {name}: quota: 5% left, \u{fc}ber [hidden]");
    assert_eq!(error(&pipeline), expected);
}

/// A pause that ends after the time of a batch is cut to it.
#[test]
fn a_pause_that_is_too_long_is_cut() {
    let status = with_pause(Code::ResourceExhausted, Duration::from_secs(3600));
    let url = start(move |_| says(refusal(&status, Place::Trailers)));
    let builder = to(&url, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    let pipeline = build(builder.with_limits(patient_for(50)));
    export_one(&pipeline);
    let given_up = Outcome {
        failed: 1,
        retried: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, given_up);
    let expected = "gRPC status RESOURCE_EXHAUSTED: busy (given up after 2 tries)";
    assert_eq!(error(&pipeline), expected);
}

/// A stream that is refused or cancelled, a connection that goes away, and a socket that closes cost nothing.
#[rstest]
#[case(|| Act::Reset(Reason::REFUSED_STREAM))]
#[case(|| Act::Reset(Reason::CANCEL))]
#[case(|| Act::GoAway)]
#[case(|| Act::Close)]
fn a_stream_that_is_lost_is_replaced(#[case] act: fn() -> Act) {
    let url = first(act);
    assert_outcome(&export_seven(&url), sent_again());
}

/// A broken stream is a fault of the receiver's.
#[test]
fn a_stream_that_breaks_is_not_sent_again() {
    let url = first(|| Act::Reset(Reason::INTERNAL_ERROR));
    let pipeline = exporting(&url, &[]);
    export_one(&pipeline);
    let failed = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, failed);
}

/// What is rejected counts as dropped, never more than was sent.
#[rstest]
#[case(
    b"\x0a\x0b\x08\x02\x12\x07too old",
    2,
    "the receiver rejected 2 of 7 spans: too old"
)]
#[case(b"\x0a\x03\x08\xe8\x07", 7, "the receiver rejected 7 of 7 spans")]
fn a_partial_success_is_counted(
    #[case] body: &'static [u8],
    #[case] rejected: u64,
    #[case] expected: &str,
) {
    let url = start(move |_| says(message(body)));
    let pipeline = export_seven(&url);
    let outcome = Outcome {
        exported: 7 - rejected,
        rejected,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    assert_eq!(error(&pipeline), expected);
}

/// What is no answer of gRPC is no success.
#[rstest]
#[case(Said { head: head("text/html"), body: Bytes::from_static(b"<html>"), trailers: None }, "the answer is `text/html`: this is no receiver of gRPC")]
#[case(message(b"\x0a\xff"), "the receiver's answer is no message of OTLP")]
#[case(Said { body: Bytes::new(), ..message(b"") }, "the receiver's answer is no message of OTLP")]
#[case(Said { body: Bytes::from_static(b"\x01\x00\x00\x00\x00"), ..message(b"") }, "the receiver's answer is no message of OTLP")]
#[case(Said { body: vec![0; 100_000].into(), ..message(b"") }, "the receiver's answer is longer than 64 KiB")]
fn what_is_no_answer_is_no_success(#[case] said: Said, #[case] expected: &str) {
    let url = start(move |_| says(said.clone()));
    let pipeline = exporting(&url, &[]);
    export_one(&pipeline);
    let failed = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, failed);
    assert_eq!(error(&pipeline), expected);
}

/// A server of HTTP/1.1 is no receiver of gRPC.
#[test]
fn another_protocol_is_told() {
    let receiver = Scripted::answering(vec![answer("400 Bad Request", "", b"")]);
    let pipeline = exporting(receiver.url(), &[]);
    export_one(&pipeline);
    let failed = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, failed);
    let error = error(&pipeline);
    let expected = "the receiver does not speak the protocol: ";
    assert!(error.starts_with(expected), "{error}");
}
