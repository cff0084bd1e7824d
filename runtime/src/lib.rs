//! Scoped, OpenTelemetry-native spans.
//!
//! [`#[enter_span]`](macro@enter_span) turns a function, sync or async, into a span.
//! [`in_span!`], [`enter_span()`] and [`enter_span_async`] do it for a block.
//! Parents are found by the async context and never passed by hand.
//! A span ends when its scope ends: by return, by `?`, by panic, by cancellation.
//! Attributes are opt-in and evaluated only while the span is traced.
//!
//! ```
//! use enter_span::enter_span;
//!
//! #[enter_span(attributes(order.items = items.len()))]
//! fn checkout(items: &[u64]) -> Result<u64, String> {
//!     items.iter().map(|&item| price(item)).sum()
//! }
//!
//! #[enter_span(attributes(item))]
//! fn price(item: u64) -> Result<u64, String> {
//!     match item {
//!         0 => Err("no such item".to_owned()),
//!         _ => Ok(item * 100),
//!     }
//! }
//!
//! assert_eq!(checkout(&[1, 2]), Ok(300));
//! ```
//!
//! # In applications
//!
//! Until the application says where spans go, everything is off. Say it once, early in `main`:
//! with [`set_tracer_provider`] and any OpenTelemetry provider, or with [`use_global`] where
//! OpenTelemetry is set up already. Shut the provider down before the process ends, so that its
//! last batch leaves.
//!
//! # In libraries
//!
//! Depend on `enter-span`, annotate, and install nothing: an application that installs no provider
//! pays one relaxed load for each call and nothing else. Spans are recorded under the
//! instrumentation scope of the annotated crate, by its name and version.
//!
//! # What it costs
//!
//! | | |
//! |---|---|
//! | off | one relaxed atomic load; no argument is evaluated, nothing is allocated |
//! | compiled out, with `--cfg enter_span_off` in `RUSTFLAGS` | nothing: the compiler sees that no span can start |
//! | on | what the provider costs, and a few allocations of ours |
//!
//! # Cancellation and panics
//!
//! A future that is dropped before it is ready ends its span with
//! `enter_span.outcome = "cancelled"` and no error; its destructors run inside the span.
//! A panic passes unchanged and marks its span with an error and `error.type = "panic"`.
//!
//! # Privacy
//!
//! Nothing leaves that was not named, with one exception: an error that a function returns shows
//! its own `Display` text. [`set_error_detail`] takes that away for the process, and `err = type`,
//! `err = status` or `err = ignore` for a function.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `testing` | `testing::Recorder`: assert the tree of spans, in tests that run in parallel |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod context;
mod enter;
#[expect(missing_docs, reason = "reached by generated code only")]
mod entered;
#[expect(missing_docs, reason = "reached by generated code only")]
mod future;
mod installed;
pub mod otel;
mod outcome;
#[expect(missing_docs, reason = "reached by generated code only")]
mod probe;
mod recording;
mod relation;
#[expect(missing_docs, reason = "reached by generated code only")]
mod site;
mod span;
#[expect(missing_docs, reason = "reached by generated code only")]
mod stream;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod thread;
mod value;

#[doc(hidden)]
pub mod private;

pub use context::{Context, SpanContext, SpanId, TraceId};
pub use enter::{enter_span, enter_span_async};
pub use enter_span_macros::{enter_span, in_span};
pub use installed::{is_enabled, set_error_detail};
pub use otel::{set_tracer_provider, use_global};
pub use outcome::{ErrorDetail, Failure, Outcome};
pub use relation::{ToLinks, ToParent};
pub use span::{Span, Status, is_traced, span_id, trace_id};
pub use value::{Element, ToAttribute, Value};
