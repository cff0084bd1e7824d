//! `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`: what the spans are of.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;

use super::Environment;
use super::pair::pairs;

const SERVICE_NAME: &str = "service.name";

impl Environment<'_> {
    /// The SDK's own attributes, those of the environment, and a service name in any case.
    pub(crate) fn resource(&mut self) -> Resource {
        let service = self.value("OTEL_SERVICE_NAME");
        let service = service.map(|name| KeyValue::new(SERVICE_NAME, name));
        Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attribute(KeyValue::new(SERVICE_NAME, unknown_service()))
            .with_attributes(self.resource_attributes())
            .with_attributes(service)
            .build()
    }

    /// The specification has the whole variable discarded if a part of it is malformed.
    fn resource_attributes(&mut self) -> Vec<KeyValue> {
        const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let Some(value) = self.value(VARIABLE) else {
            return Vec::new();
        };
        let pairs = pairs(&value).unwrap_or_else(|malformed| {
            let accepted =
                "`key=value,key=value`, with `%2C`, `%3D` and `%25` for a comma, `=` and `%`";
            self.warn_of_list(VARIABLE, malformed, accepted);
            Vec::new()
        });
        let attributes = pairs.into_iter();
        attributes
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    }
}

/// As the specification names a service that nobody has named.
fn unknown_service() -> String {
    let executable = std::env::current_exe().ok();
    let name = executable
        .as_deref()
        .and_then(|path| path.file_name()?.to_str());
    match name {
        Some(name) => format!("unknown_service:{name}"),
        None => "unknown_service".to_owned(),
    }
}
