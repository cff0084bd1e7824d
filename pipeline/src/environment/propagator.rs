//! `OTEL_PROPAGATORS`: what carries spans and baggage between processes, if the code does not say.

use enter_span::propagation::Propagator;

use super::Environment;

#[derive(Clone, Copy, PartialEq, Eq)]
enum PropagatorName {
    TraceContext,
    Baggage,
    Nothing,
}

impl Environment<'_> {
    /// `OTEL_PROPAGATORS`. The default is both of W3C's; `None` if it asks for none.
    pub(crate) fn propagator(&mut self) -> Option<Propagator> {
        let known = |name: &str| match name {
            "tracecontext" => Some(PropagatorName::TraceContext),
            "baggage" => Some(PropagatorName::Baggage),
            "none" => Some(PropagatorName::Nothing),
            _ => None,
        };
        let accepted = "a list of `tracecontext`, `baggage` and `none`";
        let names = self.list("OTEL_PROPAGATORS", known, accepted);
        let Some(names) = names else {
            return Some(Propagator::new());
        };
        let (trace_context, baggage) = (PropagatorName::TraceContext, PropagatorName::Baggage);
        match (names.contains(&trace_context), names.contains(&baggage)) {
            (true, true) => Some(Propagator::new()),
            (true, false) => Some(Propagator::new().without_baggage()),
            (false, true) => Some(Propagator::new().without_trace_context()),
            (false, false) => None,
        }
    }
}
