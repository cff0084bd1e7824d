//! `enter_span` on its pipeline.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use enter_span::{enter_span, in_span};
use enter_span_pipeline::{Keep, Limits, Pipeline, PipelineBuilder};

use super::{Code, Installed, QUEUE_SPANS, resource};
use crate::transport::{Endpoint, Transport};
use crate::work::CALLS;

const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn install(
    endpoint: &Endpoint,
    code: Code,
    keep: Option<Keep>,
) -> Result<Installed, Box<dyn Error>> {
    let url = endpoint.url();
    let transport = endpoint.transport;
    let builder = Pipeline::builder()
        .with_environment(move |name| variable(name, transport, &url))
        .with_limits(Limits::default().with_queue_spans(QUEUE_SPANS))
        .with_resource(resource())
        // Spans are lost on purpose while the throughput is searched.
        .with_warnings(|_| {})
        .with_otlp();
    let builder = match code {
        Code::Recorded => builder,
        Code::LeftOut => builder.without_code_attributes(),
    };
    let builder = keep.into_iter().fold(builder, PipelineBuilder::with_keep);
    let pipeline = builder.install()?;
    Ok(Installed {
        trace,
        specified,
        flush: Box::new(move || Ok(pipeline.flush(TIMEOUT)?)),
    })
}

fn variable(name: &str, transport: Transport, url: &str) -> Option<String> {
    match (name, transport) {
        ("OTEL_EXPORTER_OTLP_ENDPOINT", _) => Some(url.to_owned()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", Transport::Grpc) => Some("grpc".to_owned()),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", Transport::HttpGzip) => Some("gzip".to_owned()),
        _ => None,
    }
}

fn trace(_: u64) {
    in_span!("request", kind = server, || (0..CALLS).for_each(call));
}

#[enter_span(kind = client, attributes(id, http.route = "/orders/{id}", attempt = 1))]
fn call(id: u64) {
    black_box(id);
}

#[enter_span(attributes(
    bench.attribute_k_00 = "value_of_twenty_ch_0",
    bench.attribute_k_01 = "value_of_twenty_ch_1",
    bench.attribute_k_02 = "value_of_twenty_ch_2",
    bench.attribute_k_03 = "value_of_twenty_ch_3",
    bench.attribute_k_04 = "value_of_twenty_ch_4",
    bench.attribute_k_05 = "value_of_twenty_ch_5",
    bench.attribute_k_06 = "value_of_twenty_ch_6",
    bench.attribute_k_07 = "value_of_twenty_ch_7",
    bench.attribute_k_08 = "value_of_twenty_ch_8",
    bench.attribute_k_09 = "value_of_twenty_ch_9",
))]
fn specified(_: u64) {}
