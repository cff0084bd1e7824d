//! The protocols of OTLP: their names, and where their receivers listen.

use http::Uri;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Protocol::Http => "http/protobuf",
            Protocol::Grpc => "grpc",
        }
    }

    /// What the specification asks for, if it is there.
    pub(super) fn default() -> Self {
        if cfg!(feature = "otlp-http") {
            Protocol::Http
        } else {
            Protocol::Grpc
        }
    }

    /// What can stand in the variable of the signal, or in the general one.
    pub(super) fn example(self, is_of_signal: bool) -> &'static str {
        match self {
            Protocol::Http if is_of_signal => "http://localhost:4318/v1/traces",
            Protocol::Http => "http://localhost:4318",
            Protocol::Grpc => "http://localhost:4317",
        }
    }

    pub(super) fn default_endpoint(self) -> Uri {
        match self {
            Protocol::Http => Uri::from_static("http://localhost:4318/v1/traces"),
            Protocol::Grpc => Uri::from_static("http://localhost:4317"),
        }
    }
}
