//! One tree with [`tracing`](https://docs.rs/tracing): its spans and events in the traces of
//! [`enter-span`](https://docs.rs/enter-span), and the ids of the current span in each log line.
//!
//! [`layer()`] is a layer of `tracing-subscriber` that records the spans of `tracing` as `enter-span` records its
//! own: with the pipeline or any other OpenTelemetry provider that is installed.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) has pages on
//! [`tracing`](https://github.com/enter-span/enter-span/blob/main/docs/tracing.md) and [logs](https://github.com/enter-span/enter-span/blob/main/docs/logs.md).
//!
//! ```
//! use enter_span::enter_span;
//! use enter_span::testing::Recorder;
//! use tracing::{info, info_span, instrument};
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! #[enter_span]
//! fn handle() {
//!     query(7);
//! }
//!
//! #[instrument(fields(otel.kind = "client"))]
//! fn query(id: u64) {
//!     info!("one row");
//!     load();
//! }
//!
//! #[enter_span]
//! fn load() {}
//!
//! let subscriber = tracing_subscriber::registry().with(enter_span_tracing::layer());
//! // In an application: `subscriber.init()`, with `tracing_subscriber::util::SubscriberInitExt`.
//! tracing::subscriber::with_default(subscriber, || {
//!     let trace = Recorder::new().run(handle);
//!     trace.assert_tree(
//!         "
//!         handle
//!           query [client] id=7
//!             load
//!         ",
//!     );
//!     trace.find("query").assert_event("one row", ());
//! });
//! ```
//!
//! # The tree
//!
//! | | |
//! |---|---|
//! | parent | an explicit `parent:`; else the span that is current on the thread, whether of `enter-span`, OpenTelemetry or `tracing` |
//! | entered | the span's OpenTelemetry context is current until it is exited, on every thread that enters it |
//! | `follows_from` | a link |
//! | instrumentation scope | the crate of the target, as Cargo most often names it: `tower-http` of `tower_http::trace`. `ENTER_SPAN_SCOPES=tower-http=off` mutes it |
//! | a span that a filter leaves out, a muted one | transparent: its children attach to the span around it |
//! | the end | when the span closes, which is when its last handle drops |
//!
//! Entering replaces the whole context, and so the baggage, by that of the span's start. Its role is `internal`
//! unless `otel.kind` says another one.
//!
//! # Fields
//!
//! Fields keep their types, also those that are recorded later. Integers that do not fit into an `i64` become
//! decimal text. What is written with `?` or `%` is text. A `Debug` that panics loses its own field. A value that is
//! recorded again replaces the first; with another provider than the pipeline, not the one of the span's start.
//!
//! | field | meaning |
//! |---|---|
//! | `error`, as text or an error | of a span: an `exception` event, `error.type` and the status, at the process's [`ErrorDetail`](enter_span::ErrorDetail). Of an event: an `exception` event; at the level `ERROR`, its span has failed too |
//! | `otel.name` | the name of the span |
//! | `otel.kind` | its role: `server`, `client`, `producer`, `consumer` or `internal` |
//! | `otel.status_code` | its status: `ok` or `error` |
//! | `otel.status_description` | the description of its status, which is an error |
//!
//! Each span and event also has its place in source: `code.file.path`, `code.line.number` and, as the module,
//! `code.function.name`. Each event has its `level` and `target`. See [`SpanLayer`] for how to have more or less of
//! them. There are no attributes of the thread.
//!
//! # Events
//!
//! By default, an event becomes an event of the innermost span, of whatever kind, if that is recorded. Its message
//! is the name of the event, unless the source gives one with `name: ".."`. Choose the levels with
//! [`SpanLayer::with_span_events`], or send events as log records with `with_log_records` (feature `logs`).
//!
//! # Log lines
//!
//! `with_ids` (feature `fmt`) puts the ids of the current span into the lines of `tracing_subscriber::fmt`, plain
//! and JSON; [`ids()`] is for any other logger.
//!
//! # What it costs, and when it does nothing
//!
//! With nothing installed, each call of the layer is one relaxed load. A span that is not sampled is not formatted
//! and allocates nothing. In both cases other layers still see it.
//!
//! A layer that is not interested in a callsite switches it off for all layers, so this one takes all that the
//! filters let pass. A filter of its own, by [`with_filter`](tracing_subscriber::Layer::with_filter), leaves out
//! what you do not want, and costs about 100 ns a span. With the following one, `tracing` skips what no other layer
//! wants while nothing is installed. `tracing` keeps the answers of filters: installing a pipeline, and dropping it,
//! has them asked again. Where you install another provider, call `tracing::callsite::rebuild_interest_cache`.
//!
//! ```
//! use tracing_subscriber::Layer as _;
//! use tracing_subscriber::filter::filter_fn;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let while_enabled = filter_fn(|_| enter_span::is_enabled());
//! let layer = enter_span_tracing::layer().with_filter(while_enabled);
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     assert!(!tracing::enabled!(tracing::Level::ERROR));
//! });
//! ```
//!
//! Code that runs inside of `opentelemetry::Context::map_current`, such as a sampler of the OpenTelemetry SDK, cannot
//! make a span current: OpenTelemetry panics there. The layer catches that, and the span is recorded. With
//! `panic = "abort"`, use no `tracing` spans in such code.
//!
//! OpenTelemetry's own events and spans, whose targets begin with `opentelemetry`, are not recorded.
//! tracing-opentelemetry's layer records the same spans: use one of the two. A process in which both are seen says
//! so once, on stderr.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod callsite;
mod entered;
mod event;
mod fields;
mod ids;
mod layer;
#[cfg(feature = "logs")]
mod log_record;
mod metadata_fields;
mod other_layers;
mod span_table;
mod special_fields;
#[cfg(feature = "fmt")]
mod with_ids;

pub use ids::{Ids, ids};
pub use layer::SpanLayer;
#[cfg(feature = "fmt")]
#[cfg_attr(docsrs, doc(cfg(feature = "fmt")))]
pub use with_ids::{WithIds, with_ids};

/// A layer of `tracing-subscriber` that records spans and events of `tracing` where `enter-span` records its own.
///
/// Install the pipeline or another provider before or after it. With nothing installed, it does nothing. It needs
/// no registry below it; but without one, most subscribers make no spans.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let subscriber = tracing_subscriber::registry().with(enter_span_tracing::layer());
/// ```
pub fn layer() -> SpanLayer {
    SpanLayer::new()
}
