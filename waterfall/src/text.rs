//! Text in a column: made harmless, cut by display width, colored, padded.
//!
//! Invisible and blank characters are spelled out. Console and page share one set of them: a test compares this
//! file with `page.js`.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use unicode_width::UnicodeWidthChar as _;

/// Whether the text may hold the escape sequences of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Text alone.
    None,
    /// The eight colours that every terminal has.
    Ansi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Cyan,
}

/// A text in one style, already escaped.
pub(super) struct Piece {
    style: Style,
    text: String,
}

impl Piece {
    pub(super) fn new(style: Style, text: impl Into<String>) -> Self {
        Piece {
            style,
            text: text.into(),
        }
    }

    pub(super) fn columns(&self) -> usize {
        columns(&self.text)
    }
}

/// The pieces in exactly `width` columns: padded, or cut with `…` as the last column.
pub(super) fn fit(pieces: &[Piece], width: usize, color: Color) -> String {
    let needed: usize = pieces.iter().map(Piece::columns).sum();
    let mut room = if needed > width { width - 1 } else { width };
    let mut line = String::new();
    for piece in pieces {
        let (text, whole) = head(&piece.text, room);
        room -= columns(text);
        line.push_str(&paint(text, piece.style, color));
        if !whole {
            break;
        }
    }
    if needed > width {
        line.push('…');
    }
    line.extend(std::iter::repeat_n(' ', room));
    line
}

/// As much of the text as has room, and whether that is all.
fn head(text: &str, room: usize) -> (&str, bool) {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += c.width().unwrap_or(0);
        if taken > room {
            return (&text[..at], false);
        }
    }
    (text, true)
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn paint(text: &str, style: Style, color: Color) -> String {
    let code = match style {
        Style::Plain => "",
        Style::Bold => "1",
        Style::Dim => "2",
        Style::Red => "31",
        Style::Yellow => "33",
        Style::Cyan => "36",
    };
    match color {
        Color::Ansi if !code.is_empty() && !text.is_empty() => {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        }
        _ => text.to_owned(),
    }
}

/// Nobody reads more of one text in a terminal, and a hostile one may be endless.
const MOST_CHARS: usize = 400;

/// Foreign text that does nothing to a terminal: what is not to be seen is spelled out.
pub(super) fn escape(text: &str) -> String {
    let mut rest = text.chars();
    let mut escaped = String::new();
    for c in rest.by_ref().take(MOST_CHARS) {
        match c {
            _ if is_harmless(c) => escaped.push(c),
            _ => escaped.extend(c.escape_default()),
        }
    }
    if rest.next().is_some() {
        escaped.push('…');
    }
    escaped
}

fn is_harmless(c: char) -> bool {
    !HIDDEN.iter().any(|hidden| hidden.contains(&c))
}

/// What is invisible, or looks like a plain space and is none. By the Unicode Character Database:
///
/// - the general categories of control (`Cc`) and format characters (`Cf`), and of separators but the space (`Zl`,
///   `Zp`, `Zs`);
/// - the property `Default_Ignorable_Code_Point`;
/// - the letters and symbols that are blank: of Braille, of Egyptian hieroglyphs, of the small script of Khitan, and
///   of musical notation.
///
/// A control character can move the cursor, and a bidirectional one show a text in another order than it
/// has. Joiners and variation selectors are among them: two names that look the same can be distinguished.
///
/// The page has the same set, in `page.js`.
const HIDDEN: [RangeInclusive<char>; 33] = [
    '\u{0}'..='\u{1f}',
    '\u{7f}'..='\u{a0}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{1680}'..='\u{1680}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{200f}',
    '\u{2028}'..='\u{202f}',
    '\u{205f}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3000}'..='\u{3000}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{13441}'..='\u{13442}',
    '\u{16fe4}'..='\u{16fe4}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// The value of an attribute: quoted if its end could not be seen otherwise.
pub(super) fn value(text: &str) -> String {
    let is_word = !text.is_empty() && !text.contains([' ', '"']);
    if is_word {
        escape(text)
    } else {
        format!("\"{}\"", escape(text).replace('"', "'"))
    }
}

/// A statement on one line: single blanks for line breaks and indentation. Characters that only look like a
/// blank stay, so that [`escape`] spells them out.
pub(super) fn on_one_line(statement: &str) -> String {
    // More words than that are more than is shown.
    let words = statement.split_ascii_whitespace().take(MOST_CHARS + 1);
    words.collect::<Vec<_>>().join(" ")
}

/// The time of day in UTC, `10:15:42.118 UTC`.
pub(super) fn time_of_day(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{millis:03} UTC",
        seconds % 60
    )
}

/// A duration in three digits and its unit; from a minute on, in minutes or hours.
pub(super) fn human(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let seconds = (nanos + 500_000_000) / 1_000_000_000;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..999_500 => digits(nanos as f64 / 1e3, "µs"),
        999_500..999_500_000 => digits(nanos as f64 / 1e6, "ms"),
        999_500_000..59_950_000_000 => digits(nanos as f64 / 1e9, "s"),
        _ if seconds < 3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

fn digits(value: f64, unit: &str) -> String {
    match value {
        ..9.995 => format!("{value:.2} {unit}"),
        ..99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}
