//! Local roots that found no room: what ended below them waits for none.

use enter_span::native::{EndedSpan, StatusCode};
use opentelemetry::trace::{SpanId, TraceId};

use crate::host::sync::{Mutex, try_lock};

/// Empty without a policy, which alone asks for roots.
#[derive(Default)]
pub(crate) struct LostRoots(Mutex<Vec<LostRoot>>);

#[derive(Clone, Copy)]
pub(crate) struct LostRoot {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) has_error: bool,
}

/// Roots that are known until the worker takes them. Below further ones the age of a trace decides.
const MOST: usize = 1024;

impl LostRoots {
    /// Never waits. One that finds the list taken is not known.
    pub(crate) fn note(&self, span: &EndedSpan) {
        if span.root != { span.parentage.span_id } {
            return;
        }
        if let Some(mut roots) = try_lock(&self.0).filter(|roots| roots.len() < MOST) {
            roots.push(LostRoot {
                trace_id: span.parentage.trace_id,
                span_id: span.root,
                has_error: span.status == StatusCode::Error,
            });
        }
    }

    pub(crate) fn take(&self) -> Vec<LostRoot> {
        try_lock(&self.0).map_or_else(Vec::new, |mut roots| std::mem::take(&mut *roots))
    }
}
