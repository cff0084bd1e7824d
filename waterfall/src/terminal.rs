//! What a terminal can show: how wide it is, and whether it has colours.

use std::env;
use std::io::{self, IsTerminal as _};

use super::text::Color;

/// One of the two outputs that every process has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// The columns of the terminal, or else [`columns`].
    pub(super) fn width(self) -> usize {
        let size = match self {
            Stream::Stdout => terminal_size::terminal_size_of(io::stdout()),
            Stream::Stderr => terminal_size::terminal_size_of(io::stderr()),
        };
        // Some pseudo-terminals say that they have no columns.
        let size = size.map(|(width, _)| usize::from(width.0));
        size.filter(|&width| width > 0).unwrap_or_else(columns)
    }

    /// Colours only for a terminal that has them, and whose user did not say `NO_COLOR`.
    pub(super) fn color(self) -> Color {
        let is_terminal = match self {
            Stream::Stdout => io::stdout().is_terminal(),
            Stream::Stderr => io::stderr().is_terminal(),
        };
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        if is_terminal && !unwanted && !dumb {
            Color::Ansi
        } else {
            Color::None
        }
    }
}

/// What `COLUMNS` says, or else a hundred.
pub(super) fn columns() -> usize {
    let columns = env::var("COLUMNS").ok();
    columns.and_then(|text| text.parse().ok()).unwrap_or(100)
}
