//! The methods that may stand in a span's name: those that are known, since anybody can send others.

use std::sync::Arc;

use http::Method;

/// The value for a method that is not known.
const OTHER: &str = "_OTHER";

/// Those of RFC 9110 and RFC 5789, and those that were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Methods {
    added: Arc<[String]>,
}

/// A method as the semantic conventions name it.
#[derive(Clone, Copy)]
pub(crate) enum MethodName<'a> {
    Known(&'a str),
    Other(&'a str),
}

impl Methods {
    pub(crate) fn with(&self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let added = self.added.iter().cloned();
        Methods {
            added: added.chain(names.into_iter().map(Into::into)).collect(),
        }
    }

    pub(crate) fn classify<'a>(&self, method: &'a Method) -> MethodName<'a> {
        let name = method.as_str();
        if is_standard(method) || self.added.iter().any(|added| added == name) {
            MethodName::Known(name)
        } else {
            MethodName::Other(name)
        }
    }
}

fn is_standard(method: &Method) -> bool {
    matches!(
        *method,
        Method::CONNECT
            | Method::DELETE
            | Method::GET
            | Method::HEAD
            | Method::OPTIONS
            | Method::PATCH
            | Method::POST
            | Method::PUT
            | Method::TRACE
    )
}

impl MethodName<'_> {
    /// `http.request.method`.
    pub(crate) fn value(&self) -> &str {
        match self {
            MethodName::Known(name) => name,
            MethodName::Other(_) => OTHER,
        }
    }

    /// `http.request.method_original`, where it is another one.
    pub(crate) fn original(&self) -> Option<&str> {
        match self {
            MethodName::Known(_) => None,
            MethodName::Other(name) => Some(name),
        }
    }

    /// The name of the span: with the route or the template, if there is one.
    pub(crate) fn name(&self, target: Option<&str>) -> String {
        let method = match self {
            MethodName::Known(name) => name,
            MethodName::Other(_) => "HTTP",
        };
        match target {
            Some(target) => format!("{method} {target}"),
            None => method.to_owned(),
        }
    }
}
