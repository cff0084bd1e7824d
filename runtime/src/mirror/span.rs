//! A span of `tracing` that shows one of ours. It closes when its last owner drops it.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use opentelemetry::trace::SpanId;
use opentelemetry::{KeyValue, Value};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Dispatch, dispatcher, field::ValueSet};

use crate::mirror::callsite::Callsite;
use crate::mirror::{subscriber, values};

/// Values that a mirror takes after its start: formatters append each of them.
const MOST_RECORDED: u32 = 128;

pub(crate) struct MirrorSpan {
    /// Of the span that it shows.
    pub(crate) shown: SpanId,
    callsite: &'static Callsite,
    /// The subscriber that knows it.
    dispatch: Dispatch,
    id: Id,
    room: AtomicU32,
}

/// A subscriber that panics has lost what it lost.
impl UnwindSafe for MirrorSpan {}
impl RefUnwindSafe for MirrorSpan {}

impl MirrorSpan {
    /// `None` if the thread's subscriber does not want it.
    pub(crate) fn start(
        callsite: &'static Callsite,
        shown: SpanId,
        name: Option<&str>,
        attributes: &[KeyValue],
    ) -> Option<Self> {
        let started = subscriber::call(|| {
            dispatcher::get_default(|dispatch| {
                if dispatch.is::<NoSubscriber>() || !callsite.is_enabled(dispatch) {
                    return None;
                }
                let id = values::of_start(callsite, name, attributes, &mut |values| {
                    dispatch.new_span(&Attributes::new(callsite.metadata(), values))
                });
                Some((dispatch.clone(), id))
            })
        });
        let Some(started) = started else {
            // It may have kept what it began, at each span anew.
            callsite.disable();
            return None;
        };
        let (dispatch, id) = started?;
        Some(MirrorSpan {
            shown,
            callsite,
            dispatch,
            id,
            room: AtomicU32::new(MOST_RECORDED),
        })
    }

    pub(crate) fn set_attribute(&self, key: &str, value: &Value) {
        if self.has_room() {
            values::of_attribute(self.callsite, key, value, &mut |values| self.record(values));
        }
    }

    pub(crate) fn set_name(&self, name: &str) {
        if self.has_room() {
            values::of_name(self.callsite, name, &mut |values| self.record(values));
        }
    }

    fn record(&self, values: &ValueSet<'_>) {
        subscriber::call(|| self.dispatch.record(&self.id, &Record::new(values)));
    }

    /// Relaxed is enough: it only counts.
    fn has_room(&self) -> bool {
        let less = |room: u32| room.checked_sub(1);
        let changed = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        changed.is_ok()
    }
}

impl Drop for MirrorSpan {
    fn drop(&mut self) {
        subscriber::call(|| self.dispatch.try_close(self.id.clone()));
    }
}

impl fmt::Debug for MirrorSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("MirrorSpan").field(&self.id).finish()
    }
}

/// While this lives, the mirror is entered on this thread. The default enters nothing.
#[derive(Default)]
pub(crate) struct EnteredMirror(Option<Arc<MirrorSpan>>);

impl EnteredMirror {
    pub(crate) fn new(mirror: Arc<MirrorSpan>) -> Self {
        // If it panics, a part of it may have been entered: it is exited all the same.
        subscriber::call(|| mirror.dispatch.enter(&mirror.id));
        EnteredMirror(Some(mirror))
    }
}

impl Drop for EnteredMirror {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(mirror) = self.0.take() {
            exit(&mirror);
        }
    }
}

#[cold]
#[inline(never)]
fn exit(mirror: &MirrorSpan) {
    subscriber::call(|| mirror.dispatch.exit(&mirror.id));
}
