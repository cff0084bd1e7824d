//! Where OTLP goes: what is no endpoint is refused before anything is sent, and a warning shows nothing
//! of it.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use rstest::rstest;

use crate::pipeline::Warnings;
use crate::pipeline::otlp::{build, builder, export_one, exporting, warnings};
use crate::support::receiver::{Answer, Receiver, Transport};

const GENERAL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// The one warning of a pipeline with these variables.
#[track_caller]
fn warning(variables: &[(&str, &str)]) -> String {
    only(&warnings(variables))
}

#[track_caller]
fn only(warnings: &[String]) -> String {
    let [warning] = warnings else {
        panic!("one warning, and not {warnings:?}");
    };
    warning.clone()
}

/// Refused, with the reason, by both variables and both protocols; the default stands in its place. What
/// cannot be taken apart is not shown: nobody knows which part of it is a password.
#[rstest]
#[case("http://127.0.0.1:43i8", "the port")]
#[case("http://127.0.0.1:99999", "the port")]
#[case("http://127.0.0.1:-1", "the port")]
#[case("http://127.0.0.1:+4318", "the port")]
#[case("http://127.0.0.1:", "the port")]
#[case("http://127.0.0.1:/hidden", "the port")]
#[case("http://127.0.0.1:0", "the port")]
#[case("http://[::1]:43i8", "the port")]
#[case("http://[::1]4318", "the port")]
#[case("http://me:hidden@127.0.0.1:43i8", "the port")]
#[case("http://me:hidden/part@127.0.0.1:4318", "an `@`")]
#[case("http://me:4318/hidden@127.0.0.1:4318", "an `@`")]
#[case("http://me:4318?hidden@127.0.0.1:4318", "an `@`")]
#[case("http://me:4318#hidden@127.0.0.1:4318", "an `@`")]
#[case("http://:4318", "the host")]
#[case("http://me:hidden@:4318", "the host")]
#[case("http://[hidden]:4318", "the host")]
#[case("http://[127.0.0.1]:4318", "the host")]
#[case("http://127.0.0.1:4318:4318", "the value is no URL")]
#[case("http:///hidden", "the value is no URL")]
#[case("http://127.0.0.1 :4318", "the value is no URL")]
#[case("http://127.0.0.1\u{ff1a}4318", "the value is no URL")]
#[case("http://127.0.0.1%3A4318", "the value is no URL")]
#[case("http://me%zz:hidden@127.0.0.1:4318", "the user")]
#[case("ftp://me:hidden@127.0.0.1", "the scheme")]
#[case("unix://run/hidden", "the path")]
#[case("unix:///run/hidden/", "the path")]
#[case("unix://", "the path")]
#[case("\"http://127.0.0.1:4318\"", "the scheme")]
fn what_is_no_endpoint_is_refused(
    #[case] value: &str,
    #[case] reason: &str,
    #[values(GENERAL, OF_TRACES)] variable: &str,
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let protocol = ("OTEL_EXPORTER_OTLP_PROTOCOL", transport.name());
    let variables = [protocol, (variable, value)];
    let warnings = Warnings::default();
    let pipeline = build(warnings.of(builder(&variables)));
    let warning = only(&warnings.take());
    let start = format!("{variable}: {reason}");
    assert!(warning.starts_with(&start), "{warning}");
    assert!(warning.contains("; write "), "{warning}");
    for part in [value, "hidden", "43i8"] {
        assert!(!warning.contains(part), "{warning}");
    }
    let default = match transport {
        Transport::Http => "http://localhost:4318/v1/traces",
        Transport::Grpc => "http://localhost:4317/",
    };
    let expected = format!("otlp {} {default}", transport.name());
    assert_eq!(pipeline.exporters(), [expected]);
}

/// Without a scheme it is a URL for gRPC only, where another variable says whether it is secure.
#[rstest]
#[case("localhost:4318")]
#[case("localhost")]
#[case("//localhost:4318")]
fn http_needs_a_scheme(#[case] value: &str) {
    let warning = warning(&[(GENERAL, value)]);
    let start = format!("{GENERAL}: the scheme ");
    assert!(warning.starts_with(&start), "{warning}");
}

#[rstest]
#[case("unix:/run/hidden")]
#[case("localhost:43i7")]
#[case(":4371")]
fn grpc_without_a_scheme_is_checked_too(#[case] value: &str) {
    let variables = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), (GENERAL, value)];
    let warning = warning(&variables);
    assert!(warning.starts_with(GENERAL), "{warning}");
    assert!(!warning.contains(value), "{warning}");
}

/// A port 80 of our own, if this process may have one: on Linux all of 127.0.0.0/8 is the host itself.
fn port_80() -> Option<TcpListener> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let listener = TcpListener::bind((Ipv4Addr::new(127, 80, high, low), 80)).ok()?;
    listener.set_nonblocking(true).expect("a socket");
    Some(listener)
}

/// The head of the next request at the default endpoint, if nobody else listens there.
fn default_receiver() -> Option<mpsc::Receiver<String>> {
    let listener = TcpListener::bind("127.0.0.1:4318").ok()?;
    let (heads, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            heads.send(take(stream.expect("a connection"))).ok();
        }
    });
    Some(received)
}

