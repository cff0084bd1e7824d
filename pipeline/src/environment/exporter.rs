//! `OTEL_TRACES_EXPORTER`: where spans go, if the code does not say.

use super::Environment;

/// An exporter that has a name in the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExporterName {
    Otlp,
    Console,
}

impl Environment<'_> {
    /// `OTEL_TRACES_EXPORTER`. The default is OTLP.
    pub(crate) fn exporters(&mut self) -> Vec<ExporterName> {
        let known = |name: &str| match name {
            "otlp" => Some(Some(ExporterName::Otlp)),
            "console" => Some(Some(ExporterName::Console)),
            "none" => Some(None),
            _ => None,
        };
        let accepted = "a list of `otlp`, `console` and `none`";
        match self.list("OTEL_TRACES_EXPORTER", known, accepted) {
            Some(names) => names.into_iter().flatten().collect(),
            None => vec![ExporterName::Otlp],
        }
    }
}
