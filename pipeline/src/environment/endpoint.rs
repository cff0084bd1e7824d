//! The URL of a receiver: what can be one, and what was probably meant otherwise.
//!
//! A warning shows nothing of the URL: if it cannot be parsed, any part of it may be a password. A refused
//! endpoint drops its headers too. They were for another receiver and must not go to the default one.

use std::net::Ipv6Addr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use enter_span::native::decode;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Uri};

use super::protocol::Protocol;

/// The path that receivers of OTLP over HTTP have for spans.
pub(super) const PATH: &str = "/v1/traces";

/// Where spans go.
pub(super) struct Endpoint {
    /// With a scheme, and without credentials.
    pub(super) url: Uri,
    /// A Unix domain socket, to which the host and the port of the URL say nothing.
    pub(super) socket: Option<PathBuf>,
    /// The credentials, which do not travel in a URL, as the header that they stand for.
    pub(super) authorization: Option<HeaderValue>,
}

impl Endpoint {
    /// # Errors
    ///
    /// What is wrong, in words that follow the name of a variable.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let is = |known: &str| scheme.eq_ignore_ascii_case(known);
        if is("unix") {
            return Endpoint::of_socket(rest);
        }
        if !is("http") && !is("https") {
            return Err("the scheme is none of `http`, `https` and `unix`");
        }
        // A password that is not encoded: its beginning would be the port, and the user the host.
        let (_, behind) = rest.split_once(['/', '?', '#']).unwrap_or_default();
        if behind.contains('@') {
            return Err(LATE_AT);
        }
        let url = url.parse::<Uri>().map_err(|_| NO_URL)?;
        let mut parts = url.into_parts();
        let authority = parts.authority.take().ok_or(NO_URL)?;
        let (credentials, host) = match authority.as_str().rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority.as_str()),
        };
        let authorization = credentials.map(basic).transpose()?;
        let host = host.parse::<Authority>().map_err(|_| NO_HOST)?;
        check(&host)?;
        parts.authority = Some(host);
        let url = Uri::from_parts(parts).map_err(|_| NO_URL)?;
        Ok(Endpoint {
            url,
            socket: None,
            authorization,
        })
    }

    pub(super) fn default_of(protocol: Protocol) -> Self {
        Endpoint {
            url: protocol.default_endpoint(),
            socket: None,
            authorization: None,
        }
    }

    /// The requests name `localhost`, as those of other clients do.
    #[cfg(unix)]
    fn of_socket(path: &str) -> Result<Self, &'static str> {
        let is_file = path.starts_with('/') && !path.ends_with('/');
        // It also checks the length, of which there are about a hundred bytes.
        if !is_file || std::os::unix::net::SocketAddr::from_pathname(path).is_err() {
            return Err("the path is not that of a socket, absolute and of at most 100 bytes");
        }
        Ok(Endpoint {
            url: Uri::from_static("http://localhost/v1/traces"),
            socket: Some(PathBuf::from(path)),
            authorization: None,
        })
    }

    #[cfg(not(unix))]
    fn of_socket(_: &str) -> Result<Self, &'static str> {
        Err("the scheme is `unix`, and this platform has no Unix domain sockets")
    }

    /// A base, to which the path of the signal is appended.
    pub(super) fn with_path(self) -> Self {
        if self.socket.is_some() {
            return self;
        }
        let path = format!("{}{PATH}", self.url.path().trim_end_matches('/'));
        let path = match self.url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut parts = self.url.clone().into_parts();
        // A valid path stays one with more of it, so the old one is only for the type.
        parts.path_and_query = PathAndQuery::try_from(path).ok();
        let url = Uri::from_parts(parts).unwrap_or(self.url);
        Endpoint { url, ..self }
    }

    /// What was probably meant otherwise, and what to write then.
    pub(super) fn doubt(&self, protocol: Protocol) -> Option<&'static str> {
        if self.socket.is_some() {
            return None;
        }
        let path = self.url.path().trim_end_matches('/');
        match (protocol, self.url.port_u16()) {
            (Protocol::Http, Some(4317)) => Some(
                "port 4317 is usually that of gRPC; for gRPC, set OTEL_EXPORTER_OTLP_PROTOCOL to `grpc`, else write the port of HTTP, usually 4318",
            ),
            (Protocol::Grpc, Some(4318)) => Some(
                "port 4318 is usually that of HTTP; for HTTP, set OTEL_EXPORTER_OTLP_PROTOCOL to `http/protobuf`, else write the port of gRPC, usually 4317",
            ),
            (Protocol::Http, _) if path.is_empty() => Some(
                "the URL has no path, and none is appended to the endpoint of one signal; receivers usually take spans at `/v1/traces`",
            ),
            (Protocol::Http, _)
                if path
                    .strip_suffix(PATH)
                    .is_some_and(|path| path.ends_with(PATH)) =>
            {
                Some(
                    "`/v1/traces` is in the path twice; the endpoint of all signals is written without it, and that of one signal with it once",
                )
            }
            (Protocol::Grpc, _) if !path.is_empty() => Some(
                "gRPC has no path, and that of the URL is not used; for HTTP, set OTEL_EXPORTER_OTLP_PROTOCOL to `http/protobuf`",
            ),
            _ => None,
        }
    }
}

const NO_URL: &str = "the value is no URL";
const LATE_AT: &str = "an `@` is in the path or behind it, where it is written `%40`; in a user or a password, `/`, `?` and `#` are written `%2F`, `%3F` and `%23`";
const NO_HOST: &str = "the host is missing, or is no name and no address";

/// `Authority` takes any text as a port, and a client then takes that of the scheme.
fn check(authority: &Authority) -> Result<(), &'static str> {
    let (host, rest) = match authority.host() {
        "" => return Err(NO_HOST),
        host => (host, authority.as_str().strip_prefix(host)),
    };
    let address = host
        .strip_prefix('[')
        .map(|host| host.trim_end_matches(']'));
    if address.is_some_and(|address| address.parse::<Ipv6Addr>().is_err()) {
        return Err(NO_HOST);
    }
    match rest {
        Some("") => Ok(()),
        Some(rest) if rest.strip_prefix(':').is_some_and(is_port) => Ok(()),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<NonZeroU16>().is_ok()
}

fn basic(credentials: &str) -> Result<HeaderValue, &'static str> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let credentials = decode(user).zip(decode(password));
    let (user, password) =
        credentials.ok_or("the user or the password is not percent-encoded UTF-8")?;
    let value = BASE64_STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {value}")).map_err(|_| NO_URL)?;
    value.set_sensitive(true);
    Ok(value)
}
