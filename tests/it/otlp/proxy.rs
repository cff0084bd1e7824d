//! Proxies: which of them is taken, and what arrives through a real one.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use enter_span_pipeline::{Pipeline, PipelineBuilder};
use rstest::rstest;

use super::client_certificate::File;
use super::{Outcome, TIMEOUT, assert_outcome, error, patient_for};
use crate::pipeline::otlp::{build, builder, export_one, exporting};
use crate::support::proxy::{Proxy, Way};
use crate::support::receiver::{Answer, Receiver, Transport};

const ENDPOINT: &str = super::ENDPOINT;
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

/// What it is and where it exports to, with these variables, and what is wrong with them.
fn described(variables: &[(&str, &str)]) -> (String, Vec<String>) {
    let warnings = Arc::<Mutex<Vec<String>>>::default();
    let told = Arc::clone(&warnings);
    let pipeline = build(builder(variables).with_warnings(move |warning| {
        told.lock().expect("the list").push(warning.to_owned());
    }));
    let [exporter] = pipeline.exporters() else {
        panic!("one exporter: {:?}", pipeline.exporters());
    };
    let warnings = warnings.lock().expect("the list").clone();
    (exporter.clone(), warnings)
}

/// The proxy that is taken, if there is one.
#[track_caller]
fn proxy_of(endpoint: &str, variables: &[(&str, &str)]) -> Option<String> {
    // No certificates are needed where nothing is secure.
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let pem = certificate.expect("a certificate").cert.pem();
    let name = format!("{endpoint}{variables:?}").replace(|c: char| !c.is_alphanumeric(), "");
    let file = File::new(&name[name.len().saturating_sub(100)..], &pem);
    let mut all = vec![
        (ENDPOINT, endpoint),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", file.path()),
    ];
    all.extend(variables);
    let (exporter, warnings) = described(&all);
    assert_eq!(warnings, [""; 0]);
    let (_, proxy) = exporter.split_once(" through proxy ")?;
    Some(proxy.to_owned())
}

/// The variable of the scheme, and then that of all; of two forms the lower case.
#[rstest]
#[case("http://a.example", &[("http_proxy", "http://p:1")], Some("p:1"))]
#[case("http://a.example", &[("HTTP_PROXY", "http://p:1")], Some("p:1"))]
#[case("http://a.example", &[("http_proxy", "p:1"), ("HTTP_PROXY", "q:1")], Some("p:1"))]
#[case("http://a.example", &[("https_proxy", "http://p:1")], None)]
#[case("https://a.example", &[("https_proxy", "http://p:1")], Some("p:1"))]
#[case("https://a.example", &[("HTTPS_PROXY", "HTTP://p:1/path")], Some("p:1"))]
#[case("https://a.example", &[("http_proxy", "http://p:1")], None)]
#[case("https://a.example", &[("all_proxy", "p")], Some("p"))]
#[case("http://a.example", &[("ALL_PROXY", "http://[::1]:1"), ("http_proxy", "")], Some("[::1]:1"))]
#[case("http://a.example", &[("ALL_PROXY", "http://q:1"), ("http_proxy", "u:p@p:1")], Some("p:1"))]
#[case::loopback("http://localhost", &[("http_proxy", "http://p:1")], None)]
#[case::loopback("http://LocalHost:4318", &[("ALL_PROXY", "http://p:1")], None)]
#[case::loopback("http://127.0.0.2:4318", &[("http_proxy", "http://p:1")], None)]
#[case::loopback("https://[::1]:4318", &[("https_proxy", "http://p:1")], None)]
#[case::loopback("http://localhost.example", &[("http_proxy", "http://p:1")], Some("p:1"))]
#[case::cgi("http://a.example", &[("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")], None)]
#[case::cgi("http://a.example", &[("http_proxy", "http://p:1"), ("REQUEST_METHOD", "GET")], Some("p:1"))]
#[cfg_attr(unix, case::socket("unix:///run/none.sock", &[("ALL_PROXY", "http://p:1")], None))]
fn variables_name_the_proxy(
    #[case] endpoint: &str,
    #[case] variables: &[(&str, &str)],
    #[case] proxy: Option<&str>,
) {
    assert_eq!(proxy_of(endpoint, variables).as_deref(), proxy);
}

