//! What an exporter gets in one call: cut when it is free, from all that waits for it.
//!
//! A batch that an exporter of the SDK's kind refuses is not halved and sent again: the error is a text, which
//! does not contain whether the size was the cause, nor which part was taken. Batches are cut by bytes before.

use opentelemetry_sdk::trace::SpanData;

use crate::export::chunk::Part;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
use crate::export::encode::{EncodedRequest, Encoder};

/// Spans in the order in which the worker took them.
pub(crate) struct Batch {
    parts: Vec<Part>,
    spans: usize,
}

impl Batch {
    pub(crate) fn new(parts: Vec<Part>, spans: usize) -> Self {
        Batch { parts, spans }
    }

    /// For an exporter of the SDK's kind.
    pub(crate) fn into_spans(self) -> Vec<SpanData> {
        let mut spans = Vec::with_capacity(self.spans);
        for part in self.parts {
            part.convert(&mut spans);
        }
        spans
    }

    /// The requests of OTLP, which the exporter sends one by one. No request if it has no span.
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub(crate) fn encode(self, encoder: &mut Encoder) -> Vec<EncodedRequest> {
        let text = self.parts.first().and_then(Part::text);
        encoder.encode(self.parts.iter().flat_map(Part::stretches), text)
    }
}
