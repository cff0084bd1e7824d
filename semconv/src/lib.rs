//! The keys of the OpenTelemetry semantic conventions, with the types of their values.
//!
//! Generated from the registry of the conventions 1.44. The stable ones are always here; all others,
//! the deprecated ones among them, need the feature `experimental`, may change with each
//! minor version of this crate, and keep their path when they become stable.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) of `enter-span` uses them in its pages on
//! [arguments](https://github.com/enter-span/enter-span/blob/main/docs/arguments.md).
//!
//! ```
//! use enter_span_semconv::{HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE};
//! use enter_span_semconv::{OneOf, http_request_header};
//! use enter_span::{enter_span, Span};
//!
//! #[enter_span(kind = server, attributes(
//!     HTTP_REQUEST_METHOD = OneOf::from(method),
//!     HTTP_ROUTE = "/orders/{id}",
//! ))]
//! fn handle(method: &str, request_id: &str) -> u16 {
//!     let span = Span::current();
//!     span.set_attribute(http_request_header("x-request-id"), [request_id]);
//!     span.set_attribute(HTTP_RESPONSE_STATUS_CODE, 200);
//!     200
//! }
//!
//! assert_eq!(handle("GET", "r-1"), 200);
//! ```
//!
//! | registry | key | takes |
//! |---|---|---|
//! | `string`, `int`, `double`, `boolean` | [`Key<str>`](enter_span::Key), `Key<i64>`, `Key<f64>`, `Key<bool>` | text, integers, floats, bools |
//! | `string[]`, `int[]` | `Key<[String]>`, `Key<[i64]>` | slices, arrays, `Vec`s |
//! | `enum` | `Key<HttpRequestMethod>`, .. | [`OneOf<HttpRequestMethod>`](OneOf) and not text, so that a slip of the pen is found |
//! | `enum` of integers | `Key<i64>` | integers; the known ones are constants |
//! | `template[..]` | a function of the part after the last dot | as the type in the brackets |
//! | `any` | a constant text | anything |
//!
//! What the conventions know of an enum are constants, as `HttpRequestMethod::GET`. They let other
//! values through, and so does [`OneOf`]: any text becomes one with `OneOf::from(text)`.
//!
//! Names, types and values are those of the registry, © the OpenTelemetry authors, under the Apache
//! License 2.0.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[rustfmt::skip]
mod stable;

#[cfg(feature = "experimental")]
#[rustfmt::skip]
mod experimental;

#[cfg(feature = "experimental")]
#[cfg_attr(docsrs, doc(cfg(feature = "experimental")))]
pub use experimental::*;
pub use stable::*;

pub use enter_span::attribute::OneOf;
