//! gRPC by Tonic, with TLS by Rustls.

use http::header::USER_AGENT;
use http::uri::Scheme;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use opentelemetry_otlp::{Compression, SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::headers;
use crate::environment::{OtlpSettings, TlsFiles};

pub(super) fn exporter(settings: &OtlpSettings) -> Result<SpanExporter, String> {
    let own = settings.headers.clone();
    let intercept = move |mut request: Request<()>| -> Result<Request<()>, Status> {
        let mut given = std::mem::take(request.metadata_mut()).into_headers();
        let agent = given.remove(USER_AGENT);
        *request.metadata_mut() = MetadataMap::from_headers(headers(own.clone(), agent));
        Ok(request)
    };
    let builder = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(settings.endpoint.to_string())
        .with_timeout(settings.timeout)
        .with_interceptor(intercept);
    let builder = if settings.endpoint.scheme() == Some(&Scheme::HTTPS) {
        builder.with_tls_config(tls(&settings.files))
    } else {
        builder
    };
    let builder = if settings.gzip {
        builder.with_compression(Compression::Gzip)
    } else {
        builder
    };
    builder.build().map_err(|error| error.to_string())
}

/// Trusts those that were given, or else the platform's.
fn tls(files: &TlsFiles) -> ClientTlsConfig {
    let config = match &files.roots {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    match &files.identity {
        Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
        None => config,
    }
}
