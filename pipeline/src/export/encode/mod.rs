//! OTLP, encoded straight from the records.
//!
//! A message's length stands before it. So a message is written from the back to the front: each length is known
//! when it is needed, and nothing is measured before or moved afterwards. Nothing is allocated for a span. All
//! requests of a batch are written into one buffer, which is used again as soon as they are gone.

mod attribute;
mod request;
mod scope;
mod site_cache;
mod span;
#[cfg(test)]
mod tests;
mod writer;

use bytes::{Bytes, BytesMut};
use enter_span::native::EndedSpan;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

pub(crate) use self::request::EncodedRequest;
use self::request::{EncodedResource, RequestWriter};
use self::scope::Scopes;
use self::site_cache::SiteCache;
use crate::host::clock::Reading;
use crate::queue::span_list::Stretch;

/// Bytes of one request: what a gRPC receiver takes as it comes, and a little less.
const MOST_BYTES: usize = (4 << 20) - (64 << 10);

/// Bytes of a buffer that is kept even if few of them are used.
const FEW_BYTES: usize = 256 << 10;

/// Encodes batches for one exporter.
pub(crate) struct Encoder {
    resource: EncodedResource,
    sites: SiteCache,
    /// The last batch's, until the requests in it are gone.
    buffer: Bytes,
    limit: usize,
}

struct Entry<'a> {
    /// The number of its scope.
    scope: u32,
    span: &'a EndedSpan,
    attributes: &'a [KeyValue],
    reading: &'a Reading,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Encoder {
            resource: EncodedResource::new(&Resource::builder_empty().build()),
            sites: SiteCache::default(),
            buffer: Bytes::new(),
            limit: MOST_BYTES,
        }
    }

    /// What the spans are of, from the next batch on.
    pub(crate) fn set_resource(&mut self, resource: &Resource) {
        self.resource = EncodedResource::new(resource);
    }

    /// The requests for these spans: none if there are no spans. None is larger than a receiver takes, unless
    /// it has one span alone. `text` is the most characters of a text.
    pub(crate) fn encode<'a>(
        &mut self,
        stretches: impl Iterator<Item = Stretch<'a>> + Clone,
        text: Option<usize>,
    ) -> Vec<EncodedRequest> {
        let (scopes, entries) = grouped(stretches);
        let buffer = self.take_buffer();
        self.sites.limit_text(text);
        let mut requests = RequestWriter::new(buffer, &self.resource, self.limit);
        for entry in entries.iter().rev() {
            let site = entry.span.source.site();
            let code = site.map_or(&[][..], |site| self.sites.code(site, entry.span.code));
            requests.push(&scopes.all[entry.scope as usize], |writer| {
                span::span(writer, entry.span, entry.attributes, code, entry.reading);
            });
        }
        let (requests, buffer) = requests.finish();
        let used: usize = requests.iter().map(|request| request.bytes.len()).sum();
        // What one large batch asked for is not kept for many small ones.
        if buffer.len() <= FEW_BYTES || used >= buffer.len() / 4 {
            self.buffer = buffer;
        }
        requests
    }

    fn take_buffer(&mut self) -> BytesMut {
        let buffer = std::mem::take(&mut self.buffer);
        buffer.try_into_mut().unwrap_or_default()
    }
}

/// Spans of one scope beside each other, in the order of their end.
fn grouped<'a>(
    stretches: impl Iterator<Item = Stretch<'a>> + Clone,
) -> (Scopes<'a>, Vec<Entry<'a>>) {
    let mut scopes = Scopes::default();
    let spans = stretches.clone().map(|stretch| stretch.spans.len()).sum();
    let mut entries = Vec::with_capacity(spans);
    for stretch in stretches {
        entries.extend(stretch.records().map(|(span, attributes)| Entry {
            scope: scopes.number_of(&span.source),
            span,
            attributes,
            reading: stretch.reading,
        }));
    }
    if scopes.all.len() > 1 {
        entries.sort_by_key(|entry| entry.scope);
    }
    (scopes, entries)
}
