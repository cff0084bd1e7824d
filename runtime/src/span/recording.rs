//! A span of ours while it is recorded, shared by its scope and the context that it is current in.
//!
//! What is recorded is in `recording_state.rs`, its place in a context in `context_span.rs`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use crate::backend::ForeignSpan;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_list::BegunSpan;
use crate::outcome::policy::ErrorPolicy;
use crate::span::recorded_mirror::RecordedMirror;
use crate::span::recording_state::{Ending, RecordingState};

/// A span that is being recorded, shared by its scope and the context that it is current in.
pub(crate) struct Recording {
    identity: SpanContext,
    state: Mutex<RecordingState>,
    pub(crate) mirror: RecordedMirror,
}

impl Recording {
    /// One whose span has ended.
    #[cold]
    pub(crate) fn empty() -> Self {
        Recording {
            identity: SpanContext::NONE,
            state: Mutex::new(RecordingState::empty()),
            mirror: RecordedMirror::new(),
        }
    }

    #[cold]
    pub(crate) fn of(state: RecordingState) -> Self {
        Recording {
            identity: state.identity(),
            state: Mutex::new(state),
            mirror: RecordedMirror::new(),
        }
    }

    /// A span has started in the record, and no other scope or context has this yet.
    #[inline(always)]
    pub(crate) fn start_record(&mut self, policy: ErrorPolicy) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.start_record(policy);
        state.record_mut().write_identity(&mut self.identity);
        self.mirror.reset();
    }

    /// The same for a provider's span.
    pub(crate) fn start_foreign(&mut self, span: Box<dyn ForeignSpan>, policy: ErrorPolicy) {
        self.state_mut().start_foreign(span, policy);
        self.mirror.reset();
        self.identity = self.state_mut().identity();
    }

    /// Lists a span that has started among the open ones.
    #[cfg(feature = "open-spans")]
    #[inline]
    pub(crate) fn list(&mut self, begun: impl FnOnce(&SpanContext) -> BegunSpan<'_>) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.list(begun(&self.identity));
    }

    #[inline]
    pub(crate) fn state_mut(&mut self) -> &mut RecordingState {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn identity(&self) -> &SpanContext {
        &self.identity
    }

    #[inline]
    pub(crate) fn ids(&self) -> (TraceId, SpanId) {
        (self.identity.trace_id(), self.identity.span_id())
    }

    /// Only the backend's own code runs under this lock; what it leaves if it panics is its own.
    #[inline]
    pub(crate) fn state(&self) -> MutexGuard<'_, RecordingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the span, once only: a second end does nothing.
    #[inline]
    pub(crate) fn end(&self, ending: Ending) {
        self.end_at(None, ending);
    }

    /// Now, if no time is given.
    #[inline]
    pub(super) fn end_at(&self, time: Option<SystemTime>, ending: Ending) {
        let pending_end = self.state().end(time, ending);
        if let Some(pending_end) = pending_end {
            pending_end.end();
        }
    }
}
