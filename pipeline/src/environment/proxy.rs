//! `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, by the rules of curl, but for loopback: the proxy
//! that a receiver is reached through, if there is one.
//!
//! A warning shows nothing of a URL, which may have a password.

use std::net::IpAddr;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use super::Environment;
use super::endpoint::Endpoint;

/// A proxy of HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Without credentials.
    pub(crate) url: Uri,
    /// For `Proxy-Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
}

/// A variable, and the form that is read where it is not set.
type Names = [&'static str; 2];

const HTTP: Names = ["http_proxy", "HTTP_PROXY"];
const HTTPS: Names = ["https_proxy", "HTTPS_PROXY"];
const ALL: Names = ["all_proxy", "ALL_PROXY"];
const NONE: Names = ["no_proxy", "NO_PROXY"];

impl Proxy {
    /// Its host and port.
    pub(crate) fn name(&self) -> &str {
        self.url
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    /// # Errors
    ///
    /// What is wrong, in words that follow the name of a variable.
    fn parse(value: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        match &*scheme.to_ascii_lowercase() {
            "http" => {}
            "https" => return Err("a proxy that is reached over TLS is not supported"),
            "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => {
                return Err("SOCKS is not supported");
            }
            _ => return Err("the scheme is not `http`"),
        }
        let endpoint = Endpoint::parse(&format!("http://{rest}"))?;
        let mut parts = endpoint.url.into_parts();
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Ok(Proxy {
            url: Uri::from_parts(parts).map_err(|_| "the value is no URL")?,
            authorization: endpoint.authorization,
        })
    }
}

impl Environment<'_> {
    /// A socket of this host is reached directly, and so is the host itself: a collector that runs beside the
    /// process is the usual one, and no proxy elsewhere reaches it.
    pub(super) fn proxy(&mut self, endpoint: &Endpoint) -> Option<Proxy> {
        if endpoint.socket.is_some() {
            return None;
        }
        let is_secure = endpoint.url.scheme() == Some(&Scheme::HTTPS);
        let own = if is_secure { HTTPS } else { HTTP };
        let found = self.first_of(own).or_else(|| self.first_of(ALL));
        let (variable, value) = found?;
        let exempt = self.first_of(NONE);
        let host = endpoint.url.host().unwrap_or_default();
        if is_loopback(host) || exempt.is_some_and(|(_, list)| is_exempt(&list, host)) {
            return None;
        }
        match Proxy::parse(&value) {
            Ok(proxy) => Some(proxy),
            Err(reason) => {
                self.add_warning(format!(
                    "{variable}: {reason}, and spans are exported without a proxy; write a URL as `http://proxy.example:3128`"
                ));
                None
            }
        }
    }

    fn first_of(&mut self, names: Names) -> Option<(&'static str, String)> {
        let mut names = names.into_iter();
        names.find_map(|name| {
            let value = self.value(name)?;
            (!self.is_of_request(name)).then_some((name, value))
        })
    }

    /// In a CGI program, a client's header `Proxy` comes as `HTTP_PROXY`. Windows has one case of both.
    fn is_of_request(&mut self, name: &str) -> bool {
        let is_header = if cfg!(windows) {
            name.eq_ignore_ascii_case("HTTP_PROXY")
        } else {
            name == "HTTP_PROXY"
        };
        is_header && self.value("REQUEST_METHOD").is_some()
    }
}

fn is_loopback(host: &str) -> bool {
    let host = unbracketed(host);
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Whether one of these is the host, or has it: names with all below them, addresses, networks, or `*`.
fn is_exempt(list: &str, host: &str) -> bool {
    let host = unbracketed(host).trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    let mut entries = list.split([',', ' ']).map(str::trim);
    entries.any(|entry| match address {
        _ if entry == "*" => true,
        Some(address) => is_in(entry, address),
        None => is_below(&entry.to_ascii_lowercase(), &host),
    })
}

fn is_below(entry: &str, host: &str) -> bool {
    let name = entry.trim_start_matches('.').trim_end_matches('.');
    match host.strip_suffix(name) {
        _ if name.is_empty() => false,
        Some(before) => before.is_empty() || before.ends_with('.'),
        None => false,
    }
}

/// `10.0.0.0/8`, or an address.
fn is_in(entry: &str, address: IpAddr) -> bool {
    let (base, length) = match entry.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (entry, Some(width(address))),
    };
    let base = unbracketed(base).parse::<IpAddr>().ok();
    let (Some(base), Some(length)) = (base, length) else {
        return false;
    };
    let Some(rest) = width(address).checked_sub(length) else {
        return false;
    };
    let differing = (bits(base) ^ bits(address)).checked_shr(rest);
    width(base) == width(address) && differing.unwrap_or_default() == 0
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}
