//! The ids of the current span in each line of `tracing_subscriber::fmt`, plain and JSON.

use std::fmt;

use enter_span::{SpanId, TraceId};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::ids::{Ids, ids};

/// A format of events with the ids of the current span in each line: see [`with_ids`].
#[derive(Clone, Copy, Debug, Default)]
pub struct WithIds<F>(F);

/// Puts the ids of the current span into each line of a format, plain or JSON.
///
/// A plain line begins with `trace_id=.. span_id=.. `; a line that is a JSON object, and so begins with `{`, has
/// them as its first two fields. The span is the innermost of whatever kind. Outside of spans, and while nothing
/// is installed, the line is as it was.
///
/// ```
/// use enter_span_tracing::with_ids;
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let plain = tracing_subscriber::fmt::layer().map_event_format(with_ids);
/// let json = tracing_subscriber::fmt::layer().json().map_event_format(with_ids);
/// let subscriber = tracing_subscriber::registry().with(plain).with(json);
/// ```
pub fn with_ids<F>(format: F) -> WithIds<F> {
    WithIds(format)
}

impl<S, N, F> FormatEvent<S, N> for WithIds<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let ids = ids();
        let Ids(Some((trace_id, span_id))) = ids else {
            return self.0.format_event(context, line, event);
        };
        if is_plain::<F>() {
            write!(line, "{ids}")?;
            return self.0.format_event(context, line, event);
        }
        let mut line = LineWithIds {
            line,
            trace_id,
            span_id,
            place: Place::Start,
        };
        self.0.format_event(context, Writer::new(&mut line), event)
    }
}

/// Whether this is a plain format of `tracing-subscriber`, which may write colours: a writer around its own would
/// lose them.
fn is_plain<F>() -> bool {
    let name = std::any::type_name::<F>();
    name.starts_with("tracing_subscriber::fmt::format::Format<") && !name.contains("Json")
}

/// Puts the ids into a line while it is written.
struct LineWithIds<'a> {
    line: Writer<'a>,
    trace_id: TraceId,
    span_id: SpanId,
    place: Place,
}

enum Place {
    /// Nothing is written.
    Start,
    /// Behind the ids, in an object that may have no other fields.
    Object,
    Behind,
}

impl fmt::Write for LineWithIds<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.place {
            Place::Start if text.is_empty() => Ok(()),
            Place::Start => self.start(text),
            Place::Object => self.go_on(text),
            Place::Behind => self.line.write_str(text),
        }
    }
}

impl LineWithIds<'_> {
    fn start(&mut self, text: &str) -> fmt::Result {
        let (trace_id, span_id) = (self.trace_id, self.span_id);
        if let Some(rest) = text.strip_prefix('{') {
            write!(
                self.line,
                r#"{{"trace_id":"{trace_id}","span_id":"{span_id}""#
            )?;
            self.place = Place::Object;
            self.go_on(rest)
        } else {
            write!(self.line, "{}", Ids(Some((trace_id, span_id))))?;
            self.place = Place::Behind;
            self.line.write_str(text)
        }
    }

    fn go_on(&mut self, text: &str) -> fmt::Result {
        let rest = text.trim_start();
        if !rest.is_empty() {
            self.place = Place::Behind;
            if !rest.starts_with('}') {
                self.line.write_char(',')?;
            }
        }
        self.line.write_str(text)
    }
}
