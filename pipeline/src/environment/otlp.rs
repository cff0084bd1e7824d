//! `OTEL_EXPORTER_OTLP_*` and `OTEL_EXPORTER_OTLP_TRACES_*`, as the specification of the OTLP exporter
//! says: the variable of the signal stands before the general one.

use std::path::PathBuf;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::uri::Scheme;
use http::{HeaderMap, Uri};

use super::endpoint::Endpoint;
use super::header::Headers;
use super::protocol::Protocol;
use super::proxy::Proxy;
use super::{Environment, HIDDEN};

/// The settings of an OTLP exporter.
#[derive(Clone, Debug)]
pub(crate) struct OtlpSettings {
    pub(crate) protocol: Protocol,
    /// With a scheme, and without credentials.
    pub(crate) endpoint: Uri,
    /// The Unix domain socket that the receiver listens on, instead of a host and a port.
    pub(crate) socket: Option<PathBuf>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) headers: HeaderMap,
    /// For one batch, with all that is tried for it.
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) files: TlsFiles,
}

/// What the files for TLS held, in PEM.
#[derive(Clone, Default)]
pub(crate) struct TlsFiles {
    /// Who is trusted, instead of those whom the platform trusts.
    pub(crate) roots: Option<Vec<u8>>,
    /// The client's own certificate, and its key.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl OtlpSettings {
    /// Whether the proxy only connects us to the receiver. Else it reads our requests, and passes them on.
    pub(crate) fn needs_tunnel(&self) -> bool {
        let is_secure = self.endpoint.scheme() == Some(&Scheme::HTTPS);
        is_secure || self.protocol == Protocol::Grpc
    }
}

impl std::fmt::Debug for TlsFiles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TlsFiles").finish_non_exhaustive()
    }
}

/// A variable that was found, with its value.
struct Variable {
    variable: String,
    value: String,
    /// Of the traces alone, or of all signals.
    is_of_signal: bool,
}

