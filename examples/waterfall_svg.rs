//! Makes a picture of the first trace that `Console` printed in 100 columns: text on stdin, SVG on stdout.
//!
//! ```sh
//! scripts/waterfall-svg.sh
//! ```

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};

/// The columns of a line: a label, a bar, a duration. `Console` shares 100 columns like this.
const LABEL: usize = 54;
const BAR: std::ops::Range<usize> = 55..91;
const COLUMNS: usize = 100;

/// Pixels of a character, and of a line.
const WIDTH: f64 = 7.8;
const HEIGHT: f64 = 20.0;
const MARGIN: f64 = 16.0;

const BACKGROUND: &str = "#0d1117";
const PLAIN: &str = "#e6edf3";
const DIM: &str = "#8b949e";
const BLUE: &str = "#58a6ff";
const RED: &str = "#ff7b72";
const YELLOW: &str = "#d29922";

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    io::stdout().write_all(picture(&text).as_bytes())
}

/// The trace up to the first empty line.
fn picture(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    let width = COLUMNS as f64 * WIDTH + 2.0 * MARGIN;
    let height = lines.len() as f64 * HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"A trace as a waterfall\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for (index, line) in lines.into_iter().enumerate() {
        let middle = MARGIN + (index as f64 + 0.5) * HEIGHT;
        draw(&mut svg, line, middle, index == 0);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, line: &str, middle: f64, is_heading: bool) {
    let characters: Vec<char> = line.chars().collect();
    let piece = |columns: std::ops::Range<usize>| -> &[char] {
        let end = columns.end.min(characters.len());
        characters.get(columns.start.min(end)..end).unwrap_or(&[])
    };
    let Some((start, end)) = extent(piece(BAR)).filter(|_| !is_heading) else {
        write_words(svg, 0, &characters, middle, is_heading);
        return;
    };
    write_words(svg, 0, piece(0..LABEL), middle, false);
    let (x, width) = (column(BAR.start) + start * WIDTH, (end - start) * WIDTH);
    let (y, color) = (middle - 6.0, state(line));
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"12\" rx=\"1\" fill=\"{color}\"/>"
    );
    write_words(svg, BAR.end, piece(BAR.end..COLUMNS), middle, true);
}

/// Where a bar of block characters begins and ends, in characters; nothing where it has none.
fn extent(bar: &[char]) -> Option<(f64, f64)> {
    let parts = bar.iter().zip(0_u32..).filter_map(|(&block, index)| {
        let (left, right) = block_sides(block)?;
        Some((f64::from(index) + left, f64::from(index) + right))
    });
    parts.reduce(|(start, _), (_, end)| (start, end))
}

/// How much of its cell a block character fills, from the left side to the right.
fn block_sides(block: char) -> Option<(f64, f64)> {
    match block {
        '▐' => Some((0.5, 1.0)),
        '▕' => Some((0.875, 1.0)),
        // From the whole block to the left eighth.
        '█'..='▏' => Some((0.0, 1.0 - f64::from(block as u32 - '█' as u32) / 8.0)),
        _ => None,
    }
}

fn state(line: &str) -> &'static str {
    if line.contains(" !") {
        RED
    } else if line.contains(" ~") {
        YELLOW
    } else {
        BLUE
    }
}

fn column(column: usize) -> f64 {
    MARGIN + column as f64 * WIDTH
}

/// Each word at its own column, so that no font moves it.
fn write_words(svg: &mut String, first: usize, text: &[char], middle: f64, is_dim: bool) {
    let mut start = 0;
    let mut is_dim = is_dim;
    for word in text.split(|&character| character == ' ') {
        // Attributes are the rest of a line.
        is_dim = is_dim || word.contains(&'=');
        let color = if is_dim { DIM } else { color(word) };
        if !word.is_empty() {
            let (x, y) = (column(first + start), middle + 4.5);
            let length = word.len() as f64 * WIDTH;
            let word = escape(word);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" \
                 lengthAdjust=\"spacingAndGlyphs\" fill=\"{color}\">{word}</text>"
            );
        }
        start += word.len() + 1;
    }
}

fn color(word: &[char]) -> &'static str {
    match word.first() {
        Some('!') => RED,
        Some('~' | '•') => YELLOW,
        Some('├' | '└' | '│' | '(' | '"' | '+') => DIM,
        _ => PLAIN,
    }
}

fn escape(word: &[char]) -> String {
    let word: String = word.iter().collect();
    word.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{extent, picture};

    fn bar(text: &str) -> Option<(f64, f64)> {
        extent(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn a_bar_begins_and_ends_within_a_character() {
        assert_eq!(bar("  ██▌ "), Some((2.0, 4.5)));
        assert_eq!(bar(" ▐█▏"), Some((1.5, 3.125)));
        assert_eq!(bar("▕█"), Some((0.875, 2.0)));
        assert_eq!(bar("   "), None);
    }

    #[test]
    fn text_is_no_markup() {
        let svg = picture("trace 1\n<b> & c\n\nsecond");
        assert!(
            svg.contains(">&lt;b></text>") && svg.contains(">&amp;</text>"),
            "{svg}"
        );
        assert!(!svg.contains("second"));
    }
}
