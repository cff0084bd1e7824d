//! The ids of the current span, for lines of text.

use std::fmt;

use enter_span::{SpanId, TraceId};

/// The ids of the current span as `trace_id=.. span_id=.. `, and nothing outside of spans: see [`ids`].
#[derive(Clone, Copy, Debug)]
pub struct Ids(pub(crate) Option<(TraceId, SpanId)>);

/// The ids of the span that is current, of whatever kind, for the lines of any logger.
///
/// Displayed, they end with a space; outside of spans, and while nothing is installed, they are empty.
///
/// ```
/// use std::io::Write as _;
///
/// env_logger::Builder::new()
///     .format(|line, record| {
///         writeln!(line, "{}{} {}", enter_span_tracing::ids(), record.level(), record.args())
///     })
///     .init();
/// log::info!("outside of spans, without ids");
/// ```
pub fn ids() -> Ids {
    let identity = enter_span::Context::current().span_context();
    Ids(identity
        .is_valid()
        .then(|| (identity.trace_id(), identity.span_id())))
}

impl fmt::Display for Ids {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((trace_id, span_id)) => {
                write!(formatter, "trace_id={trace_id} span_id={span_id} ")
            }
            None => Ok(()),
        }
    }
}