impl Environment<'_> {
    pub(crate) fn otlp(&mut self) -> OtlpSettings {
        let protocol = self.protocol();
        let (endpoint, headers) = self.receiver(protocol);
        let proxy = self.proxy(&endpoint);
        OtlpSettings {
            protocol,
            endpoint: endpoint.url,
            socket: endpoint.socket,
            proxy,
            headers,
            timeout: self.otlp_timeout(),
            gzip: self.compression(),
            files: self.files(),
        }
    }

    /// Does not show the value.
    fn warn_of_secret(&mut self, variable: &str, accepted: &str) {
        self.add_warning(format!(
            "{variable}: {HIDDEN} is not a valid value, so the default applies; write {accepted}"
        ));
    }

    fn find(&mut self, name: &str) -> Option<Variable> {
        let of_signal = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
        if let Some(value) = self.value(&of_signal) {
            return Some(Variable {
                variable: of_signal,
                value,
                is_of_signal: true,
            });
        }
        let general = format!("OTEL_EXPORTER_OTLP_{name}");
        let value = self.value(&general)?;
        Some(Variable {
            variable: general,
            value,
            is_of_signal: false,
        })
    }

    fn protocol(&mut self) -> Protocol {
        let words = [("http/protobuf", Protocol::Http), ("grpc", Protocol::Grpc)];
        let protocol = self.find("PROTOCOL").and_then(|found| {
            self.word(
                &found.variable,
                &found.value,
                words,
                "`http/protobuf` or `grpc`",
            )
        });
        protocol.unwrap_or_else(Protocol::default)
    }

    /// The endpoint without credentials, and the headers, these among them. Without an endpoint that was
    /// meant there are no headers either: they were for that one.
    fn receiver(&mut self, protocol: Protocol) -> (Endpoint, HeaderMap) {
        let mut headers = self.headers(protocol);
        let Some(found) = self.find("ENDPOINT") else {
            return (Endpoint::default_of(protocol), headers);
        };
        let Some(endpoint) = self.endpoint(protocol, &found) else {
            return (Endpoint::default_of(protocol), HeaderMap::new());
        };
        if let Some(authorization) = &endpoint.authorization {
            headers
                .entry(AUTHORIZATION)
                .or_insert(authorization.clone());
        }
        (endpoint, headers)
    }

    fn endpoint(&mut self, protocol: Protocol, found: &Variable) -> Option<Endpoint> {
        let variable = &found.variable;
        let parsed = match protocol {
            Protocol::Http => Endpoint::parse(&found.value),
            Protocol::Grpc => Endpoint::parse(&self.with_scheme(&found.value)),
        };
        let is_base = protocol == Protocol::Http && !found.is_of_signal;
        let endpoint = match parsed {
            Ok(endpoint) if is_base => endpoint.with_path(),
            Ok(endpoint) => endpoint,
            Err(reason) => {
                let example = protocol.example(found.is_of_signal);
                self.add_warning(format!(
                    "{variable}: {reason}, so the default applies, without any headers; write a URL as `{example}`"
                ));
                return None;
            }
        };
        if let Some(doubt) = endpoint.doubt(protocol) {
            self.add_warning(format!("{variable}: {doubt}"));
        }
        Some(endpoint)
    }

    /// gRPC takes a bare `host:port`, for which another variable says whether it is secure.
    fn with_scheme(&mut self, endpoint: &str) -> String {
        match (endpoint.contains("://"), self.is_insecure()) {
            (true, _) => endpoint.to_owned(),
            (false, true) => format!("http://{endpoint}"),
            (false, false) => format!("https://{endpoint}"),
        }
    }

    fn is_insecure(&mut self) -> bool {
        let found = self.find("INSECURE");
        found.is_some_and(|found| self.is_true(&found.variable, &found.value))
    }

    fn headers(&mut self, protocol: Protocol) -> HeaderMap {
        const ACCEPTED: &str = "`name=value,name=value`, percent-encoded";
        let Some(Variable {
            variable, value, ..
        }) = self.find("HEADERS")
        else {
            return HeaderMap::new();
        };
        let Headers { all, reserved } = match Headers::parse(&value, protocol) {
            Ok(headers) => headers,
            Err(malformed) => {
                self.warn_of_list(&variable, malformed, ACCEPTED);
                return HeaderMap::new();
            }
        };
        if !reserved.is_empty() {
            let names = reserved.join("`, `");
            self.add_warning(format!(
                "{variable}: `{names}`: the transport sets such headers itself, and they are left out; remove them"
            ));
        } else if all.is_empty() {
            self.warn_of_secret(&variable, ACCEPTED);
        }
        all
    }

    fn otlp_timeout(&mut self) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(10);
        /// The exporter's thread has a deadline of its own.
        const NONE: Duration = Duration::from_secs(24 * 60 * 60);
        let Some(found) = self.find("TIMEOUT") else {
            return DEFAULT;
        };
        match found.value.parse() {
            Ok(0) => NONE,
            Ok(milliseconds) => Duration::from_millis(milliseconds).min(NONE),
            Err(_) => {
                let accepted = "a whole number of milliseconds, as `10000`; `0` is no limit";
                self.warn(&found.variable, &found.value, accepted);
                DEFAULT
            }
        }
    }

    fn compression(&mut self) -> bool {
        let words = [("gzip", true), ("none", false)];
        let gzip = self
            .find("COMPRESSION")
            .and_then(|found| self.word(&found.variable, &found.value, words, "`gzip` or `none`"));
        gzip.unwrap_or_default()
    }

    fn files(&mut self) -> TlsFiles {
        let certificate = self.file("CLIENT_CERTIFICATE", "CERTIFICATE");
        let key = self.file("CLIENT_KEY", "PRIVATE KEY");
        if certificate.is_some() != key.is_some() {
            self.add_warning(
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY: one is of no use without the other, and neither is taken".to_owned(),
            );
        }
        TlsFiles {
            roots: self.file("CERTIFICATE", "CERTIFICATE"),
            identity: certificate.zip(key),
        }
    }

    /// A file in PEM, with at least one part of this kind.
    fn file(&mut self, name: &str, kind: &str) -> Option<Vec<u8>> {
        let found = self.find(name)?;
        let pem = std::fs::read_to_string(&found.value).ok();
        let pem = pem.filter(|pem| pem.contains(&format!("{kind}-----")));
        if pem.is_none() {
            // Somebody may have written the key itself.
            let accepted = format!("the path of a readable file in PEM with a `{kind}`");
            self.warn_of_secret(&found.variable, &accepted);
        }
        pem.map(String::into_bytes)
    }
}
