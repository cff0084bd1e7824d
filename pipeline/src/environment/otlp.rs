//! `OTEL_EXPORTER_OTLP_*` and `OTEL_EXPORTER_OTLP_TRACES_*`, as the specification of the OTLP exporter
//! says: the variable of the signal stands before the general one.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};

use super::endpoint::Endpoint;
use super::header::Headers;
use super::{Environment, HIDDEN};

/// All that an OTLP exporter is told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) protocol: Protocol,
    /// With a scheme, and without credentials.
    pub(crate) endpoint: Uri,
    pub(crate) headers: HeaderMap,
    /// For one batch, with all that is tried for it.
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) files: Files,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

/// What the files for TLS held, in PEM.
#[derive(Clone, Default)]
pub(crate) struct Files {
    /// Who is trusted, instead of those whom the platform trusts.
    pub(crate) roots: Option<Vec<u8>>,
    /// The client's own certificate, and its key.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Files").finish_non_exhaustive()
    }
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Protocol::Http => "http/protobuf",
            Protocol::Grpc => "grpc",
        }
    }

    /// What the specification asks for, if it is there.
    fn default() -> Self {
        if cfg!(feature = "otlp-http") {
            Protocol::Http
        } else {
            Protocol::Grpc
        }
    }

    /// What can stand in the variable of the signal, or in the general one.
    fn example(self, is_of_signal: bool) -> &'static str {
        match self {
            Protocol::Http if is_of_signal => "http://localhost:4318/v1/traces",
            Protocol::Http => "http://localhost:4318",
            Protocol::Grpc => "http://localhost:4317",
        }
    }

    fn default_endpoint(self) -> Uri {
        match self {
            Protocol::Http => Uri::from_static("http://localhost:4318/v1/traces"),
            Protocol::Grpc => Uri::from_static("http://localhost:4317"),
        }
    }
}

/// A variable that was found, with its value.
struct Found {
    variable: String,
    value: String,
    /// Of the traces alone, or of all signals.
    is_of_signal: bool,
}

impl Environment<'_> {
    pub(crate) fn otlp(&mut self) -> Settings {
        let protocol = self.protocol();
        let (endpoint, headers) = self.receiver(protocol);
        Settings {
            protocol,
            endpoint,
            headers,
            timeout: self.otlp_timeout(),
            gzip: self.compression(),
            files: self.files(),
        }
    }

    /// Does not show the value.
    fn warn_of_secret(&mut self, variable: &str, accepted: &str) {
        self.tell(format!(
            "{variable}: {HIDDEN} is not accepted, and the default is taken; write {accepted}"
        ));
    }

    fn find(&mut self, name: &str) -> Option<Found> {
        let of_signal = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
        if let Some(value) = self.value(&of_signal) {
            return Some(Found {
                variable: of_signal,
                value,
                is_of_signal: true,
            });
        }
        let general = format!("OTEL_EXPORTER_OTLP_{name}");
        let value = self.value(&general)?;
        Some(Found {
            variable: general,
            value,
            is_of_signal: false,
        })
    }

    fn protocol(&mut self) -> Protocol {
        let Some(found) = self.find("PROTOCOL") else {
            return Protocol::default();
        };
        match found.value.to_ascii_lowercase().as_str() {
            "http/protobuf" => Protocol::Http,
            "grpc" => Protocol::Grpc,
            _ => {
                self.warn(&found.variable, &found.value, "`http/protobuf` or `grpc`");
                Protocol::default()
            }
        }
    }

    /// The endpoint without credentials, and the headers, these among them. Without an endpoint that was
    /// meant there are no headers either: they were for that one.
    fn receiver(&mut self, protocol: Protocol) -> (Uri, HeaderMap) {
        let mut headers = self.headers(protocol);
        let Some(found) = self.find("ENDPOINT") else {
            return (protocol.default_endpoint(), headers);
        };
        let Some(endpoint) = self.endpoint(protocol, &found) else {
            return (protocol.default_endpoint(), HeaderMap::new());
        };
        if let Some(authorization) = endpoint.authorization {
            headers.entry(AUTHORIZATION).or_insert(authorization);
        }
        (endpoint.url, headers)
    }

    fn endpoint(&mut self, protocol: Protocol, found: &Found) -> Option<Endpoint> {
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
                self.tell(format!(
                    "{variable}: {reason}, and the default is taken, without any headers; write a URL as `{example}`"
                ));
                return None;
            }
        };
        if let Some(doubt) = endpoint.doubt(protocol) {
            self.tell(format!("{variable}: {doubt}"));
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
        let Some(found) = self.find("INSECURE") else {
            return false;
        };
        match found.value.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => {
                self.warn(&found.variable, &found.value, "`true` or `false`");
                false
            }
        }
    }

    fn headers(&mut self, protocol: Protocol) -> HeaderMap {
        const ACCEPTED: &str = "`name=value,name=value`, percent-encoded";
        let Some(Found {
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
            self.tell(format!(
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
        let Some(found) = self.find("COMPRESSION") else {
            return false;
        };
        match found.value.to_ascii_lowercase().as_str() {
            "gzip" => true,
            "none" => false,
            _ => {
                self.warn(&found.variable, &found.value, "`gzip` or `none`");
                false
            }
        }
    }

    fn files(&mut self) -> Files {
        let certificate = self.file("CLIENT_CERTIFICATE", "CERTIFICATE");
        let key = self.file("CLIENT_KEY", "PRIVATE KEY");
        if certificate.is_some() != key.is_some() {
            self.tell(
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY: one is of no use without the other, and neither is taken".to_owned(),
            );
        }
        Files {
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
