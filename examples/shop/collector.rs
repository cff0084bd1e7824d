//! A receiver of OTLP over HTTP on loopback, in place of a real collector: it keeps what arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use tokio::net::TcpListener;

use crate::Result;

/// A span, and the service that it is of.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) service: String,
    pub(crate) span: Span,
}

pub(crate) struct Collector {
    address: SocketAddr,
    spans: Spans,
}

type Spans = Arc<Mutex<Vec<Received>>>;

impl Collector {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let spans = Spans::default();
        let router = Router::new().route("/v1/traces", post(take));
        let router = router.with_state(Arc::clone(&spans));
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Collector { address, spans })
    }

    /// As `OTEL_EXPORTER_OTLP_ENDPOINT` has it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What sends a process's spans here, whatever else its environment says.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        let url = format!("{}/v1/traces", self.url());
        [
            ("OTEL_TRACES_EXPORTER", "otlp".to_owned()),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url),
            (
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                "http/protobuf".to_owned(),
            ),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none".to_owned()),
        ]
    }

    /// All that has arrived.
    pub(crate) fn received(&self) -> Vec<Received> {
        let spans = self.spans.lock();
        spans.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(spans): State<Spans>, body: Bytes) -> Result<(), StatusCode> {
    let request = ExportTraceServiceRequest::decode(body);
    let request = request.map_err(|_| StatusCode::BAD_REQUEST)?;
    let received = request.resource_spans.into_iter().flat_map(of_service);
    let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
    spans.extend(received);
    Ok(())
}

fn of_service(resource_spans: ResourceSpans) -> impl Iterator<Item = Received> {
    let resource = resource_spans.resource.unwrap_or_default();
    let service = text(&resource.attributes, "service.name");
    let service = service.unwrap_or_default().to_owned();
    let scopes = resource_spans.scope_spans.into_iter();
    scopes.flat_map(|scope| scope.spans).map(move |span| {
        let service = service.clone();
        Received { service, span }
    })
}

/// The text of an attribute.
pub(crate) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()? {
        AnyValue {
            value: Some(Value::StringValue(text)),
        } => Some(text),
        _ => None,
    }
}
