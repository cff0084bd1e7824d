//! One file as text. Offsets are bytes of the whole text, with its byte-order mark.

use std::ops::Range;

use proc_macro2::Span;
use syn::buffer::Cursor;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Brackets in brackets that the parser has the stack for. The compiler has it for fewer.
const DEEPEST: usize = 10_000;

pub(crate) struct Source<'t> {
    pub(crate) text: &'t str,
    /// Where the text that is parsed begins: behind a byte-order mark and a `#!` line.
    base: usize,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mark = text.strip_prefix(BYTE_ORDER_MARK);
        let base = mark.map_or(0, |_| BYTE_ORDER_MARK.len());
        let rest = mark.unwrap_or(text);
        let is_script = rest
            .strip_prefix("#!")
            .is_some_and(|rest| !rest.trim_start().starts_with('['));
        // The end of the line stays, so that lines keep their numbers.
        let line = if is_script { rest.find('\n') } else { Some(0) };
        let base = base + line.unwrap_or(rest.len());
        Source { text, base }
    }

    pub(crate) fn parse(&self) -> syn::Result<syn::File> {
        syn::parse_str(self.slice(self.base..self.text.len()))
    }

    /// Where the text nests deeper than the parser can follow. Brackets in texts and comments count,
    /// since only a parser knows them.
    pub(crate) fn too_deep(&self) -> Option<usize> {
        let mut depth: usize = 0;
        self.text.bytes().position(|byte| {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth > DEEPEST
        })
    }

    pub(crate) fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        self.base + range.start..self.base + range.end
    }

    /// From the token at `start` to the one before `end`.
    pub(crate) fn between(&self, start: Cursor<'_>, end: Cursor<'_>) -> Range<usize> {
        let mut range = self.range(start.span());
        let mut next = start;
        while next != end {
            let Some((tree, rest)) = next.token_tree() else {
                break;
            };
            range.end = self.range(tree.span()).end;
            next = rest;
        }
        range
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// Line and column, both from 1; columns count characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.slice(0..offset);
        let before = before.strip_prefix(BYTE_ORDER_MARK).unwrap_or(before);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[start..].chars().count() + 1)
    }

    /// How the lines of this file end.
    pub(crate) fn newline(&self) -> &'static str {
        match self.text.find('\n') {
            Some(end) if self.slice(0..end).ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The blanks before `offset`, if nothing else is before it on its line.
    pub(crate) fn indent(&self, offset: usize) -> Option<&'t str> {
        let before = self.slice(0..offset);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let indent = before.get(start..)?;
        indent.chars().all(is_blank).then_some(indent)
    }

    /// Where the blanks behind `offset` end.
    pub(crate) fn skip_blanks(&self, offset: usize) -> usize {
        let rest = self.slice(offset..self.text.len());
        offset + rest.len() - rest.trim_start_matches(is_blank).len()
    }

    /// The lines of `range`, with the end of the last one, if they hold nothing else.
    pub(crate) fn whole_lines(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let indent = self.indent(range.start)?;
        let end = self.end_of_line(range.end)?;
        Some(range.start - indent.len()..end)
    }

    /// Behind the end of the line, if only blanks are before it.
    pub(crate) fn end_of_line(&self, offset: usize) -> Option<usize> {
        let end = self.skip_blanks(offset);
        let rest = self.slice(end..self.text.len());
        let mut ends = ["\r\n", "\n"].into_iter();
        let newline = ends.find(|newline| rest.starts_with(newline))?;
        Some(end + newline.len())
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}
