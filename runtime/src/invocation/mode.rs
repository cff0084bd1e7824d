//! How the traces of a run are connected, and the variable that sets it.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

const VARIABLE: &str = "ENTER_SPAN_TRACE_MODE";

/// How the traces of a run are connected.
///
/// Set it in code, or else by the environment: `ENTER_SPAN_TRACE_MODE=continuous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceMode {
    /// Each invocation is a trace of its own, linked to its delivery and its origin.
    #[default]
    Linked,
    /// All invocations are in one trace, each below the one that sent it.
    Continuous,
}

/// A text that is no [`TraceMode`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTraceMode(String);

impl TraceMode {
    /// As `ENTER_SPAN_TRACE_MODE` says at this moment; linked, if it is not set or empty.
    ///
    /// A value that is no mode means linked, and is reported once on stderr. At most 16 values are reported, and
    /// values whose first 64 characters are the same count as one.
    pub fn from_env() -> Self {
        let value = std::env::var_os(VARIABLE);
        TraceMode::of_value(value.as_deref())
    }

    fn of_value(value: Option<&OsStr>) -> Self {
        let value = value.map(OsStr::to_string_lossy).unwrap_or_default();
        if value.is_empty() {
            return TraceMode::Linked;
        }
        value.parse().unwrap_or_else(|unknown| {
            warn_once(unknown);
            TraceMode::Linked
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            TraceMode::Linked => "linked",
            TraceMode::Continuous => "continuous",
        }
    }
}

/// Nothing but the exact words.
impl FromStr for TraceMode {
    type Err = UnknownTraceMode;

    fn from_str(text: &str) -> Result<Self, UnknownTraceMode> {
        match text {
            "linked" => Ok(TraceMode::Linked),
            "continuous" => Ok(TraceMode::Continuous),
            other => Err(UnknownTraceMode(other.chars().take(LONGEST).collect())),
        }
    }
}

/// Characters of an unknown value that are kept.
const LONGEST: usize = 64;

impl fmt::Display for TraceMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownTraceMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownTraceMode(value) = self;
        write!(
            formatter,
            "{value:?} is no trace mode; write `linked` or `continuous`"
        )
    }
}

impl std::error::Error for UnknownTraceMode {}

/// Values that were reported. More of them would be noise.
static WARNED: Mutex<Vec<UnknownTraceMode>> = Mutex::new(Vec::new());
const MOST_WARNED: usize = 16;

#[cold]
fn warn_once(unknown: UnknownTraceMode) {
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.contains(&unknown) || warned.len() >= MOST_WARNED {
        return;
    }
    let warning = format!("enter_span: {VARIABLE}: {unknown}. Linked is used.\n");
    warned.push(unknown);
    drop(warned);
    // Without a stderr there is nobody to warn.
    let _ = std::io::stderr().write_all(warning.as_bytes());
}
