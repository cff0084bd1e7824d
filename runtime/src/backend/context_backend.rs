//! A backend for everything below a context, also while the process is off.

use std::sync::Arc;

use enter_span_core::ContextOverride;
use opentelemetry::Context;

use crate::backend::Backend;
use crate::backend::active_backend::{self, ActiveBackend};
use crate::backend::foreign::SharedProvider;
#[cfg(feature = "testing")]
use crate::outcome::policy::ErrorPolicy;

/// A backend for everything below a context. The context carries it in a form that other versions of this
/// crate know too.
#[derive(Clone)]
pub(crate) struct ContextBackend(ContextOverride);

/// Records what the spans themselves do not show.
#[cfg(feature = "testing")]
pub(crate) trait Observer: Send + Sync {
    /// A span started while the body of a leaf ran, which it is therefore no child of.
    fn hidden(&self, leaf: &'static str, name: &str);
}

impl ContextBackend {
    /// With the process's choices. `provider` records the same.
    pub(crate) fn new(backend: Arc<dyn Backend>, provider: SharedProvider) -> Self {
        let own = ActiveBackend::of_process(backend);
        ContextBackend(ContextOverride::new(active_backend::shared(
            own,
            Some(provider),
        )))
    }

    /// With choices of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn observed(
        backend: Arc<dyn Backend>,
        provider: SharedProvider,
        policy: ErrorPolicy,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let own = ActiveBackend::with_policy(backend, policy);
        let shared = active_backend::shared(own, Some(provider));
        ContextBackend(ContextOverride::new(shared.with_part(observer)))
    }

    /// That of `context`.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        context.get().cloned().map(ContextBackend)
    }

    /// `None` if it is of a version that this one does not understand: nothing is recorded there.
    pub(crate) fn active_backend(&self) -> Option<Arc<ActiveBackend>> {
        active_backend::adopt(self.0.backend())
    }

    /// `context`, with this one in place of any other.
    pub(crate) fn over(&self, context: &Context) -> Context {
        let carried = context.get::<ContextOverride>();
        if carried.is_some_and(|carried| carried.is_same(&self.0)) {
            context.clone()
        } else {
            context.with_value(self.0.clone())
        }
    }

    /// Records what the spans themselves do not show.
    #[cfg(feature = "testing")]
    pub(crate) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.0.backend().part()
    }
}

/// Whether something else than the process's backend records below this context.
pub(crate) fn is_overridden(context: &Context) -> bool {
    context.get::<ContextOverride>().is_some()
}

/// The context that a new root starts from: no span, no baggage, but the override of `current`
/// and its silence, if it is silenced.
pub(crate) fn root_of(current: &Context) -> Context {
    inherit(Context::new(), current)
}

/// `context`, with the override and the silence of `current` where it has none of its own.
pub(crate) fn inherit(mut context: Context, current: &Context) -> Context {
    if !is_overridden(&context) {
        if let Some(below) = current.get::<ContextOverride>() {
            context = context.with_value(below.clone());
        }
    }
    if current.is_telemetry_suppressed() {
        context.with_telemetry_suppressed()
    } else {
        context
    }
}
