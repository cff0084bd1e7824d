//! What the terminal can show: how wide it is, and whether it has colours.

use std::env;
use std::io::{self, IsTerminal as _};

use crate::waterfall::Colour;

/// The number of columns: what `COLUMNS` says, or else what fits everywhere.
pub(crate) fn width() -> usize {
    let columns = env::var("COLUMNS").ok();
    columns.and_then(|text| text.parse().ok()).unwrap_or(80)
}

/// Colours only for a terminal that has them, and whose user did not say `NO_COLOR`.
pub(crate) fn colour() -> Colour {
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    match io::stdout().is_terminal() && !unwanted && !dumb {
        true => Colour::Ansi,
        false => Colour::None,
    }
}