/// Reads one request of HTTP, answers it, and gives its head.
fn take(stream: TcpStream) -> String {
    let mut lines = BufReader::new(&stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    lines.read_exact(&mut vec![0; length]).expect("a body");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    (&stream).write_all(answer).expect("an open connection");
    head
}

/// Nothing goes to port 80, which a client takes where it cannot read one; and the headers, which were
/// for the receiver that was meant, go nowhere.
#[test]
fn nothing_is_sent_to_a_port_that_nobody_wrote() {
    let (forbidden, default) = (port_80(), default_receiver());
    let host = forbidden.as_ref().map(|listener| {
        let address = listener.local_addr().expect("an address");
        address.ip().to_string()
    });
    let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
    for port in ["43i8", "99999", ""] {
        let endpoint = format!("http://me:secret@{host}:{port}");
        let variables = [
            (GENERAL, &*endpoint),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=secret"),
        ];
        let pipeline = build(builder(&variables).with_warnings(|_| {}));
        export_one(&pipeline);
        if let Some(forbidden) = &forbidden {
            let connection = forbidden.accept().map(|(stream, _)| take(stream));
            let error = connection.expect_err("nobody connects");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
        let default = "otlp http/protobuf http://localhost:4318/v1/traces";
        assert_eq!(pipeline.exporters(), [default]);
    }
    let heads = default.into_iter();
    for head in heads.flat_map(|heads| heads.try_iter().collect::<Vec<_>>()) {
        let head = head.to_lowercase();
        let has_secret = head.contains("authorization") || head.contains("x-api-key");
        assert!(!has_secret, "{head}");
    }
}

/// What is one is reached as it is written, and its name and password become a header.
#[rstest]
#[case("HTTP://127.0.0.1:PORT", None)]
#[case(" http://127.0.0.1:PORT/ ", None)]
#[case("http://127.0.0.1:0PORT", None)]
#[case("http://LOCALHOST:PORT", None)]
// me:80@
#[case("http://me:80%40@127.0.0.1:PORT", Some("Basic bWU6ODBA"))]
// :43i8
#[case("http://:43i8@127.0.0.1:PORT", Some("Basic OjQzaTg="))]
fn an_endpoint_is_reached_as_it_is_written(
    #[case] form: &str,
    #[case] authorization: Option<&str>,
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let receiver = Receiver::start(transport, Answer::Taken);
    let port = receiver
        .url()
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let endpoint = form.replace("PORT", &port);
    let variables = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", transport.name()),
        (GENERAL, &*endpoint),
    ];
    let pipeline = build(builder(&variables).with_warnings(|warning| panic!("{warning}")));
    export_one(&pipeline);
    assert_eq!(receiver.next().header("authorization"), authorization);
    assert_eq!(pipeline.counts().exported, 1);
}

/// An address of IPv6 has brackets, and may have a port.
#[rstest]
#[case("http://[::1]:4318", "http://[::1]:4318/v1/traces")]
#[case("http://[::1]", "http://[::1]/v1/traces")]
#[case(
    "http://me:secret@[::ffff:127.0.0.1]:4318",
    "http://[::ffff:127.0.0.1]:4318/v1/traces"
)]
fn ipv6_is_an_endpoint(#[case] value: &str, #[case] expected: &str) {
    let pipeline = build(builder(&[(GENERAL, value)]).with_warnings(|warning| panic!("{warning}")));
    assert_eq!(
        pipeline.exporters(),
        [format!("otlp http/protobuf {expected}")]
    );
}

