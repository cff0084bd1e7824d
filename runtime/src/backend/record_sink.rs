//! Where records go, and the clock that they are counted by.

use opentelemetry::trace::SpanId;
use opentelemetry::{Context, KeyValue};

use crate::backend::ended_span::EndedSpan;

/// A counter at one moment.
#[derive(Clone, Copy, Debug)]
pub struct CounterReading {
    pub counted: u64,
    pub nanos_per_count: f64,
}

/// Takes spans that have ended. It does not wait and runs no code of the user's: a lock of the span may
/// be held.
pub trait RecordSink: Send + Sync {
    fn now(&self) -> u64;

    /// The counter that `now` reads, and its rate, for times of spans that are open.
    fn read_counter(&self) -> CounterReading;

    /// The local root of a span with the config of this mark, which starts below a local one in `parent`. `None` if
    /// that one has another config.
    fn root_above(&self, mark: usize, parent: &Context) -> Option<SpanId>;

    /// Takes a span that ends now, unless its details say when, and holds so many bytes, out of its place, with
    /// its attributes. What finds no room is dropped.
    fn take(&self, span: &mut EndedSpan, attributes: &mut Vec<KeyValue>, bytes: usize);
}
