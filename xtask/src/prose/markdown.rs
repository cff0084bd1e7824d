//! The prose of a page of Markdown, in blocks, without code and without marks.

/// A paragraph, an item of a list, a heading, or a cell of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line it begins at, from 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Prose,
    Heading,
    Cell,
}

/// In place of a piece of code: one word, whatever it contains.
const CODE: &str = "CODE";

pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Blocks::default();
    let mut fence = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(open) = fence {
            if line.starts_with(open) {
                fence = None;
            }
        } else if let Some(open) = opened_fence(line) {
            fence = Some(open);
            blocks.end();
        } else {
            blocks.add(number, line);
        }
    }
    blocks.end();
    blocks.done
}

fn opened_fence(line: &str) -> Option<&'static str> {
    ["```", "~~~"]
        .into_iter()
        .find(|open| line.starts_with(open))
}

#[derive(Default)]
struct Blocks {
    done: Vec<Block>,
    open: Option<Block>,
}

impl Blocks {
    fn add(&mut self, line: usize, text: &str) {
        if text.is_empty() || text.starts_with("<!--") {
            self.end();
        } else if let Some(row) = text.strip_prefix('|') {
            self.end();
            self.add_row(line, row);
        } else if text.starts_with('#') {
            self.end();
            self.begin(line, Kind::Heading, text.trim_start_matches('#'));
            self.end();
        } else if let Some(item) = list_item(text) {
            self.end();
            self.begin(line, Kind::Prose, item);
        } else if let Some(open) = &mut self.open {
            open.text.push(' ');
            open.text.push_str(text);
        } else {
            self.begin(line, Kind::Prose, text);
        }
    }

    fn add_row(&mut self, line: usize, row: &str) {
        for cell in plain(row).split('|') {
            let cell = cell.trim();
            if cell.chars().any(char::is_alphanumeric) {
                self.done.push(Block {
                    line,
                    kind: Kind::Cell,
                    text: cell.to_owned(),
                });
            }
        }
    }

    fn begin(&mut self, line: usize, kind: Kind, text: &str) {
        let text = text.trim().to_owned();
        self.open = Some(Block { line, kind, text });
    }

    fn end(&mut self) {
        if let Some(mut block) = self.open.take() {
            block.text = plain(&block.text);
            self.done.push(block);
        }
    }
}

/// What stands behind `- `, `* ` or `1. `.
fn list_item(line: &str) -> Option<&str> {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    if number.len() < line.len() {
        number.strip_prefix(". ")
    } else {
        line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))
    }
}

/// Without marks: code is one word, a link its text, a picture nothing.
fn plain(text: &str) -> String {
    let text = without_targets(&without_code(text));
    text.replace(['*', '[', ']'], "")
}

/// The odd pieces between backticks are code. A backtick without another is a character.
fn without_code(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    let last = pieces.len() - 1;
    let mut plain = String::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        if index % 2 == 1 && index < last {
            plain.push_str(CODE);
        } else {
            plain.push_str(piece);
        }
    }
    plain
}

/// `[text](target)` becomes `[text`, and `![text](target)` nothing.
fn without_targets(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let begin = before.rfind('[').unwrap_or(0);
        match before[..begin].strip_suffix('!') {
            Some(before) => plain.push_str(before),
            None => plain.push_str(before),
        }
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::{Block, Kind, blocks};

    fn texts(text: &str) -> Vec<String> {
        blocks(text).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn paragraphs_items_headings_and_cells_are_blocks() {
        let text =
            "# Title\n\nOne\ntwo.\n\n- first\n  goes on\n1. second\n\n| a | b |\n|---|--:|\n";
        let found = blocks(text);
        let block = |line, kind, text: &str| Block {
            line,
            kind,
            text: text.to_owned(),
        };
        let expected = [
            block(1, Kind::Heading, "Title"),
            block(3, Kind::Prose, "One two."),
            block(6, Kind::Prose, "first goes on"),
            block(8, Kind::Prose, "second"),
            block(10, Kind::Cell, "a"),
            block(10, Kind::Cell, "b"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn marks_are_taken_away() {
        let text = "See [the *page*](a/b.md#c) and `a. b | c`.\n\n![A picture](x.svg) After.";
        assert_eq!(texts(text), ["See the page and CODE.", " After."]);
        assert_eq!(texts("| `a \\| b` | c |"), ["CODE", "c"]);
    }

    #[test]
    fn code_blocks_are_left_out() {
        assert_eq!(
            texts("One.\n```rust\nlet a = 1;\n```\nTwo."),
            ["One.", "Two."]
        );
    }

    #[test]
    fn a_lone_backtick_is_a_character() {
        assert_eq!(texts("One ` two"), ["One  two"]);
    }
}
