//! Spans as text: pure, with a width and with colours or without.
//!
//! Each row is a span: its name and attributes, indented below its parent, a bar on the time line
//! of its trace, and its duration. What is to be shown is decided in `tree.rs`; how a text gets
//! into a column, in `text.rs`. Nothing here knows where spans come from or where the text goes.

use std::time::SystemTime;

use opentelemetry::trace::{Event, Status};
use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents};

use super::state::{SpanState, error_type, in_order, is_news, is_statement, kind, length, state};
use super::text::{self, Color, Piece, Style, escape, fit, human, on_one_line, time_of_day};
use super::trace_collector::{Gaps, Part};
use super::tree::{self, Folded, Item, ParentLink, Row, Trace};

/// Draws all traces, the earliest first, in lines of at most `width` columns (and at least 40).
///
/// A heading has the time of day, in UTC, at which its trace starts, if there is room. Siblings stand in the order
/// of their starts, whichever thread they ran on. Attributes of the thread, the level and the target are the last
/// of their span; those of the place in source are left out. A statement of SQL is on one line.
///
/// More than ten siblings of one name are folded: the first, the slowest and some that have failed
/// keep their rows. One row counts the others, with their shortest, longest and total time. No more than 32 levels and 500 rows of a trace are
/// drawn, four events of a span and 400 characters of a text; what is left is counted, or ends in `…`.
/// Characters that could do something to the terminal, or that are not to be seen, are spelled out, as
/// `\u{200b}`.
pub fn draw(spans: &[SpanData], width: usize, color: Color) -> String {
    let canvas = Canvas::new(width, color, Gaps::default());
    let traces = tree::traces(spans);
    let traces: Vec<String> = traces.iter().map(|trace| canvas.trace(trace)).collect();
    traces.join("\n")
}

/// Draws one part of one trace, and says in its heading which.
pub(super) fn draw_part(part: &Part, width: usize, color: Color) -> String {
    let canvas = Canvas::new(width, color, part.gaps);
    let traces = tree::traces(&part.spans);
    traces.iter().map(|trace| canvas.trace(trace)).collect()
}

const DURATION: usize = 8;
const NARROWEST: usize = 40;
const WIDEST: usize = 240;

/// How the columns share the width: label, bar, duration.
struct Canvas {
    label: usize,
    bar: usize,
    color: Color,
    gaps: Gaps,
}

impl Canvas {
    fn new(width: usize, color: Color, gaps: Gaps) -> Self {
        let room = width.clamp(NARROWEST, WIDEST) - DURATION - 2;
        let label = room * 3 / 5;
        Canvas {
            label,
            bar: room - label,
            color,
            gaps,
        }
    }

    fn width(&self) -> usize {
        self.label + 1 + self.bar + 1 + DURATION
    }

