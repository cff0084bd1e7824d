//! What came of one request, and whether it is sent again: one rule for both protocols, that of OTLP.

use std::time::Duration;

use http::StatusCode;

/// The receiver took the request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Spans of it that it did not take.
    pub(super) rejected: u64,
    /// Why, or what else it says.
    pub(super) message: String,
}

/// The receiver did not take the request.
#[derive(Debug)]
pub(super) struct Failure {
    /// Without credentials.
    pub(super) reason: String,
    pub(super) retry: Retry,
}

pub(super) type Answer = Result<Taken, Failure>;

/// Whether another try may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    /// A kept connection was gone, which does not mean that the receiver is.
    Now,
    /// After a pause.
    Later,
    /// The receiver names the pause.
    After(Duration),
}

impl Retry {
    /// The pause that the receiver names.
    pub(super) fn pause(self) -> Option<Duration> {
        match self {
            Retry::After(pause) => Some(pause),
            Retry::Never | Retry::Now | Retry::Later => None,
        }
    }
}

/// How a receiver answers, by protocol.
#[derive(Clone, Copy, Debug)]
pub(super) enum Status {
    Http(StatusCode),
    #[cfg(feature = "otlp-grpc")]
    Grpc(u32),
}

impl Status {
    /// With the pause that the receiver names, if it names one.
    pub(super) fn retry(self, pause: Option<Duration>) -> Retry {
        let is_passing = match self {
            Status::Http(status) => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            // A resource that is exhausted is free again only where the receiver says when.
            #[cfg(feature = "otlp-grpc")]
            Status::Grpc(code::RESOURCE_EXHAUSTED) => pause.is_some(),
            #[cfg(feature = "otlp-grpc")]
            Status::Grpc(code) => matches!(code, 1 | 4 | 10 | 11 | 14 | 15),
        };
        match pause {
            _ if !is_passing => Retry::Never,
            Some(pause) => Retry::After(pause),
            None => Retry::Later,
        }
    }

    fn name(self) -> String {
        match self {
            Status::Http(status) => format!("HTTP status {}", status.as_u16()),
            #[cfg(feature = "otlp-grpc")]
            Status::Grpc(code) => match code::NAMES.get(code as usize) {
                Some(name) => format!("gRPC status {name}"),
                None => format!("gRPC status {code}"),
            },
        }
    }

    /// A failure with this status. `message` is what the receiver says, fit to be shown.
    pub(super) fn failure(self, message: &str, pause: Option<Duration>) -> Failure {
        let name = self.name();
        let reason = match message {
            "" => name,
            message => format!("{name}: {message}"),
        };
        Failure {
            reason,
            retry: self.retry(pause),
        }
    }
}

impl Failure {
    /// One that no other try changes.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Failure {
            reason: reason.into(),
            retry: Retry::Never,
        }
    }

    /// One of a connection, which the next one may not have.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Failure {
            reason: reason.into(),
            retry: Retry::Later,
        }
    }
}

/// The codes of gRPC.
#[cfg(feature = "otlp-grpc")]
pub(super) mod code {
    pub(in crate::export::otlp) const OK: u32 = 0;
    pub(in crate::export::otlp) const RESOURCE_EXHAUSTED: u32 = 8;

    pub(super) const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
}