/// Names with all below them, addresses, networks, and everything.
#[rstest]
#[case("a.example", "*", true)]
#[case("a.example", "a.example", true)]
#[case("A.example", "b.example, .a.EXAMPLE", true)]
#[case("x.a.example", "a.example", true)]
#[case("xa.example", "a.example", false)]
#[case("example", "a.example", false)]
#[case("a.example", ",. ,", false)]
#[case("10.1.2.3", "10.0.0.0/8", true)]
#[case("11.1.2.3", "10.0.0.0/8", false)]
#[case("11.1.2.3", "10.0.0.0/0", true)]
#[case("10.1.2.3", "10.1.2.3", true)]
#[case("10.1.2.4", "10.1.2.3", false)]
#[case("110.1.2.3", "10.1.2.3", false)]
#[case("10.1.2.3", "10.0.0.0/33,10.0.0.0/x,/", false)]
#[case("[fd00::1]", "10.0.0.0/8 fd00::/8", true)]
#[case("[fd00::1]", "[fd00::1]", true)]
#[case("[fe00::1]", "fd00::/8", false)]
#[case("[fe00::1]", "0.0.0.0/0", false)]
fn hosts_may_be_exempt(
    #[values("no_proxy", "NO_PROXY")] variable: &str,
    #[case] host: &str,
    #[case] exempt: &str,
    #[case] expected: bool,
) {
    let variables = [("ALL_PROXY", "http://p:1"), (variable, exempt)];
    let proxy = proxy_of(&format!("http://{host}:4318"), &variables);
    assert_eq!(proxy.is_none(), expected, "{proxy:?}");
}

/// What cannot be a proxy is told once, without its value, and is not used.
#[rstest]
#[case("socks5h://anna:s3cr3t@p:1080", "SOCKS is not supported")]
#[case(
    "https://anna:s3cr3t@p:443",
    "a proxy that is reached over TLS is not supported"
)]
#[case("ftp://anna:s3cr3t@p", "the scheme is not `http`")]
#[case(
    "http://anna:s3cr3t@p:port",
    "the port is not a number from 1 to 65535"
)]
fn another_kind_of_proxy_is_told(#[case] url: &str, #[case] reason: &str) {
    let (exporter, warnings) = described(&[("ALL_PROXY", url), (ENDPOINT, "http://a.example")]);
    assert_eq!(exporter, "otlp http/protobuf http://a.example/v1/traces");
    let warning = format!(
        "ALL_PROXY: {reason}, and spans are exported without a proxy; write a URL as `http://proxy.example:3128`"
    );
    assert_eq!(warnings, [warning]);
}

/// A name that only the proxy knows, and the receiver behind it.
fn behind(receiver: &Receiver) -> String {
    let url = receiver.url();
    let (_, port) = url.rsplit_once(':').expect("a port");
    format!("http://collector.test:{port}")
}

/// Exports there by the proxy, with further variables.
fn through(
    proxy: &str,
    transport: Transport,
    url: &str,
    further: &[(&str, &str)],
) -> PipelineBuilder {
    let mut variables = vec![
        ("http_proxy", proxy),
        (ENDPOINT, url),
        (PROTOCOL, transport.name()),
    ];
    variables.extend(further);
    builder(&variables).with_warnings(|_| {})
}

fn one_exported() -> Outcome {
    Outcome {
        exported: 1,
        ..Outcome::default()
    }
}

/// HTTP by whole URLs; gRPC, whose HTTP/2 a proxy does not speak, by a tunnel.
#[rstest]
#[case(
    Transport::Http,
    "POST http://collector.test:PORT/v1/traces HTTP/1.1\r\n"
)]
#[case(Transport::Grpc, "CONNECT collector.test:PORT HTTP/1.1\r\n")]
fn spans_arrive_through_a_proxy(#[case] transport: Transport, #[case] line: &str) {
    let (proxy, receiver) = (Proxy::start(), Receiver::start(transport, Answer::Taken));
    let url = behind(&receiver);
    let pipeline = build(through(proxy.address(), transport, &url, &[]));
    export_one(&pipeline);
    export_one(&pipeline);
    assert_eq!(receiver.next().spans().len(), 1);
    assert_eq!(receiver.next().header("proxy-authorization"), None);
    assert_eq!(pipeline.counts().exported, 2);
    let (_, port) = url.rsplit_once(':').expect("a port");
    let (line, heads) = (line.replace("PORT", port), proxy.heads());
    assert!(
        heads.iter().all(|head| head.starts_with(&line)),
        "{heads:?}"
    );
    let shown = format!(" through proxy {}", proxy.address());
    assert!(pipeline.exporters()[0].ends_with(&shown));
}

/// TLS is spoken with the receiver, and not with the proxy: by a tunnel.
#[rstest]
fn tls_goes_through_a_tunnel(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let (proxy, receiver) = (Proxy::start(), Receiver::start_secure(transport));
    let trusted = receiver.certificate.as_deref().expect("a certificate");
    let trusted = File::new(&format!("proxy-{transport:?}"), trusted);
    let variables = [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.path()),
        ("https_proxy", proxy.address()),
    ];
    let url = behind(&receiver).replacen("http", "https", 1);
    let pipeline = build(through(proxy.address(), transport, &url, &variables));
    export_one(&pipeline);
    assert_eq!(receiver.next().spans().len(), 1);
    assert_outcome(&pipeline, one_exported());
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with("CONNECT collector.test:"), "{heads:?}");
}

