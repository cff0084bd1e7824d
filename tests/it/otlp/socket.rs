//! Unix domain sockets, by both protocols.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread;

use rstest::rstest;

use super::{error, to};
use crate::pipeline::AGES;
use crate::pipeline::otlp::{build, export_one, record};
use crate::support::receiver::{Receiver, Transport};

/// The path of a socket that is not there yet, and goes with the test.
struct Socket(PathBuf);

impl Socket {
    fn new(name: &str) -> Self {
        let name = format!("enter-span-{}-{name}.sock", std::process::id());
        Socket(std::env::temp_dir().join(name))
    }

    fn url(&self) -> String {
        format!("unix://{}", self.0.display())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

/// The general endpoint and that of the traces alike; over HTTP the path is that of every receiver.
#[rstest]
fn a_socket_is_an_endpoint(
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
    #[values("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")] variable: &str,
) {
    let socket = Socket::new(&format!("{transport:?}-{}", variable.len()));
    let receiver = Receiver::start_at(transport, &socket.0);
    let url = socket.url();
    let variables = [(PROTOCOL, transport.name()), (variable, &*url)];
    let builder = crate::pipeline::otlp::builder(&variables);
    let pipeline = build(builder.with_warnings(|warning| panic!("{warning}")));
    export_one(&pipeline);
    export_one(&pipeline);
    let received = receiver.next();
    assert_eq!(received.spans().len(), 1);
    if transport == Transport::Http {
        assert_eq!(received.path, "/v1/traces");
    }
    assert_eq!(pipeline.counts().exported, 2);
    let expected = format!("otlp {} {url}", transport.name());
    assert_eq!(pipeline.exporters(), [expected]);
}

/// An agent that starts after the application gets all spans.
#[test]
fn an_agent_may_start_later() {
    let socket = Socket::new("later");
    let pipeline = build(to(&socket.url(), &[]));
    record(&pipeline, 2);
    thread::scope(|threads| {
        let flush = threads.spawn(|| pipeline.flush(AGES));
        while pipeline.counts().retried == 0 {
            thread::yield_now();
        }
        let listener = UnixListener::bind(&socket.0).expect("a socket");
        let (stream, _) = listener.accept().expect("a connection");
        crate::support::scripted::serve_one(stream);
        flush.join().expect("no panic").expect("flushed in time");
    });
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.dropped.total()), (2, 0));
}

/// Without an agent, the error says what is missing.
#[test]
fn an_absent_socket_is_told() {
    let socket = Socket::new("absent");
    let pipeline = build(to(&socket.url(), &[]).with_limits(super::patient_for(0)));
    export_one(&pipeline);
    assert_eq!(pipeline.counts().dropped.total(), 1);
    let error = error(&pipeline);
    assert!(error.contains("No such file"), "{error}");
}
