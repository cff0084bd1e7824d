//! TLS by Rustls and ring: who is trusted, and who we are.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::environment::TlsFiles;

/// For a connection that speaks this protocol, by its name in ALPN.
///
/// # Errors
///
/// What is wrong with the files, or with the platform's certificates.
pub(super) fn config(files: &TlsFiles, alpn: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots(files)?);
    let mut config = match &files.identity {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from_pem_slice(key);
            let key = key.map_err(|error| format!("the client's key: {error}"))?;
            let config = config.with_client_auth_cert(certificates(certificate)?, key);
            config.map_err(|error| format!("the client's certificate: {error}"))?
        }
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(Arc::new(config))
}

/// Those that were given, or else the platform's.
fn roots(files: &TlsFiles) -> Result<RootCertStore, String> {
    let certificates = match &files.roots {
        Some(pem) => certificates(pem)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    // A platform may have some that Rustls cannot read.
    let (added, _) = roots.add_parsable_certificates(certificates);
    match added {
        0 => Err("no trusted certificate was found; name a file of them in OTEL_EXPORTER_OTLP_CERTIFICATE".to_owned()),
        _ => Ok(roots),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<_, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.map_err(|error| format!("a certificate: {error}"))
}
