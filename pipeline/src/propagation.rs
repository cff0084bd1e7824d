//! What carries spans and baggage between processes: the code's choice, else the environment's.

use std::any::Any;
use std::borrow::Cow;

use enter_span::native;
use enter_span::propagation::{Propagator, set_propagator};
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};

use crate::environment::Environment;

/// What the code says.
#[derive(Default)]
pub(crate) enum Propagation {
    #[default]
    Open,
    Untouched,
    Ours(Propagator),
    Other(TextMapCompositePropagator),
}

impl Propagation {
    pub(crate) fn by(propagator: impl TextMapPropagator + Send + Sync + 'static) -> Self {
        let any: &dyn Any = &propagator;
        match any.downcast_ref::<Propagator>() {
            Some(ours) => Propagation::Ours(ours.clone()),
            None => {
                let all: Vec<Box<dyn TextMapPropagator + Send + Sync>> = vec![Box::new(propagator)];
                Propagation::Other(TextMapCompositePropagator::new(all))
            }
        }
    }

    /// Reads the environment for what the code leaves open.
    pub(crate) fn settle(
        self,
        keys: Vec<Cow<'static, str>>,
        environment: &mut Environment<'_>,
    ) -> Settled {
        match self {
            Propagation::Untouched => Settled::Untouched,
            Propagation::Ours(propagator) => Settled::Ours(propagator),
            Propagation::Other(propagator) => Settled::Other(propagator),
            Propagation::Open => match environment.propagator() {
                Some(propagator) if keys.is_empty() => Settled::Ours(propagator),
                Some(propagator) => Settled::Ours(propagator.with_baggage_keys(keys)),
                None => Settled::Nothing,
            },
        }
    }
}

/// What is to become of the process's propagators.
pub(crate) enum Settled {
    Untouched,
    /// What the application has set itself stays.
    Nothing,
    Ours(Propagator),
    Other(TextMapCompositePropagator),
}

impl Settled {
    pub(crate) fn install(self) {
        match self {
            Settled::Untouched => {}
            Settled::Nothing => {
                let nothing = Propagator::new().without_trace_context().without_baggage();
                native::set_default_propagator(nothing);
            }
            Settled::Ours(propagator) => set_propagator(propagator),
            Settled::Other(propagator) => {
                opentelemetry::global::set_text_map_propagator(propagator);
            }
        }
    }
}
