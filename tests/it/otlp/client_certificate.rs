//! A receiver that asks who its clients are, by both protocols.

use std::path::PathBuf;

use enter_span_pipeline::Pipeline;
use rcgen::{CertificateParams, DnType, KeyPair};
use rstest::rstest;

use super::{Outcome, assert_outcome, error};
use crate::pipeline::otlp::{build, export_one, exporting};
use crate::support::receiver::{Receiver, Transport};

/// A certificate of a client and its key, in PEM.
struct Client {
    certificate: String,
    key: String,
}

impl Client {
    /// Its own issuer, of this name.
    fn new(name: &str) -> Self {
        let mut own = CertificateParams::new([name.to_owned()]).expect("a name");
        own.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        Client {
            certificate: own.self_signed(&key).expect("a certificate").pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A file that goes with the test.
pub(super) struct File(PathBuf);

impl File {
    pub(super) fn new(name: &str, content: &str) -> Self {
        let name = format!("enter-span-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a file");
        File(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().expect("a path")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// Trusts the receiver, and is this client. The files are read now; `name` keeps them apart.
fn exporting_as(client: Option<&Client>, receiver: &Receiver, name: &str) -> Pipeline {
    let trusted = receiver.certificate.as_deref().expect("a certificate");
    let trusted = File::new(&format!("{name}-trusted"), trusted);
    let mut variables = vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.path())];
    let own = client.map(|client| {
        let certificate = File::new(&format!("{name}-certificate"), &client.certificate);
        (certificate, File::new(&format!("{name}-key"), &client.key))
    });
    if let Some((certificate, key)) = &own {
        variables.extend([
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate.path()),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", key.path()),
        ]);
    }
    build(exporting(receiver, &variables).with_warnings(|_| {}))
}

#[rstest]
fn a_client_is_known_by_its_certificate(
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let client = Client::new("client");
    let receiver = Receiver::start_mutual(transport, &client.certificate);
    let pipeline = exporting_as(Some(&client), &receiver, &format!("known-{transport:?}"));
    export_one(&pipeline);
    assert_eq!(receiver.next().spans().len(), 1);
    let exported = Outcome {
        exported: 1,
        ..Outcome::default()
    };
    assert_outcome(&pipeline, exported);
    assert_eq!(pipeline.last_export_error(), None);
}

/// Another certificate, or none, is refused: that stays, so one request is made, and the error has the
/// alert of the receiver and nothing of the key.
#[rstest]
#[case::another(Some(Client::new("other")), "UnknownCA")]
#[case::none(None, "CertificateRequired")]
fn a_client_that_is_not_known_is_refused(
    #[case] client: Option<Client>,
    #[case] alert: &str,
    #[values(Transport::Http, Transport::Grpc)] transport: Transport,
) {
    let receiver = Receiver::start_mutual(transport, &Client::new("client").certificate);
    let name = format!("refused-{transport:?}-{alert}");
    let pipeline = exporting_as(client.as_ref(), &receiver, &name);
    export_one(&pipeline);
    let failed = Outcome {
        failed: 1,
        ..Outcome::default()
    };
    let error = error(&pipeline);
    assert!(error.starts_with("TLS: "), "{error}");
    assert!(error.contains(alert), "{error}");
    assert_outcome(&pipeline, failed);
    assert!(receiver.is_empty());
}
