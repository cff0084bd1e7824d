//! What carries spans and baggage between processes: the code's choice, else the environment's.

use std::any::Any;
use std::borrow::Cow;

use enter_span::native;
use enter_span::propagation::{Propagator, set_propagator};
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};

use crate::environment::Environment;

/// What the pipeline does with the propagators of the process.
#[derive(Default)]
pub(crate) enum Propagation {
    #[default]
    /// The environment chooses.
    Open,
    Untouched,
    /// A propagator that the application has set itself stays.
    Nothing,
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

    /// Reads the environment if the code leaves it open.
    pub(crate) fn resolve(
        self,
        keys: Vec<Cow<'static, str>>,
        environment: &mut Environment<'_>,
    ) -> Self {
        let Propagation::Open = self else {
            return self;
        };
        match environment.propagator() {
            Some(propagator) if keys.is_empty() => Propagation::Ours(propagator),
            Some(propagator) => Propagation::Ours(propagator.with_baggage_keys(keys)),
            None => Propagation::Nothing,
        }
    }

    pub(crate) fn install(self) {
        match self {
            Propagation::Open | Propagation::Untouched => {}
            Propagation::Nothing => {
                let nothing = Propagator::new().without_trace_context().without_baggage();
                native::set_default_propagator(nothing);
            }
            Propagation::Ours(propagator) => set_propagator(propagator),
            Propagation::Other(propagator) => {
                opentelemetry::global::set_text_map_propagator(propagator);
            }
        }
    }
}
