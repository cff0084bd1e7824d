//! The place that a span is recorded in from its start on: its scope alone, or one that others know as well.

#[cfg(feature = "open-spans")]
use opentelemetry::trace::SpanContext;

use crate::backend::ForeignSpan;
use crate::backend::record::Record;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_list::BegunSpan;
use crate::outcome::policy::ErrorPolicy;
use crate::span::recording::Recording;
use crate::span::recording_state::RecordingState;

/// Who knows of the recording of a scope.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum State {
    Unrecorded,
    /// Only this scope knows of it: a leaf that has given no handle.
    Private,
    Shared,
}

/// Where a span starts.
pub(crate) enum RecordingPlace<'a> {
    Private(&'a mut RecordingState),
    Shared(&'a mut Recording),
}

impl RecordingPlace<'_> {
    #[inline(always)]
    pub(crate) fn record(&mut self) -> &mut Record {
        match self {
            RecordingPlace::Private(state) => state.record_mut(),
            RecordingPlace::Shared(recording) => recording.state_mut().record_mut(),
        }
    }

    /// A span has started in the record.
    #[inline(always)]
    pub(crate) fn start_record(self, policy: ErrorPolicy) -> State {
        match self {
            RecordingPlace::Private(state) => {
                state.start_record(policy);
                State::Private
            }
            RecordingPlace::Shared(recording) => {
                recording.start_record(policy);
                State::Shared
            }
        }
    }

    /// Lists a span that has started here among the open ones, before anybody else knows it.
    #[cfg(feature = "open-spans")]
    #[inline]
    pub(crate) fn list(self, begun: impl FnOnce(&SpanContext) -> BegunSpan<'_>) {
        match self {
            RecordingPlace::Private(state) => {
                let identity = state.identity();
                state.list(begun(&identity));
            }
            RecordingPlace::Shared(recording) => recording.list(begun),
        }
    }

    /// A provider's span has started.
    pub(crate) fn start_foreign(self, span: Box<dyn ForeignSpan>, policy: ErrorPolicy) -> State {
        match self {
            RecordingPlace::Private(state) => {
                state.start_foreign(span, policy);
                State::Private
            }
            RecordingPlace::Shared(recording) => {
                recording.start_foreign(span, policy);
                State::Shared
            }
        }
    }
}
