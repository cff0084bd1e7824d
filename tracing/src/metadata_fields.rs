//! What spans and events say of their callsite, as far as the layer's settings have it.

use enter_span::native::BridgedFields;
use opentelemetry::Value;
use tracing_core::Metadata;

/// What spans and events say of their callsite.
#[derive(Clone, Copy)]
pub(crate) struct MetadataFields {
    /// Unless it is set, events say it.
    pub(crate) level: Option<bool>,
    /// The same.
    pub(crate) target: Option<bool>,
    pub(crate) location: bool,
}

impl MetadataFields {
    pub(crate) fn describe(
        self,
        metadata: &'static Metadata<'static>,
        fields: &mut BridgedFields<'_>,
    ) {
        if self.level == Some(true) {
            fields.text("level", metadata.level().as_str());
        }
        if self.target == Some(true) {
            fields.text("target", metadata.target());
        }
    }

    /// For a log record, which has places of its own for them.
    #[cfg(feature = "logs")]
    pub(crate) fn without_level_and_target(self) -> Self {
        MetadataFields {
            level: Some(false),
            target: Some(false),
            ..self
        }
    }

    /// The attributes of an event that come of its callsite.
    pub(crate) fn each(
        self,
        metadata: &'static Metadata<'static>,
        mut pair: impl FnMut(&'static str, Value),
    ) {
        if self.level != Some(false) {
            pair("level", metadata.level().as_str().into());
        }
        if self.target != Some(false) {
            pair("target", metadata.target().into());
        }
        if !self.location {
            return;
        }
        if let Some(module) = metadata.module_path() {
            pair("code.function.name", module.into());
        }
        if let Some(file) = metadata.file() {
            pair("code.file.path", file.into());
        }
        if let Some(line) = metadata.line() {
            pair("code.line.number", i64::from(line).into());
        }
    }
}
