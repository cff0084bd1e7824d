//! Which traces are recorded: the common cases by an enum, without a call, and any sampler of the SDK.

use std::borrow::Cow;
use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::trace::ShouldSample;

/// Decides which spans are recorded. Ruled by the OpenTelemetry trace SDK specification.
///
/// The default is what the specification asks for: every root is sampled, and children follow their parent.
///
/// ```
/// use enter_span_pipeline::{Console, Pipeline, Sampler};
///
/// // One root in ten, and all below it.
/// let sampler = Sampler::ParentBasedRatio(0.1);
/// let builder = Pipeline::builder().with_exporter(Console::new());
/// let pipeline = builder.with_sampler(sampler).build()?;
///
/// // One run of a workflow in a hundred, with all its invocations.
/// let sampler = Sampler::Runs { key: "order.id".into(), ratio: 0.01 };
/// # let _ = sampler;
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Default)]
#[non_exhaustive]
pub enum Sampler {
    /// Samples every root. Children follow their parent, in this process or another.
    #[default]
    ParentBasedAlwaysOn,
    /// Samples no root. Children follow their parent.
    ParentBasedAlwaysOff,
    /// Samples this fraction (0 to 1) of root spans by trace id. Children follow their parent.
    ParentBasedRatio(f64),
    /// Every span.
    AlwaysOn,
    /// No span.
    AlwaysOff,
    /// Samples this fraction (0 to 1) of traces by trace id, and ignores the parent's decision.
    Ratio(f64),
    /// Samples this fraction (0 to 1) of runs by their id. The value of the attribute `key` decides for a root, or
    /// for a span below another process, that starts with it; the parent's decision is ignored. So all invocations
    /// of a run are recorded or none is, in every process that has the same key and ratio.
    ///
    /// All other spans are sampled as by `ParentBasedAlwaysOn`: invocations without an id, and the start of a run
    /// inside of a request, which is kept or dropped with that request's trace. The key is that of
    /// `Invocation::with_id`.
    Runs {
        /// The key of the attribute that holds the id.
        key: Cow<'static, str>,
        /// How much of the runs is recorded.
        ratio: f64,
    },
    /// Any sampler of the SDK's kind. It is asked for each span, and sees its name, links and start attributes,
    /// which are evaluated for it; those above but for `Runs` decide before anything is evaluated.
    Custom(Box<dyn ShouldSample>),
}

impl Sampler {
    /// Whether it is known that nothing is recorded below a span that is not sampled.
    pub(crate) fn follows_parent(&self) -> bool {
        match self {
            Sampler::ParentBasedAlwaysOn
            | Sampler::ParentBasedAlwaysOff
            | Sampler::ParentBasedRatio(_)
            | Sampler::Runs { .. }
            | Sampler::AlwaysOff => true,
            Sampler::AlwaysOn | Sampler::Ratio(_) | Sampler::Custom(_) => false,
        }
    }

    /// Whether it does what the parent says, where there is one.
    pub(crate) fn is_parent_based(&self) -> bool {
        match self {
            Sampler::ParentBasedAlwaysOn
            | Sampler::ParentBasedAlwaysOff
            | Sampler::ParentBasedRatio(_)
            | Sampler::Runs { .. } => true,
            Sampler::AlwaysOn | Sampler::AlwaysOff | Sampler::Ratio(_) | Sampler::Custom(_) => {
                false
            }
        }
    }

    /// Whether a run is decided on below `parent`: at a root, and below another process.
    pub(crate) fn decides_on_runs_below(parent: &SpanContext) -> bool {
        !parent.is_valid() || parent.is_remote()
    }

    /// What is decided for a run, if this is where it is decided.
    pub(crate) fn samples_run(
        &self,
        parent: &SpanContext,
        attributes: &[KeyValue],
    ) -> Option<bool> {
        let Sampler::Runs { key, ratio } = self else {
            return None;
        };
        if !Sampler::decides_on_runs_below(parent) {
            return None;
        }
        let id = attributes.iter().find(|one| one.key.as_str() == key)?;
        Some(is_part(*ratio, hash(id.value.as_str().as_bytes())))
    }

    /// Without a call; one that has to be asked samples nothing here.
    #[inline]
    pub(crate) fn samples(&self, parent: &SpanContext, trace_id: TraceId) -> bool {
        match self {
            Sampler::ParentBasedAlwaysOn | Sampler::Runs { .. } => below(parent).unwrap_or(true),
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
pub(crate) fn is_in(ratio: f64, trace_id: TraceId) -> bool {
    let bytes = trace_id.to_bytes();
    let mut lower = [0; 8];
    lower.copy_from_slice(&bytes[8..]);
    is_part(ratio, u64::from_be_bytes(lower))
}

/// Whether a number, of which all are equally likely, is in this part of all.
fn is_part(ratio: f64, number: u64) -> bool {
    if ratio >= 1.0 {
        return true;
    }
    let bound = ratio.max(0.0) * (1_u64 << 63) as f64;
    ((number >> 1) as f64) < bound
}

/// FNV-1a, whose upper bits short texts hardly reach, and a last mix that spreads them: other processes, of
/// whichever version, have to come to the same.
fn hash(text: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = text.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
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
            Sampler::Runs { key, ratio } => write!(formatter, "Runs({key}, {ratio})"),
            Sampler::Custom(sampler) => write!(formatter, "Custom({sampler:?})"),
        }
    }
}
