//! `tracing` in the same tree: its spans, its events, and the ids in its lines.

mod beside;
mod events;
mod fields;
mod filters;
mod hyper;
mod libraries;
mod lines;
mod logs;
mod mirror;
mod moved;
mod nesting;
mod off;
mod robust;
mod scopes;
mod sql;

use std::future::Future;

use enter_span::testing::{Recorder, Trace};
use enter_span_tracing::SpanLayer;
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use crate::support::check::block_on;

/// The layer without what is the same for each span and event.
fn layer() -> SpanLayer {
    let layer = enter_span_tracing::layer();
    layer
        .with_level(false)
        .with_target(false)
        .with_location(false)
}

/// A registry with the layer.
fn dispatch() -> Dispatch {
    registry().with(layer()).into()
}

/// What is recorded while the layer is this thread's.
fn record<R>(work: impl FnOnce() -> R) -> Trace {
    record_by(dispatch(), work)
}

/// The same with a subscriber of its own.
fn record_by<R>(subscriber: impl Into<Dispatch>, work: impl FnOnce() -> R) -> Trace {
    let subscriber = subscriber.into();
    with_default(&subscriber, || Recorder::new().run(work))
}

/// The same for a future, on a runtime of one thread.
fn record_async(work: impl Future) -> Trace {
    let recorder = Recorder::new();
    with_default(&dispatch(), || block_on(recorder.run_async(work)))
}
