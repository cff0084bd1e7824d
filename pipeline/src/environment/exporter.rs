//! `OTEL_TRACES_EXPORTER`: where spans go, if the code does not say.

use super::Environment;

/// An exporter that has a name in the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Otlp,
    Console,
}

impl Environment<'_> {
    /// `OTEL_TRACES_EXPORTER`. The default is OTLP.
    pub(crate) fn exporters(&mut self) -> Vec<Named> {
        let known = |name: &str| match name {
            "otlp" => Some(Some(Named::Otlp)),
            "console" => Some(Some(Named::Console)),
            "none" => Some(None),
            _ => None,
        };
        let accepted = "a list of `otlp`, `console` and `none`";
        match self.list("OTEL_TRACES_EXPORTER", known, accepted) {
            Some(names) => names.into_iter().flatten().collect(),
            None => vec![Named::Otlp],
        }
    }
}
