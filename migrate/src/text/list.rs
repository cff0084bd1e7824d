//! Items between commas, of which some are removed.

use std::ops::Range;

use syn::Token;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;

use crate::text::edit::Edit;
use crate::text::source::Source;

pub(crate) struct Entry<T> {
    pub(crate) item: T,
    pub(crate) range: Range<usize>,
    /// Where its comma ends, if it has one.
    pub(crate) comma: Option<usize>,
}

/// Parses items up to the end. A comma that is missing is missed by nobody: `tracing` asks for none.
pub(crate) fn parse<T>(
    source: &Source<'_>,
    input: ParseStream<'_>,
    item: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<Entry<T>>> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        let start = input.cursor();
        let item = item(input)?;
        let range = source.between(start, input.cursor());
        let comma: Option<Token![,]> = input.parse()?;
        let comma = comma.map(|comma| source.range(comma.span()).end);
        entries.push(Entry { item, range, comma });
    }
    Ok(entries)
}

/// Removes entries so that the others stand as if these had never been there. At least one is kept.
pub(crate) fn remove<T>(
    source: &Source<'_>,
    entries: &[Entry<T>],
    is_kept: impl Fn(usize) -> bool,
    edits: &mut Vec<Edit>,
) {
    for (index, entry) in entries.iter().enumerate() {
        if is_kept(index) {
            continue;
        }
        let with_comma = entry.range.start..entry.comma.unwrap_or(entry.range.end);
        let kept_before = (0..index).rev().find(|before| is_kept(*before));
        let is_last = !(index + 1..entries.len()).any(&is_kept);
        edits.push(Edit::delete(
            match (source.whole_lines(&with_comma), kept_before) {
                (Some(lines), _) => lines,
                (None, Some(before)) if is_last => entries[before].range.end..entry.range.end,
                (None, Some(_)) => with_blanks(source, with_comma),
                (None, None) => entry.range.start..next_token(source, with_comma.end),
            },
        ));
    }
}

/// With the blanks behind it; at the end of a line, with those before it.
fn with_blanks(source: &Source<'_>, range: Range<usize>) -> Range<usize> {
    if source.end_of_line(range.end).is_some() {
        let before = source.slice(0..range.start);
        return before.trim_end_matches([' ', '\t']).len()..range.end;
    }
    range.start..source.skip_blanks(range.end)
}

/// Behind blanks and ends of lines: what comes next takes the place of the first entry.
fn next_token(source: &Source<'_>, offset: usize) -> usize {
    let rest = source.slice(offset..source.text.len());
    offset + rest.len() - rest.trim_start().len()
}

/// Adds the commas that are missing between entries that are kept.
pub(crate) fn add_commas<T>(
    entries: &[Entry<T>],
    is_kept: impl Fn(usize) -> bool,
    edits: &mut Vec<Edit>,
) {
    for (index, entry) in entries.iter().enumerate() {
        let is_last = !(index + 1..entries.len()).any(&is_kept);
        if is_kept(index) && !is_last && entry.comma.is_none() {
            edits.push(Edit::insert(entry.range.end, ","));
        }
    }
}
