//! The fields that mean more than an attribute: `error`, and those that tracing-opentelemetry has given a
//! meaning, which is the same here.

use std::error::Error;
use std::fmt;

use enter_span::Failure;
use enter_span::native::{self, BridgedRecording, Kind};
use tracing_core::field::{FieldSet, Visit};
use tracing_core::{Field, span};

/// The name of the span.
pub(crate) const NAME: &str = "otel.name";

const KIND: &str = "otel.kind";
const STATUS_CODE: &str = "otel.status_code";
const STATUS_DESCRIPTION: &str = "otel.status_description";

/// A failure, if it is text or an error.
pub(crate) const ERROR: &str = "error";

/// The type of an error that has none, by the semantic conventions.
const OTHER: &str = "_OTHER";

/// `None` if it panics.
pub(crate) fn formatted(value: &dyn fmt::Debug) -> Option<String> {
    native::shielded(|| format!("{value:?}"))
}

/// Whether a span reads the field here.
pub(crate) fn is_special(name: &str) -> bool {
    matches!(name, KIND | STATUS_CODE | STATUS_DESCRIPTION | ERROR)
}

/// Whether a field may be read here.
pub(crate) fn are_among(fields: &FieldSet) -> bool {
    fields.iter().any(|field| is_special(field.name()))
}

/// Whether spans may say their role.
pub(crate) fn have_kind(fields: &FieldSet) -> bool {
    fields.field(KIND).is_some()
}

/// The role that a span says at its start.
pub(crate) fn kind_at_start(attributes: &span::Attributes<'_>) -> Kind {
    let mut read = SpecialFields::default();
    attributes.record(&mut SpecialVisitor {
        read: &mut read,
        fail: &mut |_| {},
        wanted: |name| name == KIND,
    });
    read.kind.unwrap_or_default()
}

/// Has a span say what its special fields mean. `record` hands them to the visitor.
pub(crate) fn apply(recording: &BridgedRecording, record: impl FnOnce(&mut dyn Visit)) {
    let mut read = SpecialFields::default();
    record(&mut SpecialVisitor {
        read: &mut read,
        fail: &mut |failure| recording.fail(failure),
        wanted: is_special,
    });
    if let Some(kind) = read.kind {
        recording.set_kind(kind.into());
    }
    match (read.status, read.description) {
        (Some(StatusCode::Ok), _) => recording.set_ok(),
        (None, None) => {}
        (_, description) => recording.set_error(description),
    }
}

/// Hands the `error` field of an event to `fail`, if it has one.
pub(crate) fn read_error(event: &tracing_core::Event<'_>, fail: &mut dyn FnMut(&Failure<'_>)) {
    event.record(&mut SpecialVisitor {
        read: &mut SpecialFields::default(),
        fail,
        wanted: |name| name == ERROR,
    });
}

#[derive(Default)]
struct SpecialFields {
    kind: Option<Kind>,
    status: Option<StatusCode>,
    description: Option<String>,
}

enum StatusCode {
    Ok,
    Error,
}

struct SpecialVisitor<'a> {
    read: &'a mut SpecialFields,
    fail: &'a mut dyn FnMut(&Failure<'_>),
    wanted: fn(&str) -> bool,
}

impl SpecialVisitor<'_> {
    fn text(&mut self, name: &str, text: &str) {
        match name {
            KIND => self.read.kind = kind_of(text),
            STATUS_CODE => self.read.status = status_of(text),
            STATUS_DESCRIPTION => self.read.description = Some(text.to_owned()),
            ERROR => (self.fail)(&Failure::new(OTHER).message(&text)),
            _ => {}
        }
    }
}

impl Visit for SpecialVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if (self.wanted)(field.name()) {
            self.text(field.name(), value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if field.name() != ERROR {
            self.record_debug(field, &format_args!("{value}"));
        } else if (self.wanted)(ERROR) {
            (self.fail)(&native::failure_of(value, OTHER));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !(self.wanted)(field.name()) {
            return;
        }
        if let Some(text) = formatted(value) {
            self.text(field.name(), &text);
        }
    }

    // A number or a bool under one of these names is an attribute.
    fn record_f64(&mut self, _: &Field, _: f64) {}
    fn record_i64(&mut self, _: &Field, _: i64) {}
    fn record_u64(&mut self, _: &Field, _: u64) {}
    fn record_i128(&mut self, _: &Field, _: i128) {}
    fn record_u128(&mut self, _: &Field, _: u128) {}
    fn record_bool(&mut self, _: &Field, _: bool) {}
}

fn kind_of(text: &str) -> Option<Kind> {
    let kinds = [
        ("server", Kind::Server),
        ("client", Kind::Client),
        ("producer", Kind::Producer),
        ("consumer", Kind::Consumer),
        ("internal", Kind::Internal),
    ];
    let found = kinds
        .into_iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    found.map(|(_, kind)| kind)
}

fn status_of(text: &str) -> Option<StatusCode> {
    if text.eq_ignore_ascii_case("ok") {
        Some(StatusCode::Ok)
    } else if text.eq_ignore_ascii_case("error") {
        Some(StatusCode::Error)
    } else {
        None
    }
}
