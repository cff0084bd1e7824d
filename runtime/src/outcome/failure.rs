//! The outcome of a returned value: success, or how it failed.
//!
//! The trait and its data are here, and how much of an error's text is recorded. How generated code
//! chooses the reading for a type is in `probe.rs`. A failure becomes a status, an attribute and an event in
//! `span/recording_state.rs`.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;

use opentelemetry::KeyValue;

use crate::context::unwind::{self, Payload};

/// A returned value that can tell failure from success.
///
/// `Result` has it: an `Err` is a failure. `Option` and `ControlFlow` have it and never fail.
/// Implement it for a type of your own, for instance a response whose status is a 5xx:
///
/// ```
/// use enter_span::{Failure, Outcome};
///
/// struct Response {
///     status: u16,
/// }
///
/// impl Outcome for Response {
///     fn failure(&self) -> Option<Failure<'_>> {
///         (self.status >= 500).then(|| Failure::new(self.status.to_string()))
///     }
/// }
/// ```
///
/// It is asked once, when the span ends, and only while the span is traced.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither `Result` nor `Option`, nor has it an `Outcome` of its own",
    label = "this value cannot say that it failed",
    note = "implement `enter_span::Outcome` for it, or drop `err`"
)]
pub trait Outcome {
    /// How the value failed, or `None` if it did not.
    fn failure(&self) -> Option<Failure<'_>>;
}

impl<T, E: fmt::Display> Outcome for Result<T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        let error = self.as_ref().err()?;
        Some(Failure::new(type_name::<E>()).message(error))
    }
}

impl<T> Outcome for Option<T> {
    fn failure(&self) -> Option<Failure<'_>> {
        None
    }
}

impl<B, C> Outcome for ControlFlow<B, C> {
    fn failure(&self) -> Option<Failure<'_>> {
        None
    }
}

/// How something failed: a type, and the text that goes with it.
///
/// The type becomes `error.type` and the text the status description, as OpenTelemetry's semantic
/// conventions have it. Which of them leaves the process is decided by [`ErrorDetail`].
pub struct Failure<'a> {
    kind: Cow<'a, str>,
    text: Text<'a>,
}

enum Text<'a> {
    None,
    Message(&'a dyn fmt::Display),
    Error(&'a (dyn Error + 'a)),
}

impl<'a> Failure<'a> {
    /// A failure of this type: a class of errors with few values, such as `"503"` or a type name.
    pub fn new(kind: impl Into<Cow<'a, str>>) -> Self {
        Failure {
            kind: kind.into(),
            text: Text::None,
        }
    }

    /// A failure by this error: its type's name, its text and its sources.
    pub fn of<E: Error>(error: &'a E) -> Self {
        Failure {
            kind: Cow::Borrowed(type_name::<E>()),
            text: Text::Error(error),
        }
    }

    /// The text that says what went wrong.
    #[must_use]
    pub fn message(self, message: &'a dyn fmt::Display) -> Self {
        let text = Text::Message(message);
        Failure { text, ..self }
    }

    /// A failure by an error that this name says more of than its own type.
    pub(crate) fn by(kind: &'static str, error: &'a (dyn Error + 'a)) -> Self {
        Failure {
            kind: Cow::Borrowed(kind),
            text: Text::Error(error),
        }
    }

    /// A failure by an error whose type is not known: the innermost one that can be found names it.
    pub(crate) fn of_dyn(error: &'a (dyn Error + 'static), fallback: &'static str) -> Self {
        let name = unwind::shielded(|| innermost_type(error)).flatten();
        Failure {
            kind: Cow::Borrowed(name.unwrap_or(fallback)),
            text: Text::Error(error),
        }
    }
}

impl fmt::Debug for Failure<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Failure")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// How much an error may say about itself outside of the process.
///
/// The installation sets the most that is allowed, with [`set_error_detail`](crate::set_error_detail).
/// A function may lower it for itself (`err = type`), and can never raise it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorDetail {
    /// The status and `error.type`. No event, no text.
    Status,
    /// The same, and one `exception` event with the type. No text.
    Type,
    /// The same, with the error's own `Display` text. The default.
    #[default]
    Message,
    /// The same, with the texts of all its sources: `outer: inner: innermost`.
    Full,
}

/// What is written on the span for a failure, once the policy has been applied.
pub(crate) struct FailureReport {
    pub(crate) kind: String,
    pub(crate) message: Option<String>,
    pub(crate) event: bool,
}

impl FailureReport {
    /// Formats user values, so it must not run under a lock. A panic there costs the text.
    pub(crate) fn of(failure: &Failure<'_>, detail: ErrorDetail) -> Self {
        FailureReport {
            kind: failure.kind.clone().into_owned(),
            message: unwind::shielded(|| failure.text.read(detail)).flatten(),
            event: detail >= ErrorDetail::Type,
        }
    }

    pub(crate) fn of_panic(payload: &Payload, detail: ErrorDetail) -> Self {
        let message = unwind::panic_message(payload).map(str::to_owned);
        FailureReport {
            kind: "panic".to_owned(),
            message: message.filter(|_| detail >= ErrorDetail::Message),
            event: detail >= ErrorDetail::Type,
        }
    }
}

impl FailureReport {
    /// The attributes of an `exception` event.
    pub(crate) fn exception(&self) -> Vec<KeyValue> {
        let mut attributes = vec![KeyValue::new("exception.type", self.kind.clone())];
        let message = self.message.clone();
        attributes.extend(message.map(|text| KeyValue::new("exception.message", text)));
        attributes
    }
}

impl Text<'_> {
    fn read(&self, detail: ErrorDetail) -> Option<String> {
        if detail < ErrorDetail::Message {
            return None;
        }
        match self {
            Text::None => None,
            Text::Message(message) => Some(message.to_string()),
            Text::Error(error) if detail < ErrorDetail::Full => Some(error.to_string()),
            Text::Error(error) => Some(with_sources(*error)),
        }
    }
}

/// A cycle of sources must not hold the program.
const MOST_SOURCES: usize = 32;

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    for _ in 0..MOST_SOURCES {
        let Some(source) = next else {
            break;
        };
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// The name behind a `dyn Error`, which carries none: it is compared with the standard library's
/// error types, from the innermost source outwards.
fn innermost_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let chain = std::iter::successors(Some(error), |&error| error.source()).take(MOST_SOURCES);
    chain.filter_map(standard_type).last()
}

macro_rules! known_types {
    ($error:ident: $($type:ty),+ $(,)?) => {
        [$(($error.is::<$type>(), type_name::<$type>())),+]
    };
}

fn standard_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let known = known_types![error:
        std::io::Error,
        std::fmt::Error,
        std::num::ParseIntError,
        std::num::ParseFloatError,
        std::num::TryFromIntError,
        std::str::ParseBoolError,
        std::str::Utf8Error,
        std::string::FromUtf8Error,
        std::char::ParseCharError,
        std::array::TryFromSliceError,
        std::env::VarError,
        std::ffi::NulError,
        std::net::AddrParseError,
        std::sync::mpsc::RecvError,
        std::sync::mpsc::RecvTimeoutError,
        std::time::SystemTimeError,
    ];
    let found = known.into_iter().find(|(same, _)| *same);
    found.map(|(_, name)| name)
}
