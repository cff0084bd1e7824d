//! `ExportTraceServiceRequest` of `opentelemetry.proto.collector.trace.v1`: cut where it becomes too large.

use bytes::{Bytes, BytesMut};
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::attribute::attributes;
use super::scope::Scope;
use super::writer::{Writer, message};

/// One request, as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct EncodedRequest {
    /// An `ExportTraceServiceRequest`.
    pub(crate) bytes: Bytes,
    /// How many spans it has.
    pub(crate) spans: usize,
}

const RESOURCE_SPANS: u8 = message(1);

const RESOURCE: u8 = message(1);
const SCOPE_SPANS: u8 = message(2);
const RESOURCE_SCHEMA_URL: u8 = message(3);

const SCOPE: u8 = message(1);
const SPAN: u8 = message(2);
const SCOPE_SCHEMA_URL: u8 = message(3);

/// Two fields around all spans, each with a tag and a length of at most five bytes.
pub(super) const FRAMES: usize = 12;

/// What every request says of the process.
#[derive(Default)]
pub(super) struct EncodedResource {
    attributes: Vec<u8>,
    schema_url: Vec<u8>,
}

impl EncodedResource {
    pub(super) fn new(resource: &Resource) -> Self {
        const ATTRIBUTE: u8 = message(1);
        let pairs = resource.iter();
        let pairs = pairs.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let pairs: Vec<KeyValue> = pairs.collect();
        let mut writer = Writer::default();
        writer.text(
            RESOURCE_SCHEMA_URL,
            resource.schema_url().unwrap_or_default(),
        );
        let schema_url = writer.since(0).to_vec();
        writer.rewind(0);
        attributes(&mut writer, ATTRIBUTE, pairs.iter());
        writer.wrap(RESOURCE, 0);
        EncodedResource {
            attributes: writer.since(0).to_vec(),
            schema_url,
        }
    }
}

/// Writes the requests of one batch, the last span first.
pub(super) struct RequestWriter<'a> {
    writer: Writer,
    resource: &'a EncodedResource,
    /// Bytes of one request. A larger span has one of its own.
    limit: usize,
    /// How much was written at the end of each, and how many spans it has.
    done: Vec<(usize, usize)>,
    /// Spans of the request that is open.
    spans: usize,
    section: Option<Section<'a>>,
    /// The scope of the section, as its spans have it before them.
    scope: Vec<u8>,
}

/// Spans of one scope that stand beside each other. What was written when it, and its first span, began.
struct Section<'a> {
    scope: &'a Scope<'a>,
    start: usize,
    first: usize,
}

impl<'a> RequestWriter<'a> {
    pub(super) fn new(buffer: BytesMut, resource: &'a EncodedResource, limit: usize) -> Self {
        RequestWriter {
            writer: Writer::new(buffer),
            resource,
            limit,
            done: Vec::new(),
            spans: 0,
            section: None,
            scope: Vec::new(),
        }
    }

    /// Adds the span before it. It is written a second time where it has no room.
    #[inline]
    pub(super) fn push(&mut self, scope: &'a Scope<'a>, span: impl Fn(&mut Writer)) {
        let start = self.open(scope);
        span(&mut self.writer);
        self.writer.wrap(SPAN, start);
        if self.spans > 0 && self.is_too_large() {
            self.writer.rewind(start);
            self.close_request();
            let start = self.open(scope);
            span(&mut self.writer);
            self.writer.wrap(SPAN, start);
        }
        self.spans += 1;
    }

    /// The requests, those of the first spans first, and the buffer that all of them are in.
    pub(super) fn finish(mut self) -> (Vec<EncodedRequest>, Bytes) {
        self.close_request();
        let all = self.writer.into_buffer().freeze();
        let mut end = all.len();
        let cut = |(written, spans)| {
            let start = all.len() - written;
            let bytes = all.slice(start..end);
            end = start;
            EncodedRequest { bytes, spans }
        };
        let mut requests: Vec<_> = self.done.into_iter().map(cut).collect();
        requests.reverse();
        (requests, all)
    }

    /// Returns how much is written, where the span begins.
    #[inline]
    fn open(&mut self, scope: &'a Scope<'a>) -> usize {
        let is_open = self.section.as_ref();
        if !is_open.is_some_and(|section| std::ptr::eq(section.scope, scope)) {
            self.begin_section(scope);
        }
        self.writer.written()
    }

    #[cold]
    fn begin_section(&mut self, scope: &'a Scope<'a>) {
        self.close_section();
        if self.writer.written() == self.request_start() {
            self.writer.bytes(&self.resource.schema_url);
        }
        let start = self.writer.written();
        scope.write(&mut self.writer, SCOPE);
        self.scope.clear();
        self.scope.extend_from_slice(self.writer.since(start));
        self.writer.rewind(start);
        self.writer.text(SCOPE_SCHEMA_URL, scope.schema_url());
        let first = self.writer.written();
        self.section = Some(Section {
            scope,
            start,
            first,
        });
    }

    fn request_start(&self) -> usize {
        self.done.last().map_or(0, |(written, _)| *written)
    }

    #[inline]
    fn is_too_large(&self) -> bool {
        let around = self.scope.len() + self.resource.attributes.len() + FRAMES;
        self.writer.written() - self.request_start() + around > self.limit
    }

    fn close_section(&mut self) {
        let Some(section) = self.section.take() else {
            return;
        };
        if self.writer.written() == section.first {
            self.writer.rewind(section.start);
        } else {
            self.writer.bytes(&self.scope);
            self.writer.wrap(SCOPE_SPANS, section.start);
        }
    }

    #[cold]
    fn close_request(&mut self) {
        self.close_section();
        if self.spans == 0 {
            return;
        }
        self.writer.bytes(&self.resource.attributes);
        self.writer.wrap(RESOURCE_SPANS, self.request_start());
        let spans = std::mem::take(&mut self.spans);
        self.done.push((self.writer.written(), spans));
    }
}
