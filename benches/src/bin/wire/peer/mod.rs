//! The peers: how each is installed, and how it records a trace and a lone span.

mod by_hand;
mod fast;
mod ours;
mod through_tracing;
mod tracing_on_ours;

use std::error::Error;

use enter_span_pipeline::Keep;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{Compression, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use crate::transport::{Endpoint, Transport};
use crate::work::Work;

/// In the order of the tables. The first is what the others are compared with.
pub(crate) const NAMES: [&str; 8] = [
    "enter_span",
    "enter_span_without_code",
    KEEPS_NOTHING,
    "opentelemetry_sdk",
    "opentelemetry_sdk_with_code",
    "tracing_opentelemetry",
    "tracing_on_enter_span",
    "fastrace",
];

/// The pipeline with a policy that keeps no trace: nothing of it may arrive.
pub(crate) const KEEPS_NOTHING: &str = "enter_span_keep_none";

/// A peer that exports to the receiver from now on.
pub(crate) struct Installed {
    /// Records a trace with this number.
    trace: fn(u64),
    /// Records the span of the specification.
    specified: fn(u64),
    /// Waits until all spans are exported.
    pub(crate) flush: Box<dyn Fn() -> Result<(), Box<dyn Error>>>,
}

impl Installed {
    pub(crate) fn work(&self, work: Work) -> fn(u64) {
        match work {
            Work::Trace => self.trace,
            Work::Specified => self.specified,
        }
    }
}

/// Whether a span says where it is in the source: `code.function.name`, `code.file.path` and
/// `code.line.number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Recorded,
    LeftOut,
}

pub(crate) fn install(name: &str, endpoint: &Endpoint) -> Result<Installed, Box<dyn Error>> {
    match name {
        "enter_span" => ours::install(endpoint, Code::Recorded, None),
        "enter_span_without_code" => ours::install(endpoint, Code::LeftOut, None),
        KEEPS_NOTHING => ours::install(endpoint, Code::Recorded, Some(Keep::none())),
        "opentelemetry_sdk" => by_hand::install(endpoint, Code::LeftOut),
        "opentelemetry_sdk_with_code" => by_hand::install(endpoint, Code::Recorded),
        "tracing_opentelemetry" => through_tracing::install(endpoint),
        "tracing_on_enter_span" => tracing_on_ours::install(endpoint),
        "fastrace" => fast::install(endpoint),
        _ => Err(format!("no peer `{name}`").into()),
    }
}

/// The default of our pipeline, and what the SDK gets too. fastrace has a queue of commands, whose size
/// is fixed.
const QUEUE_SPANS: usize = 16_384;

/// The resource of the specification: values of ten characters, and a unique id.
fn resource() -> Resource {
    Resource::builder()
        .with_attributes([
            KeyValue::new("service.name", "wire-bench"),
            KeyValue::new("service.version", "1.0.0-wire"),
            KeyValue::new(
                "service.instance.id",
                "0f3c7a52-1f6e-4a55-9a53-8d9f0d1b7c2e",
            ),
        ])
        .build()
}

/// OpenTelemetry's own exporter: the blocking HTTP client, which is its default, or tonic.
fn exporter(endpoint: &Endpoint) -> Result<SpanExporter, Box<dyn Error>> {
    let traces = format!("{}/v1/traces", endpoint.url());
    let http = || SpanExporter::builder().with_http().with_endpoint(traces);
    Ok(match endpoint.transport {
        Transport::Http => http().build()?,
        Transport::HttpGzip => http().with_compression(Compression::Gzip).build()?,
        Transport::Grpc => {
            let _entered = runtime()?.enter();
            let grpc = SpanExporter::builder().with_tonic();
            grpc.with_endpoint(endpoint.url()).build()?
        }
    })
}

/// tonic needs Tokio, for as long as the process lives.
fn runtime() -> Result<&'static tokio::runtime::Runtime, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    Ok(Box::leak(Box::new(runtime)))
}

/// The SDK with its batch processor, whose other settings are the defaults.
fn sdk(endpoint: &Endpoint) -> Result<SdkTracerProvider, Box<dyn Error>> {
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS)
        .build();
    let processor = BatchSpanProcessor::builder(exporter(endpoint)?)
        .with_batch_config(config)
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource())
        .with_span_processor(processor)
        .build())
}
