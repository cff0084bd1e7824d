//! How spans travel to the receiver.

use std::error::Error;

/// OTLP over one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    HttpGzip,
    Grpc,
}

impl Transport {
    pub(crate) const ALL: [Transport; 3] = [Transport::Http, Transport::HttpGzip, Transport::Grpc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Transport::Http => "http",
            Transport::HttpGzip => "http_gzip",
            Transport::Grpc => "grpc",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Transport::ALL
            .into_iter()
            .find(|transport| transport.name() == name)
    }
}

/// Where a peer exports to.
pub(crate) struct Endpoint {
    pub(crate) transport: Transport,
    /// `host:port`
    pub(crate) address: String,
}

impl Endpoint {
    /// # Errors
    ///
    /// If there is no such transport.
    pub(crate) fn new(transport: &str, address: &str) -> Result<Self, Box<dyn Error>> {
        let found = Transport::named(transport);
        Ok(Endpoint {
            transport: found.ok_or_else(|| format!("no transport `{transport}`"))?,
            address: address.to_owned(),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
