//! Finished spans as a waterfall for a terminal: pure, from spans to text.
//!
//! Each row is a span: its name and attributes, indented below its parent, a bar on the time line
//! of its trace, and its duration. What is to be shown is decided in `tree.rs`; how a text gets
//! into a column, in `text.rs`. Nothing here knows where spans come from or where the text goes.

#[cfg(test)]
mod tests;
mod text;
mod tree;

use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

pub(crate) use text::{Colour, escape};
use text::{Piece, Style, fit, human};
use tree::{Folded, Item, Place, Row, Trace};

/// Draws all traces, the earliest first, in lines of at most `width` columns (and at least 40).
pub(crate) fn draw(spans: &[SpanData], width: usize, colour: Colour) -> String {
    let canvas = Canvas::new(width, colour);
    let traces = tree::traces(spans);
    let traces: Vec<String> = traces.iter().map(|trace| canvas.trace(trace)).collect();
    traces.join("\n")
}

const DURATION: usize = 8;
const NARROWEST: usize = 40;
const WIDEST: usize = 240;

/// How the columns share the width: label, bar, duration.
struct Canvas {
    label: usize,
    bar: usize,
    colour: Colour,
}

impl Canvas {
    fn new(width: usize, colour: Colour) -> Self {
        let room = width.clamp(NARROWEST, WIDEST) - DURATION - 2;
        let label = room * 3 / 5;
        Canvas {
            label,
            bar: room - label,
            colour,
        }
    }

    fn width(&self) -> usize {
        self.label + 1 + self.bar + 1 + DURATION
    }

    fn trace(&self, trace: &Trace<'_>) -> String {
        let mut text = self.heading(trace);
        for row in &trace.rows {
            match &row.item {
                Item::Span(span, place) => {
                    text.push_str(&self.span(trace, row, span, *place));
                    text.push_str(&self.failure(row, span));
                }
                Item::Folded(folded) => text.push_str(&self.folded(trace, row, folded)),
            }
        }
        text
    }

    fn heading(&self, trace: &Trace<'_>) -> String {
        let mut pieces = vec![
            Piece::new(Style::Bold, format!("trace {}", trace.id)),
            Piece::new(Style::Plain, format!("  {} spans", trace.spans)),
        ];
        if trace.failed > 0 {
            let failed = format!("  {} failed", trace.failed);
            pieces.push(Piece::new(Style::Red, failed));
        }
        if trace.cancelled > 0 {
            let cancelled = format!("  {} cancelled", trace.cancelled);
            pieces.push(Piece::new(Style::Yellow, cancelled));
        }
        if trace.roots > 1 {
            let took = human(length(trace.start, trace.end));
            pieces.push(Piece::new(Style::Plain, format!("  {took}")));
        }
        let line = fit(&pieces, self.width(), self.colour);
        format!("{}\n", line.trim_end())
    }

    fn span(&self, trace: &Trace<'_>, row: &Row<'_>, span: &SpanData, place: Place) -> String {
        let style = match state(span) {
            State::Failed => Style::Red,
            State::Cancelled => Style::Yellow,
            State::Quiet => Style::Cyan,
        };
        let bar = bar(trace, span.start_time, span.end_time, self.bar);
        let took = human(length(span.start_time, span.end_time));
        self.line(&label(row, span, place), Piece::new(style, bar), &took)
    }

    fn folded(&self, trace: &Trace<'_>, row: &Row<'_>, folded: &Folded<'_>) -> String {
        let mut text = format!("… {} more {}", folded.count, escape(folded.name));
        if folded.troubled > 0 {
            text.push_str(&format!(" ({} with trouble)", folded.troubled));
        }
        text.push_str(", together");
        let label = [
            Piece::new(Style::Dim, row.guides.clone()),
            Piece::new(Style::Dim, text),
        ];
        let bar = shade(trace, folded.start, folded.end, self.bar);
        self.line(&label, Piece::new(Style::Dim, bar), &human(folded.total))
    }

    fn line(&self, label: &[Piece], bar: Piece, took: &str) -> String {
        let label = fit(label, self.label, self.colour);
        let bar = fit(&[bar], self.bar, self.colour);
        format!("{label} {bar} {took:>DURATION$}\n")
    }

