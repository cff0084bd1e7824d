//! gRPC, as far as it can be seen in HTTP: which method is called, and how the call went.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Uri};

/// The name of a method that is not known, and of a call to one.
pub(crate) const OTHER: &str = "_OTHER";
pub(crate) const SYSTEM: &str = "grpc";

/// Longer ones are nobody's.
const LONGEST_METHOD: usize = 256;

/// The method that is called.
#[derive(Clone, Copy)]
pub(crate) enum GrpcMethod<'a> {
    /// `package.Service/Method`.
    Known(&'a str),
    Other(&'a str),
}

impl<'a> GrpcMethod<'a> {
    /// `None` if the request is not gRPC's.
    pub(crate) fn by(method: &Method, headers: &HeaderMap, uri: &'a Uri) -> Option<Self> {
        if *method == Method::POST && is_grpc(headers) {
            Some(GrpcMethod::at(uri.path()))
        } else {
            None
        }
    }

    fn at(path: &'a str) -> Self {
        let method = path.strip_prefix('/').filter(|method| is_method(method));
        method.map_or(GrpcMethod::Other(path), GrpcMethod::Known)
    }

    /// The name of the span.
    pub(crate) fn name(&self) -> &'a str {
        match *self {
            GrpcMethod::Known(method) => method,
            GrpcMethod::Other(_) => SYSTEM,
        }
    }

    /// `rpc.method`.
    pub(crate) fn method(&self) -> &'a str {
        match *self {
            GrpcMethod::Known(method) => method,
            GrpcMethod::Other(_) => OTHER,
        }
    }

    /// `rpc.method_original`, where it is another one.
    pub(crate) fn original(&self) -> Option<&'a str> {
        match *self {
            GrpcMethod::Known(_) => None,
            GrpcMethod::Other(path) => Some(path),
        }
    }
}

/// gRPC-Web, which has its status in the body, is not.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let rest = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
    matches!(rest, Some([] | [b'+' | b';', ..]))
}

/// As Protocol Buffers name services and methods.
fn is_method(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let Some((service, method)) = text.split_once('/') else {
        return false;
    };
    let are_words =
        service.bytes().all(|byte| is_word(byte) || byte == b'.') && method.bytes().all(is_word);
    are_words && !service.is_empty() && !method.is_empty() && text.len() <= LONGEST_METHOD
}

/// The codes of gRPC, by their numbers.
const CODES: [&str; 17] = [
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

/// How a call went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(&'static str);

impl Code {
    pub(crate) const UNIMPLEMENTED: Code = Code("UNIMPLEMENTED");

    /// What trailers say, or the head of a response that has nothing else. What is no code is unknown,
    /// as gRPC has it.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("grpc-status")?.to_str().ok();
        let number = text.and_then(|text| text.parse::<usize>().ok());
        let name = number.and_then(|number| CODES.get(number).copied());
        Some(Code(name.unwrap_or("UNKNOWN")))
    }

    /// `rpc.response.status_code`.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    pub(crate) fn is_error_of_client(self) -> bool {
        self.0 != "OK"
    }

    /// The others are the caller's faults.
    pub(crate) fn is_error_of_server(self) -> bool {
        matches!(
            self.0,
            "UNKNOWN"
                | "DEADLINE_EXCEEDED"
                | "UNIMPLEMENTED"
                | "INTERNAL"
                | "UNAVAILABLE"
                | "DATA_LOSS"
        )
    }
}
