//! The standard environment variables, as OpenTelemetry's specification says.
//!
//! An empty value is ignored. A wrong one is warned of once, with the accepted form, and the default is
//! used. Values that may be secret are not shown. Each file of this folder reads one family of variables.

#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod endpoint;
mod exporter;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod header;
mod keep;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod otlp;
mod pair;
mod propagator;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod protocol;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
mod proxy;
mod resource;
mod scope;

use std::env::VarError;
use std::str::FromStr;
use std::time::Duration;

use enter_span::native::SpanLimits;

use crate::queue::limit::Limits;
use crate::sampling::sampler::Sampler;

pub(crate) use exporter::ExporterName;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) use otlp::{OtlpSettings, TlsFiles};
use pair::Malformed;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) use protocol::Protocol;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) use proxy::Proxy;

/// Gives the value of a variable, as [`std::env::var`] does.
pub(crate) type Variables = dyn Fn(&str) -> Result<String, VarError>;

/// Reads variables, and gathers what is wrong with them.
pub(crate) struct Environment<'a> {
    get: &'a Variables,
    warnings: Vec<String>,
}

impl<'a> Environment<'a> {
    pub(crate) fn new(get: &'a Variables) -> Self {
        Environment {
            get,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    fn value(&mut self, variable: &str) -> Option<String> {
        match (self.get)(variable) {
            Ok(value) => {
                let value = value.trim();
                (!value.is_empty()).then(|| value.to_owned())
            }
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => {
                self.add_warning(format!(
                    "{variable}: the value is not UTF-8, so the default applies"
                ));
                None
            }
        }
    }

    /// Once, however often it is found.
    pub(crate) fn add_warning(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn warn(&mut self, variable: &str, value: &str, accepted: &str) {
        let value = shown(value);
        self.add_warning(format!(
            "{variable}: {value} is not a valid value, so the default applies; write {accepted}"
        ));
    }

    /// Of a list that may hold secrets.
    fn warn_of_list(&mut self, variable: &str, Malformed { part }: Malformed, accepted: &str) {
        self.add_warning(format!(
            "{variable}: part {part} of the list is malformed, so the list is ignored; write {accepted}"
        ));
    }

    /// `OTEL_SDK_DISABLED`: only `true` disables.
    pub(crate) fn is_disabled(&mut self) -> bool {
        const VARIABLE: &str = "OTEL_SDK_DISABLED";
        let value = self.value(VARIABLE);
        value.is_some_and(|value| self.is_true(VARIABLE, &value))
    }

    fn is_true(&mut self, variable: &str, value: &str) -> bool {
        let words = [("true", true), ("false", false)];
        let word = self.word(variable, value, words, "`true` or `false`");
        word.unwrap_or_default()
    }

    /// One of these words, in any case.
    fn word<T, const N: usize>(
        &mut self,
        variable: &str,
        value: &str,
        words: [(&str, T); N],
        accepted: &str,
    ) -> Option<T> {
        let mut words = words.into_iter();
        let found = words.find(|(word, _)| value.eq_ignore_ascii_case(word));
        if found.is_none() {
            self.warn(variable, value, accepted);
        }
        found.map(|(_, meaning)| meaning)
    }

    /// `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`: the runtime reads it when a provider is installed, and
    /// ignores what it does not know. Here is the warning.
    pub(crate) fn check_exception_signal(&mut self) {
        const VARIABLE: &str = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
        match self.value(VARIABLE) {
            Some(value) if value != "logs" && value != "logs/dup" => {
                self.warn(VARIABLE, &value, "`logs` or `logs/dup`");
            }
            _ => {}
        }
    }

    /// The sampler, and who has chosen it.
    pub(crate) fn sampler(&mut self) -> (Sampler, &'static str) {
        match self.named_sampler() {
            Some(sampler) => (sampler, "`OTEL_TRACES_SAMPLER`"),
            None => (Sampler::default(), "default"),
        }
    }

    /// `OTEL_TRACES_SAMPLER` and its argument.
    fn named_sampler(&mut self) -> Option<Sampler> {
        const VARIABLE: &str = "OTEL_TRACES_SAMPLER";
        let value = self.value(VARIABLE)?;
        let sampler = match value.to_ascii_lowercase().as_str() {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::Ratio(self.ratio()),
            "parentbased_always_on" => Sampler::ParentBasedAlwaysOn,
            "parentbased_always_off" => Sampler::ParentBasedAlwaysOff,
            "parentbased_traceidratio" => Sampler::ParentBasedRatio(self.ratio()),
            _ => {
                let accepted = "`always_on`, `always_off`, `traceidratio`, `parentbased_always_on`, `parentbased_always_off` or `parentbased_traceidratio`";
                self.warn(VARIABLE, &value, accepted);
                return None;
            }
        };
        Some(sampler)
    }

    /// From 0 to 1; without it, everything.
    fn ratio(&mut self) -> f64 {
        const VARIABLE: &str = "OTEL_TRACES_SAMPLER_ARG";
        let Some(value) = self.value(VARIABLE) else {
            return 1.0;
        };
        match value.parse() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
            _ => {
                self.warn(VARIABLE, &value, "a number from 0 to 1, as `0.25`");
                1.0
            }
        }
    }

    /// `OTEL_BSP_*`.
    pub(crate) fn limits(&mut self) -> Limits {
        let default = Limits::default();
        let queue_spans = self.at_least_one("OTEL_BSP_MAX_QUEUE_SIZE");
        let queue_spans = queue_spans.unwrap_or(default.queue_spans);
        Limits {
            queue_spans,
            batch_spans: self.batch_spans(queue_spans, default.batch_spans),
            interval: self.time("OTEL_BSP_SCHEDULE_DELAY", default.interval),
            export_timeout: self.timeout("OTEL_BSP_EXPORT_TIMEOUT", default.export_timeout),
            ..default
        }
    }

    /// A batch cannot be larger than the queue.
    fn batch_spans(&mut self, queue_spans: usize, default: usize) -> usize {
        const VARIABLE: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
        match self.at_least_one(VARIABLE) {
            Some(spans) if spans > queue_spans => {
                let accepted = format!("at most the size of the queue, {queue_spans}");
                self.warn(VARIABLE, &spans.to_string(), &accepted);
                default.min(queue_spans)
            }
            Some(spans) => spans,
            None => default.min(queue_spans),
        }
    }

    /// `OTEL_SPAN_*`, `OTEL_EVENT_*`, `OTEL_LINK_*`, and the general ones for what they leave open.
    pub(crate) fn span_limits(&mut self) -> SpanLimits {
        let default = SpanLimits::default();
        let count = self.number("OTEL_ATTRIBUTE_COUNT_LIMIT");
        let text = self.number("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
        let mut attributes = |variable| self.number(variable).or(count);
        default
            .with_attributes(
                attributes("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").unwrap_or(default.attributes),
            )
            .with_event_attributes(
                attributes("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT").unwrap_or(default.event_attributes),
            )
            .with_link_attributes(
                attributes("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT").unwrap_or(default.link_attributes),
            )
            .with_text(
                self.number("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")
                    .or(text),
            )
            .with_events(
                self.number("OTEL_SPAN_EVENT_COUNT_LIMIT")
                    .unwrap_or(default.events),
            )
            .with_links(
                self.number("OTEL_SPAN_LINK_COUNT_LIMIT")
                    .unwrap_or(default.links),
            )
    }

    fn number(&mut self, variable: &str) -> Option<usize> {
        self.parse(variable, "a whole number, as `128`")
    }

    fn at_least_one(&mut self, variable: &str) -> Option<usize> {
        let number = self.parse::<std::num::NonZeroUsize>(variable, "a whole number from 1");
        number.map(std::num::NonZeroUsize::get)
    }

    fn time(&mut self, variable: &str, default: Duration) -> Duration {
        let time = self.parse(variable, "a whole number of milliseconds, as `5000`");
        time.map_or(default, Duration::from_millis)
    }

    /// As the specification asks, 0 is no limit.
    fn timeout(&mut self, variable: &str, default: Duration) -> Duration {
        match self.time(variable, default) {
            Duration::ZERO => Duration::MAX,
            time => time,
        }
    }

    /// The names of a list, each once. Unknown ones are ignored with a warning; `None` if nothing is
    /// left.
    fn list<T: PartialEq>(
        &mut self,
        variable: &str,
        known: impl Fn(&str) -> Option<T>,
        accepted: &str,
    ) -> Option<Vec<T>> {
        let value = self.value(variable)?;
        let (mut list, mut unknown) = (Vec::new(), Vec::new());
        for name in value.split(',').map(str::trim) {
            match known(&name.to_ascii_lowercase()) {
                Some(known) if list.contains(&known) => {}
                Some(known) => list.push(known),
                None if name.is_empty() => {}
                None => unknown.push(name),
            }
        }
        match (list.is_empty(), unknown.join(",")) {
            (true, _) => {
                self.warn(variable, &value, accepted);
                return None;
            }
            (false, unknown) if unknown.is_empty() => {}
            (false, unknown) => {
                let unknown = shown(&unknown);
                self.add_warning(format!(
                    "{variable}: {unknown} is not a valid value, so it is ignored; write {accepted}"
                ));
            }
        }
        Some(list)
    }

    fn parse<T: FromStr>(&mut self, variable: &str, accepted: &str) -> Option<T> {
        let value = self.value(variable)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.warn(variable, &value, accepted);
        }
        parsed
    }
}

/// A wrong value as a warning shows it. What looks like a URL, a pair or a token may be a secret that has
/// got into the wrong variable, and is not shown.
fn shown(value: &str) -> String {
    const LONGEST: usize = 64;
    if value.len() > LONGEST || value.contains(['@', ':', '?', '=', '%']) {
        HIDDEN.to_owned()
    } else {
        format!("\"{}\"", value.escape_debug())
    }
}

/// The same for a value that is made of pairs.
fn quoted(value: &str) -> String {
    const LONGEST: usize = 64;
    if value.len() > LONGEST || value.contains(['@', ':', '?', '%']) {
        HIDDEN.to_owned()
    } else {
        format!("\"{}\"", value.escape_debug())
    }
}

/// In place of such a value.
const HIDDEN: &str = "the value, which may be secret,";
