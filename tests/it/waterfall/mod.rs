//! The waterfalls, from spans that are made up to pages and terminals.

mod console;
mod draw;
mod files;
mod finished;
mod html;
mod index;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// A span of trace 1. Ids begin at 1, and the parent 0 is none. Times are in microseconds.
fn span(id: u64, parent: u64, name: &str, start: u64, end: u64) -> SpanData {
    span_of(1, id, parent, name, start, end)
}

fn span_of(trace: u128, id: u64, parent: u64, name: &str, start: u64, end: u64) -> SpanData {
    SpanData {
        span_context: identity(trace, id),
        parent_span_id: SpanId::from_bytes(parent.to_be_bytes()),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.to_owned().into(),
        start_time: at(start),
        end_time: at(end),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn at(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1) + Duration::from_micros(micros)
}

fn identity(trace: u128, id: u64) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(trace.to_be_bytes()),
        SpanId::from_bytes(id.to_be_bytes()),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

/// What a span says besides.
trait With: Sized {
    fn with(self, key: &'static str, value: impl Into<Value>) -> Self;
    fn failed(self, kind: &'static str, text: &str) -> Self;
    fn remote(self) -> Self;
}

impl With for SpanData {
    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    fn failed(mut self, kind: &'static str, text: &str) -> Self {
        self.status = Status::error(text.to_owned());
        self.with("error.type", kind)
    }

    fn remote(mut self) -> Self {
        self.parent_span_is_remote = true;
        self
    }
}

/// A writer that others can read.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("the screen"));
        String::from_utf8(bytes).expect("text")
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the screen").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
