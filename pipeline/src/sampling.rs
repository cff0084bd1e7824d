//! Which traces are recorded: the common cases by an enum, without a call, and any sampler of the SDK.

use std::fmt;

use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::trace::ShouldSample;

/// Decides which spans are recorded. Ruled by the OpenTelemetry trace SDK specification.
///
/// The default is what the specification asks for: every root, and below that what the parent says.
#[derive(Default)]
pub enum Sampler {
    /// Every root; below, what the parent says, in this process or from another.
    #[default]
    ParentBasedAlwaysOn,
    /// No root; below, what the parent says.
    ParentBasedAlwaysOff,
    /// This part of the roots, from 0 to 1, by their trace id; below, what the parent says.
    ParentBasedRatio(f64),
    /// Every span.
    AlwaysOn,
    /// No span.
    AlwaysOff,
    /// This part of the traces, from 0 to 1, by their id, whatever a parent says.
    Ratio(f64),
    /// Any sampler of the SDK's kind. It is asked for each span.
    Custom(Box<dyn ShouldSample>),
}

impl Sampler {
    /// Whether it is known that nothing is recorded below a span that is not sampled.
    pub(crate) fn follows_parent(&self) -> bool {
        match self {
            Sampler::ParentBasedAlwaysOn
            | Sampler::ParentBasedAlwaysOff
            | Sampler::ParentBasedRatio(_)
            | Sampler::AlwaysOff => true,
            Sampler::AlwaysOn | Sampler::Ratio(_) | Sampler::Custom(_) => false,
        }
    }

    /// Without a call; one that has to be asked samples nothing here.
    #[inline]
    pub(crate) fn samples(&self, parent: &SpanContext, trace_id: TraceId) -> bool {
        match self {
            Sampler::ParentBasedAlwaysOn => below(parent).unwrap_or(true),
            Sampler::ParentBasedAlwaysOff => below(parent).unwrap_or(false),
            Sampler::ParentBasedRatio(ratio) => {
                below(parent).unwrap_or_else(|| is_in(*ratio, trace_id))
            }
            Sampler::AlwaysOn => true,
            Sampler::Ratio(ratio) => is_in(*ratio, trace_id),
            Sampler::AlwaysOff | Sampler::Custom(_) => false,
        }
    }
}

#[inline]
fn below(parent: &SpanContext) -> Option<bool> {
    parent.is_valid().then(|| parent.is_sampled())
}

/// By the lower eight bytes of the trace id, as the SDK decides: processes that share a trace and a
/// ratio agree.
fn is_in(ratio: f64, trace_id: TraceId) -> bool {
    if ratio >= 1.0 {
        return true;
    }
    let bytes = trace_id.to_bytes();
    let mut lower = [0; 8];
    lower.copy_from_slice(&bytes[8..]);
    let number = u64::from_be_bytes(lower) >> 1;
    let bound = ratio.max(0.0) * (1_u64 << 63) as f64;
    (number as f64) < bound
}

impl fmt::Debug for Sampler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sampler::ParentBasedAlwaysOn => formatter.write_str("ParentBasedAlwaysOn"),
            Sampler::ParentBasedAlwaysOff => formatter.write_str("ParentBasedAlwaysOff"),
            Sampler::ParentBasedRatio(ratio) => write!(formatter, "ParentBasedRatio({ratio})"),
            Sampler::AlwaysOn => formatter.write_str("AlwaysOn"),
            Sampler::AlwaysOff => formatter.write_str("AlwaysOff"),
            Sampler::Ratio(ratio) => write!(formatter, "Ratio({ratio})"),
            Sampler::Custom(sampler) => write!(formatter, "Custom({sampler:?})"),
        }
    }
}
