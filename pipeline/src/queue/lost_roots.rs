//! Local roots that found no room: the worker learns that they are over.

use std::sync::PoisonError;

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
    /// Says whether it is the first one since the worker took them. Never waits: one that finds the list locked is not
    /// known.
    pub(super) fn note(&self, span: &EndedSpan) -> bool {
        if span.root != { span.parentage.span_id } {
            return false;
        }
        let Some(mut roots) = try_lock(&self.0).filter(|roots| roots.len() < MOST) else {
            return false;
        };
        roots.push(LostRoot {
            trace_id: span.parentage.trace_id,
            span_id: span.root,
            has_error: span.status == StatusCode::Error,
        });
        roots.len() == 1
    }

    pub(crate) fn take(&self) -> Vec<LostRoot> {
        let mut roots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *roots)
    }
}