    /// What went wrong, on a line of its own, which has room for it.
    fn failure(&self, row: &Row<'_>, span: &SpanData) -> String {
        let description = match &span.status {
            Status::Error { description } if !description.is_empty() => description,
            _ => return String::new(),
        };
        if row.explained {
            return String::new();
        }
        let pieces = [
            Piece::new(Style::Dim, row.below.clone()),
            Piece::new(Style::Red, format!("! {}", escape(description))),
        ];
        let line = fit(&pieces, self.width(), self.colour);
        format!("{}\n", line.trim_end())
    }
}

fn label(row: &Row<'_>, span: &SpanData, place: Place) -> Vec<Piece> {
    let (style, mark) = match state(span) {
        State::Failed => (Style::Red, format!(" !{}", error_type(span))),
        State::Cancelled => (Style::Yellow, " ~cancelled".to_owned()),
        State::Quiet => (Style::Bold, String::new()),
    };
    let origin = match place {
        Place::Known => "",
        Place::Remote => " (parent elsewhere)",
        Place::Orphan => " (parent missing)",
    };
    let mut pieces = vec![
        Piece::new(Style::Dim, row.guides.clone()),
        Piece::new(style, escape(&span.name)),
        Piece::new(Style::Dim, kind(&span.span_kind)),
        Piece::new(style, mark),
        Piece::new(Style::Yellow, origin),
    ];
    let shown = span
        .attributes
        .iter()
        .filter(|attribute| is_news(attribute));
    pieces.extend(shown.map(|attribute| {
        let key = escape(attribute.key.as_str());
        let value = text::value(&attribute.value.as_str());
        Piece::new(Style::Dim, format!(" {key}={value}"))
    }));
    pieces
}

fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "",
        SpanKind::Client => " (client)",
        SpanKind::Server => " (server)",
        SpanKind::Producer => " (producer)",
        SpanKind::Consumer => " (consumer)",
    }
}

/// Whether an attribute says what the row does not say already.
fn is_news(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    !key.starts_with("code.") && key != "error.type" && key != OUTCOME
}

const OUTCOME: &str = "enter_span.outcome";

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Quiet,
    Failed,
    Cancelled,
}

fn state(span: &SpanData) -> State {
    let cancelled = attribute(span, OUTCOME).is_some_and(|outcome| outcome == "cancelled");
    match span.status {
        Status::Error { .. } => State::Failed,
        _ if cancelled => State::Cancelled,
        _ => State::Quiet,
    }
}

/// The last part of the type's path, without its generics: the rest is in the way here.
fn error_type(span: &SpanData) -> String {
    let path = attribute(span, "error.type").unwrap_or_default();
    let path = path.split('<').next().unwrap_or(&path);
    escape(path.rsplit("::").next().unwrap_or(path))
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|a| a.key.as_str() == key)?;
    Some(found.value.as_str().into_owned())
}

/// A span cannot have taken less than no time, whatever the clocks said.
fn length(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}

/// A bar is drawn in eighths of a column.
const EIGHTHS: usize = 8;
const FROM_LEFT: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// From `start` to `end` on the trace's time line, to scale. Something is always to be seen.
fn bar(trace: &Trace<'_>, start: SystemTime, end: SystemTime, columns: usize) -> String {
    let (from, to) = extent(trace, start, end, columns * EIGHTHS);
    let glyph = |column: usize| {
        let (left, right) = (column * EIGHTHS, (column + 1) * EIGHTHS);
        let covered = to.min(right).saturating_sub(from.max(left));
        match covered {
            // There are no blocks that grow from the right but these two.
            1.. if from > left && to >= right => {
                if covered < 3 {
                    '▕'
                } else {
                    '▐'
                }
            }
            _ => FROM_LEFT[covered],
        }
    };
    (0..columns).map(glyph).collect()
}

/// The same for several spans, which need not fill what lies between the first and the last.
fn shade(trace: &Trace<'_>, start: SystemTime, end: SystemTime, columns: usize) -> String {
    let (from, to) = extent(trace, start, end, columns);
    let glyph = |column| {
        if (from..to).contains(&column) {
            '░'
        } else {
            ' '
        }
    };
    (0..columns).map(glyph).collect()
}

/// Where `start` and `end` fall if the trace is that many units long: at least one unit apart.
fn extent(trace: &Trace<'_>, start: SystemTime, end: SystemTime, units: usize) -> (usize, usize) {
    let total = length(trace.start, trace.end).as_nanos().max(1);
    let at = |time| {
        let offset = length(trace.start, time).as_nanos().min(total);
        usize::try_from(offset * units as u128 / total).unwrap_or(units)
    };
    let from = at(start).min(units - 1);
    (from, at(end).max(from + 1))
}
