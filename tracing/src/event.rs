//! An event of `tracing` on the span that is innermost where it happens, of whatever kind.

use std::borrow::Cow;

use enter_span::ToAttribute;
use enter_span::native::{self, BridgedFailure};
use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, Value};
use tracing_core::{Event, Level, Metadata};

use crate::fields::{FieldSink, FieldVisitor};
use crate::metadata_fields::MetadataFields;
use crate::special_fields::{self, ERROR};

/// What an event says, apart from its error.
pub(crate) struct EventFields {
    pub(crate) message: Option<String>,
    pub(crate) attributes: Vec<KeyValue>,
    /// Whether it has an `error` field that is not among the attributes.
    pub(crate) has_error: bool,
    keeps_error: bool,
}

/// What events of the facade `log` say of themselves in fields.
const OF_LOG: &str = "log.";

impl EventFields {
    /// The error apart.
    pub(crate) fn without_error(event: &Event<'_>, shown: MetadataFields) -> Self {
        Self::read(event, shown, false)
    }

    /// The error among the attributes.
    #[cfg(feature = "logs")]
    pub(crate) fn with_error(event: &Event<'_>, shown: MetadataFields) -> Self {
        Self::read(event, shown, true)
    }

    fn read(event: &Event<'_>, shown: MetadataFields, keeps_error: bool) -> Self {
        let mut fields = EventFields {
            message: None,
            attributes: Vec::with_capacity(event.metadata().fields().len() + 4),
            has_error: false,
            keeps_error,
        };
        shown.each(event.metadata(), |key, value| {
            fields.attributes.push(KeyValue::new(key, value));
        });
        event.record(&mut FieldVisitor(&mut fields));
        fields
    }

    fn push(&mut self, key: &'static str, value: Value) {
        match key.strip_prefix(OF_LOG) {
            None => self.attributes.push(KeyValue::new(key, value)),
            Some("target") => self.replace("target", value),
            Some("file") => self.replace("code.file.path", value),
            Some("line") => self.replace("code.line.number", value),
            Some("module_path") => self.replace("code.function.name", value),
            Some(_) => self.attributes.push(KeyValue::new(key, value)),
        }
    }

    /// Only where the setting has one.
    fn replace(&mut self, key: &str, value: Value) {
        let mut known = self.attributes.iter_mut();
        if let Some(known) = known.find(|known| known.key.as_str() == key) {
            known.value = value;
        }
    }
}

impl FieldSink for EventFields {
    fn leaves_out(&mut self, name: &str) -> bool {
        let leaves_out = name == ERROR && !self.keeps_error;
        self.has_error |= leaves_out;
        leaves_out
    }

    fn scalar(&mut self, key: &'static str, value: &dyn ToAttribute) {
        if let Some(value) = value.to_attribute() {
            self.push(key, native::otel_value(value));
        }
    }

    fn text(&mut self, key: &'static str, text: &str) {
        self.owned(key, text.to_owned());
    }

    fn owned(&mut self, key: &'static str, text: String) {
        if key == "message" {
            self.message = Some(text);
        } else {
            self.push(key, Value::from(text));
        }
    }
}

/// Adds an event to the span of this context, if that is recorded.
pub(crate) fn add_to_span(event: &Event<'_>, context: &Context, shown: MetadataFields) {
    let span = context.span();
    if context.is_telemetry_suppressed() || !span.is_recording() {
        return;
    }
    let metadata = event.metadata();
    let EventFields {
        message,
        mut attributes,
        has_error,
        ..
    } = EventFields::without_error(event, shown);
    if has_error {
        let mut failure = None;
        special_fields::read_error(event, &mut |read| {
            failure = BridgedFailure::below(context, read);
        });
        if let Some(failure) = failure {
            add_failure(failure, message, attributes, context, *metadata.level());
            return;
        }
    }
    let name = match (given_name(metadata), message) {
        (Some(name), message) => {
            attributes.extend(message.map(|message| KeyValue::new("message", message)));
            Cow::Borrowed(name)
        }
        (None, Some(message)) => Cow::Owned(message),
        (None, None) => Cow::Borrowed(metadata.target()),
    };
    span.add_event(name, attributes);
}

/// An event with an error is an exception; at the level of errors, its span has failed.
fn add_failure(
    failure: BridgedFailure,
    message: Option<String>,
    mut attributes: Vec<KeyValue>,
    context: &Context,
    level: Level,
) {
    let span = context.span();
    let name = match (failure.exception, message) {
        (Some(exception), message) => {
            attributes.extend(message.map(|message| KeyValue::new("message", message)));
            attributes.extend(exception);
            Some(Cow::Borrowed("exception"))
        }
        (None, message) => message.map(Cow::Owned),
    };
    if let Some(name) = name {
        span.add_event(name, attributes);
    }
    if level == Level::ERROR {
        span.set_attribute(KeyValue::new("error.type", failure.kind));
        span.set_status(Status::error(failure.description.unwrap_or_default()));
    }
}

/// The name that the source gives to an event, by `name: ".."`; others have one of their place.
pub(crate) fn given_name(metadata: &'static Metadata<'static>) -> Option<&'static str> {
    let name = metadata.name();
    let is_place = name.starts_with("event ") || name == "log event";
    (!is_place && !name.is_empty()).then_some(name)
}
