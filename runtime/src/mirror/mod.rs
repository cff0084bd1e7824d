//! Spans of ours as spans of [`tracing`](https://docs.rs/tracing), so that its log formatters show them (feature
//! `tracing`).
//!
//! With the feature, each recorded span with a scope is also a span of `tracing`, its mirror. It is made when the
//! scope is entered for the first time. It is entered and exited with the scope, at each poll too, and closed at its
//! end. So the lines of `tracing_subscriber::fmt` show names and fields, `EnvFilter` filters by them, and
//! `tracing::Span::current()` finds the mirror.
//!
//! The mirror only shows. Parents, ids and what is exported do not depend on it, and a subscriber that filters it
//! out or panics changes nothing. The layer of `enter-span-tracing` knows mirrors and does not record them again.
//! Where a library enters a mirror on another thread, that layer attaches the context of its span there.
//!
//! | | |
//! |---|---|
//! | name | the one at the call site. A name that is computed is in the field `otel.name` |
//! | target | the module of the call site: see [`set_target`] |
//! | level | `INFO`: see [`set_level`] |
//! | fields | the keys that are written in `attributes(..)`, `start(..)` and `ret(..)`, up to 29, with their types; lists as text |
//! | `attributes` | all others as text, `key=value`: keys that are constants, those of `..facts`, and those that a handle sets |
//! | parent | the span of `tracing` that is current where the scope is entered first |
//!
//! A mirror takes up to 128 values after its start; further ones are left out. A span has no mirror if it is not
//! recorded, if it is a `leaf`, which is never current, or if its context is only carried, as by
//! [`in_span`](crate::FutureInSpan::in_span), and was never entered as a scope.
//!
//! The feature is for applications: it changes what every subscriber of the process sees. Layers that record spans
//! elsewhere, such as those of tracing-opentelemetry and tracing-chrome, record mirrors too. Leave them out there,
//! or of the whole subscriber: see [`is_mirror`].
//!
//! With no subscriber, a span costs a few loads more than without the feature.

pub(crate) mod callsite;
pub(crate) mod kept_attributes;
pub(crate) mod place;
mod settings;
pub(crate) mod span;
mod subscriber;
mod values;

pub use settings::{set_level, set_target};

use tracing_core::{LevelFilter, Metadata};

use crate::mirror::callsite::MARKER;

pub(crate) use subscriber::is_called;

/// Whether a span of `tracing` is the mirror of one of ours.
///
/// Mirrors have a field `enter_span.mirror`, which is never recorded.
///
/// tracing-opentelemetry would record each of our spans a second time. In a subscriber with its layer, switch the
/// mirrors off:
///
/// ```
/// use enter_span::mirror::is_mirror;
/// use tracing_subscriber::filter::filter_fn;
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let without_mirrors = filter_fn(|metadata| !is_mirror(metadata));
/// let subscriber = tracing_subscriber::registry().with(without_mirrors);
/// ```
pub fn is_mirror(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.fields().field(MARKER).is_some()
}

/// Whether there is no subscriber in the process, or none that wants anything.
#[inline(always)]
pub(crate) fn is_silent() -> bool {
    LevelFilter::current() == LevelFilter::OFF
}
