//! Arbitrary values of the standard variables: never a panic, and no warning that shows a secret or breaks
//! a line.
//!
//! The input is lines; the first byte of a line says which variable the rest is the value of. Of the
//! variables that may hold a secret, every `$` stands for one. Files are not read: the variables that name
//! them are left out.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use enter_span_pipeline::Pipeline;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "S3cr3tS3cr3t";

/// What may hold a secret, with both forms of a variable that is there for one signal and for all.
const SECRETS: [&str; 5] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_RESOURCE_ATTRIBUTES",
];

const OTHERS: [&str; 29] = [
    "ENTER_SPAN_SCOPES",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_PROPAGATORS",
    "OTEL_SDK_DISABLED",
    "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN",
    "OTEL_SERVICE_NAME",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "UNKNOWN",
];

fn variables(input: &[u8]) -> BTreeMap<&'static str, String> {
    let lines = input.split(|byte| *byte == b'\n');
    let variable = |line: &[u8]| {
        let (first, value) = line.split_first()?;
        let value = String::from_utf8_lossy(value);
        let index = usize::from(*first) % (SECRETS.len() + OTHERS.len());
        match SECRETS.get(index) {
            Some(&name) => Some((name, value.replace('$', SECRET))),
            None => Some((OTHERS[index - SECRETS.len()], value.into_owned())),
        }
    };
    lines.filter_map(variable).collect()
}

fuzz_target!(|input: &[u8]| {
    let variables = variables(input);
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&warnings);
    let pipeline = Pipeline::builder()
        .with_environment(move |name| variables.get(name).cloned())
        .with_warnings(move |warning| {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(warning.to_owned());
        })
        .install()
        .expect("nothing else is installed, and there are threads");
    drop(pipeline);
    let warnings = warnings.lock().unwrap_or_else(PoisonError::into_inner);
    for warning in &*warnings {
        assert!(!warning.contains(SECRET), "{warning}");
        assert!(!warning.contains(char::is_control), "{warning:?}");
    }
});
