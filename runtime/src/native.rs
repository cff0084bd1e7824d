//! Not public API: what `enter-span-pipeline` names. It changes without notice.

use std::borrow::Cow;
use std::sync::Arc;

pub use crate::backend::{Backend, Said, Start, Started};
pub use crate::ended::{Details, Ended, Happened, Moment, Origin, Place, StatusCode};
pub use crate::escape::take_escapes;
pub use crate::findings::{Findings, Inform};
pub use crate::global::answer;
pub use crate::history::{Call, remember};
use crate::installed::Override;
pub use crate::installed::{Installation, install_native};
pub use crate::limit::SpanLimits;
use crate::propagation::{self, Propagator};
pub use crate::record::{Beginning, Record, Sink, Terms};
pub use crate::site::{Kind, Library, Site};
use crate::tracer::Tracer;

/// A tracer whose spans, and all below them, are recorded by this backend.
pub fn tracer(backend: Arc<dyn Backend>, library: Cow<'static, str>) -> Tracer {
    Tracer::with_override(library, Override::new(backend))
}

/// What `inject` and `extract` use if the application sets nothing.
pub fn set_default_propagator(propagator: Propagator) {
    propagation::set_default_propagator(propagator);
}
