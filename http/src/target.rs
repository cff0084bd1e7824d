//! Where a request goes, and how much of that is recorded.

use http::Uri;
use http::uri::Authority;

/// The parts of a URL. What stands before an `@` is never among them.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) scheme: Option<&'a str>,
    /// An IPv6 address has its brackets.
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
}

/// Whether a part of a request is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Visibility {
    Shown,
    #[default]
    Hidden,
}

/// How much of a URL is recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UrlVisibility {
    pub(crate) path: Visibility,
    pub(crate) query: Visibility,
}

impl Default for UrlVisibility {
    /// A query may hold secrets.
    fn default() -> Self {
        UrlVisibility {
            path: Visibility::Shown,
            query: Visibility::Hidden,
        }
    }
}

impl<'a> Target<'a> {
    pub(crate) fn of(uri: &'a Uri) -> Self {
        Target {
            scheme: uri.scheme_str(),
            host: uri.host(),
            port: uri.port_u16(),
            path: uri.path(),
            query: uri.query(),
        }
    }

    /// At this host, if the URL names none.
    pub(crate) fn or_at(self, authority: Option<&'a Authority>) -> Self {
        match (self.host, authority) {
            (None, Some(authority)) => Target {
                host: Some(authority.host()),
                port: authority.port_u16(),
                ..self
            },
            _ => self,
        }
    }

    /// `server.address`.
    pub(crate) fn address(&self) -> Option<&'a str> {
        let host = self.host?;
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        Some(address.unwrap_or(host)).filter(|host| !host.is_empty())
    }

    /// `server.port`: that of the scheme, if none is named.
    pub(crate) fn port_or_default(&self) -> Option<u16> {
        self.port.or(match self.scheme {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        })
    }

    /// `url.path`.
    pub(crate) fn path(&self, visibility: UrlVisibility) -> Option<&'a str> {
        Some(self.path).filter(|_| visibility.path == Visibility::Shown)
    }

    /// `url.query`.
    pub(crate) fn query(&self, visibility: UrlVisibility) -> Option<String> {
        let query = self
            .query
            .filter(|_| visibility.query == Visibility::Shown)?;
        Some(redacted(query))
    }

    /// `url.full`, as far as it is recorded; nothing if it is not absolute.
    pub(crate) fn full(&self, visibility: UrlVisibility) -> Option<String> {
        let mut full = format!("{}://{}", self.scheme?, self.host?);
        if let Some(port) = self.port {
            full.push_str(&format!(":{port}"));
        }
        full.push_str(self.path(visibility).unwrap_or_default());
        if let Some(query) = self.query(visibility) {
            full.push('?');
            full.push_str(&query);
        }
        Some(full)
    }
}

/// The parameters that sign a request: who has them can send it. The semantic conventions name them.
const SECRET: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
    "sig",
];

fn redacted(query: &str) -> String {
    let parameters = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if SECRET.contains(&name) => format!("{name}=REDACTED"),
            _ => parameter.to_owned(),
        });
    parameters.collect::<Vec<_>>().join("&")
}
