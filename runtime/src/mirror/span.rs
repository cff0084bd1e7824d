//! A span of `tracing` that shows one of ours. Who has it closes it.

use std::panic::{RefUnwindSafe, UnwindSafe};

use opentelemetry::Value;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Dispatch, dispatcher, field::ValueSet};

use crate::mirror::callsite::Callsite;
use crate::mirror::kept_attributes::KeptAttributes;
use crate::mirror::{subscriber, values};

pub(crate) struct MirrorSpan {
    callsite: &'static Callsite,
    /// The subscriber that knows it.
    dispatch: Dispatch,
    id: Id,
}

/// A subscriber that panics has lost what it lost.
impl UnwindSafe for MirrorSpan {}
impl RefUnwindSafe for MirrorSpan {}

impl MirrorSpan {
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
        Some(MirrorSpan {
            callsite,
            dispatch,
            id,
        })
    }

    /// If it panics, a part of it may have been entered: it is exited all the same.
    pub(crate) fn enter(&self) {
        subscriber::call(|| self.dispatch.enter(&self.id));
    }

    pub(crate) fn exit(&self) {
        subscriber::call(|| self.dispatch.exit(&self.id));
    }

    pub(crate) fn close(&self) {
        subscriber::call(|| self.dispatch.try_close(self.id.clone()));
    }

    pub(crate) fn set_attribute(&self, key: &str, value: &Value) {
        values::of_attribute(self.callsite, key, value, &mut |values| self.record(values));
    }

    pub(crate) fn set_name(&self, name: &str) {
        values::of_name(self.callsite, name, &mut |values| self.record(values));
    }

    fn record(&self, values: &ValueSet<'_>) {
        subscriber::call(|| self.dispatch.record(&self.id, &Record::new(values)));
    }

    /// The same span, for who uses it while another one has it.
    pub(crate) fn borrowed(&self) -> Self {
        MirrorSpan {
            callsite: self.callsite,
            dispatch: self.dispatch.clone(),
            id: self.id.clone(),
        }
    }
}
