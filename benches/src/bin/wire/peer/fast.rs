//! fastrace, with its OpenTelemetry reporter.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;

use fastrace::collector::{Config, SpanContext};
use fastrace::{Span, trace};
use fastrace_opentelemetry::{OpenTelemetryReporter, SPAN_KIND};
use opentelemetry::InstrumentationScope;

use super::{Installed, exporter, resource};
use crate::transport::Endpoint;
use crate::work::{ATTRIBUTES, CALLS};

pub(super) fn install(endpoint: &Endpoint) -> Result<Installed, Box<dyn Error>> {
    let reporter = OpenTelemetryReporter::new(
        exporter(endpoint)?,
        Cow::Owned(resource()),
        InstrumentationScope::builder("wire").build(),
    );
    fastrace::set_reporter(reporter, Config::default());
    Ok(Installed {
        trace: request,
        specified,
        flush: Box::new(|| {
            fastrace::flush();
            Ok(())
        }),
    })
}

fn request(_: u64) {
    let root = Span::root("request", SpanContext::random());
    let root = root.with_property(|| (SPAN_KIND, "server"));
    let _local = root.set_local_parent();
    (0..CALLS).for_each(call);
}

/// Its values are texts. The doubled braces stand for single ones.
#[trace(short_name = true, properties = {
    "span.kind": "client",
    "id": "{id}",
    "http.route": "/orders/{{id}}",
    "attempt": "1",
})]
fn call(id: u64) {
    black_box(id);
}

fn specified(_: u64) {
    let root = Span::root("specified", SpanContext::random());
    drop(root.with_properties(|| ATTRIBUTES));
}
