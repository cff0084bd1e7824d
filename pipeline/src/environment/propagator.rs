//! `OTEL_PROPAGATORS`: what carries spans and baggage between processes, if the code does not say.

use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use super::Environment;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    TraceContext,
    Baggage,
}

type Boxed = Box<dyn TextMapPropagator + Send + Sync>;

impl Environment<'_> {
    /// `OTEL_PROPAGATORS`. The default is both of W3C's; `None` if it asks for none.
    pub(crate) fn propagator(&mut self) -> Option<TextMapCompositePropagator> {
        let known = |name: &str| match name {
            "tracecontext" => Some(Some(Named::TraceContext)),
            "baggage" => Some(Some(Named::Baggage)),
            "none" => Some(None),
            _ => None,
        };
        let accepted = "a list of `tracecontext`, `baggage` and `none`";
        let names = self.list("OTEL_PROPAGATORS", known, accepted);
        let names = names.unwrap_or_else(|| vec![Some(Named::TraceContext), Some(Named::Baggage)]);
        let all: Vec<Boxed> = names.into_iter().flatten().map(propagator).collect();
        (!all.is_empty()).then(|| TextMapCompositePropagator::new(all))
    }
}

fn propagator(named: Named) -> Boxed {
    match named {
        Named::TraceContext => Box::new(TraceContextPropagator::new()),
        Named::Baggage => Box::new(BaggagePropagator::new()),
    }
}
