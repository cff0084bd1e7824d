//! Events of `tracing` as log records of OpenTelemetry.

use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry::{Array, Context, Value};
use tracing_core::{Event, Level, LevelFilter};

use crate::event::{EventFields, given_name};
use crate::metadata_fields::MetadataFields;

/// Sends events to a logger.
pub(crate) struct LogEmitter {
    logger: Box<dyn EventLogger>,
    most: LevelFilter,
}

impl LogEmitter {
    pub(crate) fn new<P>(provider: &P, most: LevelFilter) -> Self
    where
        P: LoggerProvider,
        P::Logger: Send + Sync + 'static,
    {
        // As in OpenTelemetry's appenders: the target of each record becomes its scope.
        let logger = Box::new(provider.logger(""));
        LogEmitter { logger, most }
    }

    pub(crate) fn takes(&self, level: &Level) -> bool {
        *level <= self.most
    }

    /// `place` is where the event happens, if that is not outside of spans.
    pub(crate) fn emit(&self, event: &Event<'_>, place: Option<&Context>, shown: MetadataFields) {
        if place.is_some_and(Context::is_telemetry_suppressed) {
            return;
        }
        let identity = place.map(|place| place.span().span_context().clone());
        self.logger
            .emit_event(event, identity.filter(SpanContext::is_valid), shown);
    }
}

/// A logger of any provider.
trait EventLogger: Send + Sync {
    fn emit_event(&self, event: &Event<'_>, identity: Option<SpanContext>, shown: MetadataFields);
}

impl<L: Logger + Send + Sync> EventLogger for L {
    fn emit_event(&self, event: &Event<'_>, identity: Option<SpanContext>, shown: MetadataFields) {
        let metadata = event.metadata();
        let (severity, name) = (severity(metadata.level()), given_name(metadata));
        if !self.event_enabled(severity, metadata.target(), name) {
            return;
        }
        let fields = EventFields::with_error(event, shown.without_level_and_target());
        let mut record = self.create_log_record();
        record.set_observed_timestamp(SystemTime::now());
        record.set_severity_number(severity);
        record.set_severity_text(metadata.level().as_str());
        record.set_target(metadata.target());
        if let Some(name) = name {
            record.set_event_name(name);
        }
        if let Some(message) = fields.message {
            record.set_body(AnyValue::String(message.into()));
        }
        let attributes = fields.attributes.into_iter();
        record.add_attributes(attributes.map(|pair| (pair.key, any_value(pair.value))));
        if let Some(identity) = identity {
            let flags = Some(identity.trace_flags());
            record.set_trace_context(identity.trace_id(), identity.span_id(), flags);
        }
        self.emit(record);
    }
}

fn severity(level: &Level) -> Severity {
    match *level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        Level::TRACE => Severity::Trace,
    }
}

fn any_value(value: Value) -> AnyValue {
    match value {
        Value::Bool(value) => AnyValue::Boolean(value),
        Value::I64(value) => AnyValue::Int(value),
        Value::F64(value) => AnyValue::Double(value),
        Value::String(value) => AnyValue::String(value),
        Value::Array(Array::Bool(list)) => list.into_iter().collect(),
        Value::Array(Array::I64(list)) => list.into_iter().collect(),
        Value::Array(Array::F64(list)) => list.into_iter().collect(),
        Value::Array(Array::String(list)) => list.into_iter().collect(),
        // Of a later version of OpenTelemetry.
        other => AnyValue::String(other.to_string().into()),
    }
}
