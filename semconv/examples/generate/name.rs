//! What an attribute, its type and a member are called in Rust.

/// Input: `http.request.method`, `long_polling`
///
/// Output: `HTTP_REQUEST_METHOD`, `LONG_POLLING`
pub(crate) fn constant(id: &str) -> String {
    function(id).to_uppercase()
}

/// Input: `http.request.header`
///
/// Output: `http_request_header`
pub(crate) fn function(id: &str) -> String {
    id.replace('.', "_")
}

/// Input: `http.request.method`
///
/// Output: `HttpRequestMethod`
pub(crate) fn camel(name: &str) -> String {
    let words = name.split(|sign: char| !sign.is_ascii_alphanumeric());
    words.map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut signs = word.chars();
    let first = signs.next().map(|sign| sign.to_ascii_uppercase());
    first.into_iter().chain(signs).collect()
}
