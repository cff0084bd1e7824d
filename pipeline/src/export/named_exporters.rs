//! The exporters that are known by name.

use crate::environment::{Environment, ExporterName};
use crate::export::exporter::Export;

/// Those that the code names; where it names none and gives none, those of the environment.
pub(crate) fn exporters(
    named: Vec<ExporterName>,
    given: &[Box<dyn Export>],
    environment: &mut Environment<'_>,
) -> Vec<Box<dyn Export>> {
    let named = if named.is_empty() && given.is_empty() {
        environment.exporters()
    } else {
        named
    };
    let exporter = |name| match name {
        ExporterName::Otlp => otlp(environment),
        ExporterName::Console => console(environment),
    };
    named.into_iter().filter_map(exporter).collect()
}

#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
fn otlp(environment: &mut Environment<'_>) -> Option<Box<dyn Export>> {
    let settings = environment.otlp();
    match crate::export::otlp::Otlp::new(&settings) {
        Ok(otlp) => Some(Box::new(otlp)),
        Err(error) => {
            let protocol = settings.protocol.name();
            environment.add_warning(format!(
                "no spans are exported by OTLP with {protocol}: {error}"
            ));
            None
        }
    }
}

#[cfg(not(any(feature = "otlp-http", feature = "otlp-grpc")))]
fn otlp(environment: &mut Environment<'_>) -> Option<Box<dyn Export>> {
    environment.add_warning(
        "OTEL_TRACES_EXPORTER: `otlp`, which is the default, is not there, and no spans are exported by it; enable the feature `otlp-http` or `otlp-grpc` of `enter-span-pipeline`, give an exporter in the code, or write `none`".to_owned(),
    );
    None
}

#[cfg(feature = "waterfall")]
fn console(_: &mut Environment<'_>) -> Option<Box<dyn Export>> {
    Some(Box::new(crate::Console::new()))
}

#[cfg(not(feature = "waterfall"))]
fn console(environment: &mut Environment<'_>) -> Option<Box<dyn Export>> {
    environment.add_warning(
        "OTEL_TRACES_EXPORTER: `console` is not there, and prints no spans; enable the feature `waterfall` of `enter-span-pipeline`".to_owned(),
    );
    None
}
