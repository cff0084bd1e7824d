//! The lines of a diagnosis, escaped for a terminal.

use std::fmt::{self, Write as _};

/// Lines under topics. Whatever they hold is escaped, for it may be foreign.
#[derive(Clone, Debug, Default)]
pub struct Report {
    lines: Vec<(&'static str, String)>,
}

/// An installation that adds findings of its own, such as the pipeline.
pub trait DiagnosticSource: Send + Sync {
    /// Runs outside of all locks, and may panic.
    fn add_findings(&self, report: &mut Report);
}

/// The width of the topics' column.
const TOPICS: usize = 11;

impl Report {
    /// One line. Lines of one topic follow each other.
    pub fn add(&mut self, topic: &'static str, line: impl fmt::Display) {
        let mut text = String::new();
        // Writing to a `String` does not fail; a `Display` that fails loses the rest of its line.
        let _ = write!(text, "{line}");
        self.lines.push((topic, escaped(&text)));
    }
}

/// Nothing of it moves a terminal's cursor, or turns the direction of what follows.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for (index, (topic, line)) in self.lines.iter().enumerate() {
            if index > 0 {
                formatter.write_char('\n')?;
            }
            let shown = if *topic == before { "" } else { topic };
            write!(formatter, "{shown:TOPICS$} {line}")?;
            before = topic;
        }
        Ok(())
    }
}
