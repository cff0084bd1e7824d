//! A span of `tracing` that shows one of ours. It closes when its last owner drops it.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use opentelemetry::Value;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Dispatch, dispatcher, field::ValueSet};

use crate::mirror::callsite::Callsite;
use crate::mirror::kept_attributes::KeptAttributes;
use crate::mirror::{subscriber, values};

/// Values that a mirror takes after its start: formatters append each of them.
const MOST_RECORDED: u32 = 128;

pub(crate) struct MirrorSpan {
    /// `None` once it is closed.
    open: Option<OpenMirror>,
    room: AtomicU32,
}

pub(crate) struct OpenMirror {
    callsite: &'static Callsite,
    /// The subscriber that knows it.
    dispatch: Dispatch,
    id: Id,
}

/// A subscriber that panics has lost what it lost.
impl UnwindSafe for MirrorSpan {}
impl RefUnwindSafe for MirrorSpan {}

impl OpenMirror {
    /// `None` if the thread's subscriber does not want it.
    pub(crate) fn start(
        callsite: &'static Callsite,
        name: Option<&str>,
        attributes: &KeptAttributes,
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
        Some(OpenMirror {
            callsite,
            dispatch,
            id,
        })
    }
}

impl MirrorSpan {
    /// In the memory of one that is closed, if nobody else has that.
    pub(crate) fn new(spare: Option<Arc<Self>>, open: OpenMirror) -> Arc<Self> {
        let span = MirrorSpan {
            open: Some(open),
            room: AtomicU32::new(MOST_RECORDED),
        };
        if let Some(mut spare) = spare {
            if let Some(place) = Arc::get_mut(&mut spare) {
                *place = span;
                return spare;
            }
        }
        Arc::new(span)
    }

    pub(crate) fn close(&mut self) {
        if let Some(open) = self.open.take() {
            subscriber::call(|| open.dispatch.try_close(open.id));
        }
    }

    pub(crate) fn set_attribute(&self, key: &str, value: &Value) {
        if let Some(open) = self.with_room() {
            values::of_attribute(open.callsite, key, value, &mut |values| open.record(values));
        }
    }

    pub(crate) fn set_name(&self, name: &str) {
        if let Some(open) = self.with_room() {
            values::of_name(open.callsite, name, &mut |values| open.record(values));
        }
    }

    /// Relaxed is enough: it only counts.
    fn with_room(&self) -> Option<&OpenMirror> {
        let less = |room: u32| room.checked_sub(1);
        let changed = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.open.as_ref().filter(|_| changed.is_ok())
    }
}

impl OpenMirror {
    fn record(&self, values: &ValueSet<'_>) {
        subscriber::call(|| self.dispatch.record(&self.id, &Record::new(values)));
    }
}

impl Drop for MirrorSpan {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for MirrorSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.open.as_ref().map(|open| &open.id);
        formatter.debug_tuple("MirrorSpan").field(&id).finish()
    }
}

/// While this lives, the mirror is entered on this thread. The default enters nothing.
#[derive(Default)]
pub(crate) struct EnteredMirror(Option<Arc<MirrorSpan>>);

impl EnteredMirror {
    pub(crate) fn new(mirror: Arc<MirrorSpan>) -> Self {
        // If it panics, a part of it may have been entered: it is exited all the same.
        if let Some(open) = &mirror.open {
            subscriber::call(|| open.dispatch.enter(&open.id));
        }
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
    if let Some(open) = &mirror.open {
        subscriber::call(|| open.dispatch.exit(&open.id));
    }
}
