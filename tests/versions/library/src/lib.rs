//! A library with a version of enter-span of its own.

use enter_span::enter_span;
use opentelemetry_sdk::trace::SdkTracerProvider;

/// A span, in which `inner` runs.
#[enter_span(name = concat!("of ", env!("CARGO_PKG_NAME")))]
pub fn work<R>(inner: impl FnOnce() -> R) -> R {
    inner()
}

/// A span that fails with a text.
#[enter_span]
pub fn fail() -> Result<(), String> {
    Err("secret".to_owned())
}

/// What this version says of the process.
pub fn diagnosis() -> String {
    enter_span::diagnose().to_string()
}

/// Whether this version starts spans.
pub fn is_enabled() -> bool {
    enter_span::is_enabled()
}

/// Installs a provider by this version.
pub fn install(provider: SdkTracerProvider) {
    enter_span::set_tracer_provider(provider);
}

/// Installs whatever OpenTelemetry has globally, by this version.
pub fn use_global() {
    enter_span::use_global_tracer_provider();
}