/// Asks for `anna` and `p@ss`.
fn asking() -> Proxy {
    Proxy::start_with(|_, head| {
        let head = head.to_lowercase();
        if head.contains("proxy-authorization: basic yw5uytpwqhnz\r\n") {
            Way::Forward
        } else {
            Way::Refuse("407 Proxy Authentication Required")
        }
    })
}

/// The credentials in the proxy's URL are the proxy's alone.
#[rstest]
fn a_proxy_gets_its_credentials(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let (proxy, receiver) = (asking(), Receiver::start(transport, Answer::Taken));
    let url = format!("http://anna:p%40ss@{}", proxy.address());
    let pipeline = build(through(&url, transport, &behind(&receiver), &[]));
    export_one(&pipeline);
    assert_outcome(&pipeline, one_exported());
    assert_eq!(receiver.next().header("proxy-authorization"), None);
    let shown = format!(" through proxy {}", proxy.address());
    assert!(pipeline.exporters()[0].ends_with(&shown));
}

#[track_caller]
fn assert_failed(pipeline: &Pipeline, expected: &str) {
    let failed = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    assert_outcome(pipeline, failed);
    assert_eq!(error(pipeline), expected);
}

/// Wrong credentials are final, and are in no message.
#[rstest]
#[case(Transport::Http, "HTTP status 407: refused by the proxy")]
#[case(Transport::Grpc, "HTTP status 407: no tunnel to the receiver")]
fn wrong_credentials_are_told(#[case] transport: Transport, #[case] expected: &str) {
    let (proxy, receiver) = (asking(), Receiver::start(transport, Answer::Taken));
    let url = format!("http://anna:wrong@{}", proxy.address());
    let pipeline = build(through(&url, transport, &behind(&receiver), &[]));
    export_one(&pipeline);
    let address = proxy.address();
    assert_failed(&pipeline, &format!("through proxy {address}: {expected}"));
    assert_eq!(proxy.heads().len(), 1);
    assert!(receiver.is_empty());
}

/// What a proxy repeats of its credentials is hidden.
#[test]
fn a_proxy_may_repeat_its_credentials() {
    let receiver =
        crate::support::scripted::Scripted::answering(vec![crate::support::scripted::answer(
            "407 Proxy Authentication Required",
            "content-type: text/plain\r\n",
            b"anna, s3cr3t: no; Basic YW5uYTpzM2NyM3Q=",
        )]);
    let proxy = receiver.url().replace("http://", "http://anna:s3cr3t@");
    let pipeline = build(through(
        &proxy,
        Transport::Http,
        "http://collector.test",
        &[],
    ));
    export_one(&pipeline);
    let address = receiver.url().replace("http://", "");
    let said = "HTTP status 407: [hidden], [hidden]: no; [hidden]";
    assert_failed(&pipeline, &format!("through proxy {address}: {said}"));
}

/// A proxy that cannot reach the receiver for a while loses nothing.
#[rstest]
fn a_proxy_may_be_unable_for_a_while(
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let proxy = Proxy::start_with(|number, _| match number {
        0 => Way::Refuse("502 Bad Gateway"),
        _ => Way::Forward,
    });
    let receiver = Receiver::start(transport, Answer::Taken);
    let pipeline = build(through(proxy.address(), transport, &behind(&receiver), &[]));
    export_one(&pipeline);
    let outcome = Outcome {
        retried: 1,
        ..one_exported()
    };
    assert_outcome(&pipeline, outcome);
}

/// A proxy that is away is named: the receiver may be well.
#[rstest]
fn a_proxy_that_is_away_is_told(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let builder = through(&address, transport, "http://collector.test", &[]);
    let pipeline = build(builder.with_limits(patient_for(0)));
    export_one(&pipeline);
    let outcome = Outcome {
        failed: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    let error = error(&pipeline);
    let start = format!("through proxy {address}: ");
    assert!(error.starts_with(&start), "{error}");
    assert!(error.contains("refused"), "{error}");
}

/// A proxy that does not answer is left at the deadline.
#[rstest]
fn a_proxy_that_hangs_is_left(#[values(Transport::Http, Transport::Grpc)] transport: Transport) {
    let proxy = Proxy::start_with(|_, _| Way::Hang);
    let timeout = [(TIMEOUT, "50")];
    let builder = through(
        proxy.address(),
        transport,
        "http://collector.test",
        &timeout,
    );
    let pipeline = build(builder.with_limits(patient_for(0)));
    export_one(&pipeline);
    let outcome = Outcome {
        timed_out: 1,
        given_up: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, outcome);
    let address = proxy.address();
    let expected = format!("through proxy {address}: no answer in time (given up after 1 try)");
    assert_eq!(error(&pipeline), expected);
}
