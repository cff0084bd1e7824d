//! Not public API: what `enter-span-pipeline` and `enter-span-tracing` name. It changes without notice.

use std::borrow::Cow;
use std::sync::Arc;

pub use crate::attribute::limit::SpanLimits;
use crate::backend::context_backend::ContextBackend;
pub use crate::backend::ended_span::{
    Details, EndedSpan, Parentage, RecordedEvent, SpanSource, SpanStart, StatusCode, Timestamp,
};
pub use crate::backend::foreign::SharedProvider;
pub use crate::backend::process_backend::{Installation, install_native, is_on};
pub use crate::backend::record::Record;
pub use crate::backend::record_config::{Extras, RecordConfig};
pub use crate::backend::record_sink::{CounterReading, RecordSink};
pub use crate::backend::site::{Kind, Library, Module, Site};
use crate::backend::tracer::Tracer;
pub use crate::backend::{Backend, Start, StartOptions, StartResult};
pub use crate::context::unwind::shielded;
pub use crate::diagnose::global_provider::answer;
pub use crate::diagnose::install_log::{InstallCall, remember};
pub use crate::diagnose::later_work::take_escapes;
pub use crate::diagnose::report::{DiagnosticSource, Report};
pub use crate::invocation::text::decode;
use crate::propagation::{self, Propagator};
pub use crate::span::bridged_span::{
    BridgedFailure, BridgedFields, BridgedParent, BridgedRecording, BridgedSpan, attach,
    current_context, detach, failure_of, otel_value,
};
pub use crate::span::recorded_root::{answer_root, root_above};

/// A tracer whose spans, and all below them, are recorded by this backend. `provider` records the same for
/// other versions of this crate.
pub fn tracer(
    backend: Arc<dyn Backend>,
    provider: SharedProvider,
    library: Cow<'static, str>,
) -> Tracer {
    Tracer::with_override(library, ContextBackend::new(backend, provider))
}

/// What `inject` and `extract` use if the application sets nothing.
pub fn set_default_propagator(propagator: Propagator) {
    propagation::set_default_propagator(propagator);
}
