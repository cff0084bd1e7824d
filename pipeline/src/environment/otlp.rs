//! `OTEL_EXPORTER_OTLP_*` and `OTEL_EXPORTER_OTLP_TRACES_*`, as the specification of the OTLP exporter
//! says: the variable of the signal stands before the general one.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::Environment;
use super::pair::{decode, pairs};

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
        match cfg!(feature = "otlp-http") {
            true => Protocol::Http,
            false => Protocol::Grpc,
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
        let (endpoint, authorization) = self.endpoint(protocol);
        let mut headers = self.headers();
        if let Some(authorization) = authorization {
            headers.entry(AUTHORIZATION).or_insert(authorization);
        }
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
            "{variable}: the value, which may be secret, is not accepted, and the default is taken; write {accepted}"
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

    /// The endpoint without credentials, and these as a header.
    fn endpoint(&mut self, protocol: Protocol) -> (Uri, Option<HeaderValue>) {
        let Some(found) = self.find("ENDPOINT") else {
            return (protocol.default_endpoint(), None);
        };
        let url = match protocol {
            Protocol::Http => found.value.clone(),
            Protocol::Grpc => self.with_scheme(&found.value),
        };
        let Some((endpoint, authorization)) = split_credentials(&url) else {
            let accepted = format!("a URL as `{}`", protocol.default_endpoint());
            // User names stand before an `@`, and keys behind a `?`.
            match found.value.contains(['@', '?']) {
                true => self.warn_of_secret(&found.variable, &accepted),
                false => self.warn(&found.variable, &found.value, &accepted),
            }
            return (protocol.default_endpoint(), None);
        };
        match (protocol, found.is_of_signal) {
            (Protocol::Http, false) => (with_path(endpoint), authorization),
            (Protocol::Http, true) | (Protocol::Grpc, _) => (endpoint, authorization),
        }
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

    fn headers(&mut self) -> HeaderMap {
        let Some(found) = self.find("HEADERS") else {
            return HeaderMap::new();
        };
        let pairs = pairs(&found.value).unwrap_or_default();
        let headers: Option<HeaderMap> = pairs.into_iter().map(header).collect();
        match headers {
            Some(headers) if !headers.is_empty() => headers,
            _ => {
                let accepted = "`name=value,name=value`, percent-encoded";
                self.warn_of_secret(&found.variable, accepted);
                HeaderMap::new()
            }
        }
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

fn header((name, value): (String, String)) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// Credentials do not travel in a URL: they become the header that they stand for.
fn split_credentials(url: &str) -> Option<(Uri, Option<HeaderValue>)> {
    let mut parts = url.parse::<Uri>().ok()?.into_parts();
    if !matches!(parts.scheme.as_ref()?.as_str(), "http" | "https") {
        return None;
    }
    let authority = parts.authority.as_ref()?;
    let Some((credentials, host)) = authority.as_str().rsplit_once('@') else {
        return Some((Uri::from_parts(parts).ok()?, None));
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let credentials = format!("{}:{}", decode(user)?, decode(password)?);
    let value = format!("Basic {}", BASE64_STANDARD.encode(credentials));
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    parts.authority = Some(host.parse::<Authority>().ok()?);
    Some((Uri::from_parts(parts).ok()?, Some(value)))
}

/// The general endpoint is a base, to which the path of the signal is appended.
fn with_path(base: Uri) -> Uri {
    let path = format!("{}/v1/traces", base.path().trim_end_matches('/'));
    let path = match base.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = base.clone().into_parts();
    // A valid path stays one with more of it, so the base is only for the type.
    parts.path_and_query = PathAndQuery::try_from(path).ok();
    Uri::from_parts(parts).unwrap_or(base)
}
