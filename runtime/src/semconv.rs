//! The keys of the OpenTelemetry semantic conventions, with the types of their values.
//!
//! Generated from the registry of the conventions 1.44. The stable ones are always here; all others,
//! the deprecated ones among them, need the feature `semconv-experimental`, may change with each
//! minor version of this crate, and keep their path when they become stable.
//!
//! ```
//! use enter_span::semconv::{HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE};
//! use enter_span::semconv::{HttpRequestMethod, http_request_header};
//! use enter_span::{enter_span, Span};
//!
//! #[enter_span(kind = server, attributes(
//!     HTTP_REQUEST_METHOD = HttpRequestMethod::from(method),
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
//! | `string`, `int`, `double`, `boolean` | [`Key<str>`](crate::Key), `Key<i64>`, `Key<f64>`, `Key<bool>` | text, integers, floats, bools |
//! | `string[]`, `int[]` | `Key<[String]>`, `Key<[i64]>` | slices, arrays, `Vec`s |
//! | `enum` | `Key<HttpRequestMethod>`, .. | that enum and not text, so that a slip of the pen is found |
//! | `template[..]` | a function of the part after the last dot | as the type in the brackets |
//! | `any` | a constant text | anything |
//!
//! An enum lists what the conventions know. They let other values through, and so does each enum, as
//! `Custom`; text becomes one with `From`: the member of that text, or else `Custom`.

#[rustfmt::skip]
mod stable;

#[cfg(feature = "semconv-experimental")]
#[rustfmt::skip]
mod experimental;

#[cfg(feature = "semconv-experimental")]
#[cfg_attr(docsrs, doc(cfg(feature = "semconv-experimental")))]
pub use experimental::*;
pub use stable::*;

/// An enum of text, which lets other text through.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($member:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $value] $member,)*
            /// A value that the conventions do not know.
            Custom(::std::borrow::Cow<'static, str>),
        }

        impl $name {
            /// The value as text.
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$member => $value,)*
                    $name::Custom(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(text: &str) -> Self {
                match text {
                    $($value => $name::$member,)*
                    _ => $name::Custom(::std::borrow::Cow::Owned(text.to_owned())),
                }
            }
        }

        // None of these is what somebody forgot.
        #[diagnostic::do_not_recommend]
        impl $crate::value::ToAttribute for $name {
            #[inline]
            fn to_attribute(&self) -> Option<$crate::value::Value> {
                Some(match self {
                    $($name::$member => $crate::value::Value::from_static($value),)*
                    $name::Custom(text) => $crate::value::Value::from_text(text.clone()),
                })
            }
        }
    };
}
use text_enum;

/// An enum of integers, which lets other integers through.
#[cfg(feature = "semconv-experimental")]
macro_rules! int_enum {
    ($(#[$doc:meta])* $name:ident { $($member:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = stringify!($value)] $member,)*
            /// A value that the conventions do not know.
            Custom(i64),
        }

        impl $name {
            /// The value as a number.
            #[inline]
            pub fn as_i64(&self) -> i64 {
                match self {
                    $($name::$member => $value,)*
                    $name::Custom(value) => *value,
                }
            }
        }

        impl From<i64> for $name {
            #[inline]
            fn from(value: i64) -> Self {
                match value {
                    $($value => $name::$member,)*
                    _ => $name::Custom(value),
                }
            }
        }

        // None of these is what somebody forgot.
        #[diagnostic::do_not_recommend]
        impl $crate::value::ToAttribute for $name {
            #[inline]
            fn to_attribute(&self) -> Option<$crate::value::Value> {
                Some($crate::value::Value::from(self.as_i64()))
            }
        }
    };
}
#[cfg(feature = "semconv-experimental")]
use int_enum;