/// What is likely to be meant otherwise is taken as it is written, with a hint.
#[rstest]
#[case("http/protobuf", GENERAL, "http://hidden:4317", "port 4317", "`grpc`")]
#[case(
    "http/protobuf",
    OF_TRACES,
    "http://hidden:4317/v1/traces",
    "port 4317",
    "`grpc`"
)]
#[case("grpc", GENERAL, "http://hidden:4318", "port 4318", "`http/protobuf`")]
#[case(
    "http/protobuf",
    GENERAL,
    "http://hidden/v1/traces",
    "twice",
    "without"
)]
#[case(
    "http/protobuf",
    GENERAL,
    "http://hidden/v1/traces/?hidden",
    "twice",
    "without"
)]
#[case(
    "http/protobuf",
    OF_TRACES,
    "http://hidden/v1/traces/v1/traces",
    "twice",
    "once"
)]
#[case(
    "http/protobuf",
    OF_TRACES,
    "http://hidden:4318",
    "no path",
    "`/v1/traces`"
)]
#[case(
    "http/protobuf",
    OF_TRACES,
    "http://hidden:4318/",
    "no path",
    "`/v1/traces`"
)]
#[case(
    "grpc",
    GENERAL,
    "http://hidden/v1/traces",
    "no path",
    "`http/protobuf`"
)]
fn a_likely_mistake_is_told_and_taken(
    #[case] protocol: &str,
    #[case] variable: &str,
    #[case] value: &str,
    #[case] what: &str,
    #[case] instead: &str,
) {
    let variables = [("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), (variable, value)];
    let warning = warning(&variables);
    assert!(warning.starts_with(&format!("{variable}: ")), "{warning}");
    assert!(
        warning.contains(what) && warning.contains(instead),
        "{warning}"
    );
    assert!(!warning.contains("hidden"), "{warning}");
    let pipeline = build(builder(&variables).with_warnings(|_| {}));
    assert!(pipeline.exporters()[0].contains("://hidden"));
}

/// Headers that frame the message, or belong to its connection, are the transport's. They are left out,
/// in any case, and the message arrives whole, with the others.
#[rstest]
#[case("content-length=5")]
#[case("Content-Length=5")]
#[case("transfer-encoding=chunked")]
#[case("host=elsewhere.example")]
#[case("connection=close")]
#[case("keep-alive=timeout%3D1")]
#[case("proxy-connection=close")]
#[case("upgrade=h2c")]
#[case("te=gzip")]
#[case("trailer=x")]
#[case("expect=100-continue")]
#[case("content-type=text/plain")]
#[case("content-encoding=gzip")]
#[case("content-md5=x")]
#[case("accept-encoding=gzip")]
fn headers_of_the_transport_are_left_out(
    #[case] pair: &str,
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let variable = match transport {
        Transport::Http => "OTEL_EXPORTER_OTLP_HEADERS",
        Transport::Grpc => "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    };
    let (name, value) = pair.split_once('=').expect("a pair");
    let receiver = Receiver::start(transport, Answer::Taken);
    let headers = format!("x-before=1,{pair},x-after=2");
    let warnings = Warnings::default();
    let pipeline = build(warnings.of(exporting(&receiver, &[(variable, &headers)])));
    export_one(&pipeline);
    let received = receiver.next();
    assert_eq!(received.spans().len(), 1);
    assert_eq!(received.header("x-before"), Some("1"));
    assert_eq!(received.header("x-after"), Some("2"));
    assert_ne!(received.header(name), Some(value));
    let warning = only(&warnings.take());
    let name = name.to_lowercase();
    assert!(
        warning.starts_with(variable) && warning.contains(&format!("`{name}`")),
        "{warning}"
    );
    assert_eq!(pipeline.counts().exported, 1);
}

/// gRPC keeps the names that begin with `grpc-` for itself.
#[test]
fn names_of_grpc_are_left_out() {
    let receiver = Receiver::start(Transport::Grpc, Answer::Taken);
    let headers = (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "grpc-encoding=x,Grpc-Timeout=1n,x-after=2",
    );
    let warnings = Warnings::default();
    let pipeline = build(warnings.of(exporting(&receiver, &[headers])));
    export_one(&pipeline);
    let received = receiver.next();
    assert_eq!(received.header("x-after"), Some("2"));
    assert_ne!(received.header("grpc-timeout"), Some("1n"));
    let warning = only(&warnings.take());
    assert!(
        warning.contains("`grpc-encoding`, `grpc-timeout`"),
        "{warning}"
    );
}

/// A malformed list is not shown, and the warning says which part of it is wrong.
#[rstest]
#[case("OTEL_EXPORTER_OTLP_HEADERS", "a=1,Bearer hidden", 2)]
#[case("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=2,hidden key=3", 3)]
#[case("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=hidden%0d%0ax: 1", 1)]
#[case("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=1,,b=hidden%", 2)]
#[case("OTEL_RESOURCE_ATTRIBUTES", "a=1,hidden", 2)]
fn the_wrong_part_of_a_list_is_counted(
    #[case] variable: &str,
    #[case] value: &str,
    #[case] part: usize,
) {
    let warning = warning(&[(variable, value)]);
    assert!(warning.starts_with(&format!("{variable}: ")), "{warning}");
    assert!(warning.contains(&format!("part {part} ")), "{warning}");
    assert!(!warning.contains("hidden"), "{warning}");
}

/// A value in the wrong variable may be a secret: what looks like a URL or a pair is not shown.
#[rstest]
#[case("OTEL_EXPORTER_OTLP_PROTOCOL", "https://me:hidden@host")]
#[case("OTEL_EXPORTER_OTLP_COMPRESSION", "authorization=hidden")]
#[case("OTEL_TRACES_EXPORTER", "otlp,http://host/?key=hidden")]
#[case("OTEL_TRACES_EXPORTER", "me@hidden")]
#[case("OTEL_EXPORTER_OTLP_TIMEOUT", "Bearer: hidden")]
fn a_value_that_may_be_a_secret_is_not_shown(#[case] variable: &str, #[case] value: &str) {
    let warning = warning(&[(variable, value)]);
    assert!(warning.starts_with(&format!("{variable}: ")), "{warning}");
    assert!(!warning.contains("hidden"), "{warning}");
}

/// Nor is one that is long, which nobody reads.
#[test]
fn a_long_value_is_not_shown() {
    let warning = warning(&[("OTEL_TRACES_EXPORTER", &"x".repeat(100_000))]);
    assert!(warning.len() < 300, "{}", warning.len());
}
