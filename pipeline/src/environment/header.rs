//! `OTEL_EXPORTER_OTLP_HEADERS`: what travels with each batch, and what must not.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::pair::{Malformed, pairs};
use super::protocol::Protocol;

/// The headers of a list, and the names of those that are left out.
pub(super) struct Headers {
    pub(super) all: HeaderMap,
    pub(super) reserved: Vec<String>,
}

/// Names, and beginnings of names, of what frames a message, describes its body or belongs to its
/// connection (RFC 9110), and of what the body of an answer would be coded in, which is not decoded. All
/// of it changes with the message, and is the transport's.
const RESERVED: [&str; 11] = [
    "accept-encoding",
    "connection",
    "content-",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The names that gRPC keeps for itself.
const OF_GRPC: &str = "grpc-";

impl Headers {
    pub(super) fn parse(list: &str, protocol: Protocol) -> Result<Self, Malformed> {
        let mut headers = Headers {
            all: HeaderMap::new(),
            reserved: Vec::new(),
        };
        for (index, (name, value)) in pairs(list)?.into_iter().enumerate() {
            let malformed = Malformed { part: index + 1 };
            let (name, value) = header(&name, &value).ok_or(malformed)?;
            if is_reserved(&name, protocol) {
                headers.reserved.push(name.to_string());
            } else {
                // `append` panics where a map is full.
                let appended = headers.all.try_append(name, value);
                appended.map_err(|_| malformed)?;
            }
        }
        Ok(headers)
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

fn is_reserved(name: &HeaderName, protocol: Protocol) -> bool {
    let name = name.as_str();
    let is = |reserved: &str| {
        if reserved.ends_with('-') {
            name.starts_with(reserved)
        } else {
            name == reserved
        }
    };
    RESERVED.into_iter().any(is) || (protocol == Protocol::Grpc && is(OF_GRPC))
}
