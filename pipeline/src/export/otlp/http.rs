//! HTTP/1.1 by Hyper, with TLS by Rustls.

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::uri::Scheme;
use hyper_rustls::HttpsConnectorBuilder;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Compression, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::{TransportError, headers};
use crate::environment::{OtlpSettings, TlsFiles};

pub(super) fn exporter(settings: &OtlpSettings) -> Result<(SpanExporter, TransportError), String> {
    let transport_error = TransportError::default();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls(settings)?)
        .https_or_http()
        .enable_http1()
        .build();
    let client = Client {
        client: HyperClient::new(connector, settings.timeout, None),
        headers: settings.headers.clone(),
        transport_error: transport_error.clone(),
    };
    let builder = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(settings.endpoint.to_string())
        .with_timeout(settings.timeout)
        .with_http_client(client);
    let builder = if settings.gzip {
        builder.with_compression(Compression::Gzip)
    } else {
        builder
    };
    let exporter = builder.build().map_err(|error| error.to_string())?;
    Ok((exporter, transport_error))
}

#[derive(Debug)]
struct Client<C> {
    client: C,
    headers: HeaderMap,
    transport_error: TransportError,
}

#[async_trait]
impl<C: HttpClient> HttpClient for Client<C> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut parts, body) = request.into_parts();
        let agent = parts.headers.remove(USER_AGENT);
        let mut own = headers(self.headers.clone(), agent);
        for name in [CONTENT_TYPE, CONTENT_ENCODING] {
            if let Some(value) = parts.headers.remove(&name) {
                own.insert(name, value);
            }
        }
        parts.headers = own;
        let sent = self.client.send_bytes(Request::from_parts(parts, body));
        sent.await
            .inspect_err(|error| self.transport_error.set(chain(error)))
    }
}

fn chain(error: &HttpError) -> String {
    let first: &(dyn Error + 'static) = &**error;
    let all = successors(Some(first), |&error| error.source());
    let all: Vec<String> = all.map(ToString::to_string).collect();
    all.join(": ")
}

/// An endpoint without TLS needs no certificates.
fn tls(settings: &OtlpSettings) -> Result<ClientConfig, String> {
    let is_secure = settings.endpoint.scheme() == Some(&Scheme::HTTPS);
    let roots = if is_secure {
        roots(&settings.files)?
    } else {
        RootCertStore::empty()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &settings.files.identity else {
        return Ok(config.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|error| format!("the client's key: {error}"))?;
    let config = config.with_client_auth_cert(certificates(certificate)?, key);
    config.map_err(|error| format!("the client's certificate: {error}"))
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