    fn trace(&self, trace: &Trace<'_>) -> String {
        let mut text = self.heading(trace);
        for row in &trace.rows {
            match &row.item {
                Item::Span(span, parent) => {
                    text.push_str(&self.span(trace, row, span, *parent));
                    text.push_str(&self.events(row, span));
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
            Piece::new(Style::Plain, format!("  {}", count(trace.spans, "span"))),
        ];
        let notes = self.gaps.notes().map(|note| format!("  {note}"));
        pieces.extend(notes.map(|note| Piece::new(Style::Yellow, note)));
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
        let time = format!("  {}", time_of_day(trace.start));
        let time = Piece::new(Style::Dim, time);
        let needed = pieces.iter().map(Piece::columns).sum::<usize>() + time.columns();
        if needed <= self.width() {
            pieces.insert(1, time);
        }
        let line = fit(&pieces, self.width(), self.color);
        format!("{}\n", line.trim_end())
    }

    fn span(
        &self,
        trace: &Trace<'_>,
        row: &Row<'_>,
        span: &SpanData,
        parent: ParentLink,
    ) -> String {
        let style = match state(span) {
            SpanState::Failed => Style::Red,
            SpanState::Cancelled => Style::Yellow,
            SpanState::Quiet => Style::Cyan,
        };
        let bar = bar(trace, span.start_time, span.end_time, self.bar);
        let took = human(length(span.start_time, span.end_time));
        self.line(
            &self.label(row, span, parent),
            Piece::new(style, bar),
            &took,
        )
    }

    fn label(&self, row: &Row<'_>, span: &SpanData, parent: ParentLink) -> Vec<Piece> {
        let (style, mark) = match state(span) {
            SpanState::Failed => (Style::Red, format!(" !{}", escape(&error_type(span)))),
            SpanState::Cancelled => (Style::Yellow, " ~cancelled".to_owned()),
            SpanState::Quiet => (Style::Bold, String::new()),
        };
        let origin = match parent {
            ParentLink::Known => "",
            ParentLink::Remote => "parent elsewhere",
            ParentLink::Orphan => self.gaps.absence(),
        };
        let mut pieces = vec![
            Piece::new(Style::Dim, row.guides.clone()),
            Piece::new(style, escape(&span.name)),
            Piece::new(Style::Dim, bracketed(kind(&span.span_kind))),
            Piece::new(style, mark),
            Piece::new(Style::Yellow, bracketed(origin)),
        ];
        pieces.extend(attributes(&span.attributes));
        if !span.links.is_empty() {
            let links = format!(" ({})", count(span.links.len(), "link"));
            pieces.push(Piece::new(Style::Dim, links));
        }
        pieces
    }

    fn folded(&self, trace: &Trace<'_>, row: &Row<'_>, folded: &Folded<'_>) -> String {
        let label = [
            Piece::new(Style::Dim, row.guides.clone()),
            Piece::new(Style::Dim, folded_text(folded)),
        ];
        let bar = shade(trace, folded.start, folded.end, self.bar);
        self.line(&label, Piece::new(Style::Dim, bar), &human(folded.took))
    }

    fn line(&self, label: &[Piece], bar: Piece, took: &str) -> String {
        let label = fit(label, self.label, self.color);
        let bar = fit(&[bar], self.bar, self.color);
        format!("{label} {bar} {took:>DURATION$}\n")
    }

    /// Each on a line of its own, with the time since the start of the span.
    fn events(&self, row: &Row<'_>, span: &SpanData) -> String {
        let SpanEvents {
            events,
            dropped_count,
            ..
        } = &span.events;
        let news: Vec<&Event> = events.iter().filter(|one| !is_status(one, span)).collect();
        let mut text = String::new();
        for event in news.iter().take(MOST_EVENTS) {
            let style = match &*event.name {
                "exception" => Style::Red,
                _ => Style::Plain,
            };
            let after = human(length(span.start_time, event.timestamp));
            let mut pieces = vec![
                Piece::new(style, format!("• {}", escape(&event.name))),
                Piece::new(Style::Dim, format!(" +{after}")),
            ];
            pieces.extend(attributes(&event.attributes));
            text.push_str(&self.detail(row, pieces));
        }
        let more = news.len().saturating_sub(MOST_EVENTS) + *dropped_count as usize;
        if more > 0 {
            let more = format!("• … {} more", count(more, "event"));
            text.push_str(&self.detail(row, vec![Piece::new(Style::Dim, more)]));
        }
        text
    }

    /// What went wrong, on a line of its own, which has room for it.
    fn failure(&self, row: &Row<'_>, span: &SpanData) -> String {
        match &span.status {
            Status::Error { description } if !description.is_empty() && !row.explained => {
                let text = format!("! {}", escape(description));
                self.detail(row, vec![Piece::new(Style::Red, text)])
            }
            _ => String::new(),
        }
    }

    /// A line that belongs to the span above it.
    fn detail(&self, row: &Row<'_>, mut pieces: Vec<Piece>) -> String {
        pieces.insert(0, Piece::new(Style::Dim, row.below.clone()));
        let line = fit(&pieces, self.width(), self.color);
        format!("{}\n", line.trim_end())
    }
}

/// Whether an event says what the status says too, which has a line of its own.
fn is_status(event: &Event, span: &SpanData) -> bool {
    let is_message = |pair: &&KeyValue| pair.key.as_str() == "exception.message";
    let message = event.attributes.iter().find(is_message);
    match (&span.status, message) {
        (Status::Error { description }, Some(message)) => message.value.as_str() == *description,
        _ => false,
    }
}

/// Events of a span that get a line.
const MOST_EVENTS: usize = 4;

/// `1 span`, `2 spans`.
fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

fn folded_text(folded: &Folded<'_>) -> String {
    let Folded { spans, inside, .. } = folded;
    let mut text = match folded.name {
        Some(name) => format!("… {spans} more {}", escape(name)),
        None => format!("… {} more", count(*spans, "span")),
    };
    if folded.troubled > 0 {
        text.push_str(&format!(", {} with trouble", folded.troubled));
    }
    if folded.name.is_some() {
        let (least, most) = (human(folded.least), human(folded.most));
        text.push_str(&format!(", each {least}–{most}"));
    }
    if *inside > 0 {
        text.push_str(&format!(", with {inside} inside"));
    }
    text
}

fn bracketed(word: &str) -> String {
    match word {
        "" => String::new(),
        _ => format!(" ({word})"),
    }
}

fn attributes(attributes: &[KeyValue]) -> impl Iterator<Item = Piece> {
    let shown = in_order(attributes).filter(|attribute| is_news(attribute));
    shown.map(|KeyValue { key, value, .. }| {
        let (key, value) = (Key::as_str(key), value.as_str());
        let value = if is_statement(key) {
            text::value(&on_one_line(&value))
        } else {
            text::value(&value)
        };
        Piece::new(Style::Dim, format!(" {}={value}", escape(key)))
    })
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
