//! A part of a tree, and where it is in a trace.
//!
//! A line names a span, and some of what stands behind the name. A line below it names one of its
//! children, and those between are passed over. The outermost lines may stand anywhere.

use std::iter::Peekable;

use super::difference::normal;
use super::forest::Forest;
use super::tree::{self, INDENT};

/// The part with a `-` before each line that is not there; or `None` if the trace contains it all.
pub(super) fn missing(forest: &Forest, part: &str) -> Option<String> {
    let part = normal(part);
    let mut lines = part.lines().map(Wanted::of).peekable();
    let wanted = Wanted::all(&mut lines, 0);
    let anywhere: Vec<usize> = forest.walk().into_iter().map(|(place, _)| place).collect();
    let found = Found::all(forest, &wanted, &anywhere, 0);
    (found.missing > 0).then(|| found.lines.join("\n"))
}

/// A line, and what is wanted below it.
struct Wanted<'a> {
    indent: usize,
    line: &'a str,
    below: Vec<Wanted<'a>>,
}

impl<'a> Wanted<'a> {
    fn of(line: &'a str) -> Self {
        let text = line.trim_start();
        Wanted {
            indent: line.len() - text.len(),
            line: text,
            below: Vec::new(),
        }
    }

    /// Takes the lines that are indented at least so far.
    fn all(lines: &mut Peekable<impl Iterator<Item = Wanted<'a>>>, indent: usize) -> Vec<Self> {
        let mut all = Vec::new();
        while let Some(wanted) = lines.next_if(|next| next.indent >= indent) {
            let below = Wanted::all(lines, wanted.indent + 1);
            all.push(Wanted { below, ..wanted });
        }
        all
    }
}

/// How much of what is wanted was found.
struct Found {
    missing: usize,
    lines: Vec<String>,
    /// How many of the spans that were offered are behind it.
    passed: usize,
}

impl Found {
    /// Each of `wanted`, one behind the other. The first that fits is the right one: it leaves the
    /// most to those that follow.
    fn all(forest: &Forest, wanted: &[Wanted<'_>], offered: &[usize], depth: usize) -> Self {
        let mut found = Found::nothing();
        for wanted in wanted {
            found.add(Found::one(forest, wanted, &offered[found.passed..], depth));
        }
        found
    }

    /// The first span that has all that is wanted, or else the one that has the most of it.
    fn one(forest: &Forest, wanted: &Wanted<'_>, offered: &[usize], depth: usize) -> Self {
        let mut best = Found::nothing();
        best.miss(wanted, depth);
        for (passed, place) in offered.iter().enumerate() {
            if best.missing > 0 && matches_line(forest, *place, wanted.line) {
                let below = Found::all(forest, &wanted.below, forest.children(*place), depth + 1);
                if below.missing < best.missing {
                    best = Found::nothing();
                    best.lines.push(marked(' ', wanted, depth));
                    best.add(below);
                    best.passed = passed + 1;
                }
            }
        }
        best
    }

    fn nothing() -> Self {
        Found {
            missing: 0,
            lines: Vec::new(),
            passed: 0,
        }
    }

    fn add(&mut self, other: Found) {
        self.missing += other.missing;
        self.lines.extend(other.lines);
        self.passed += other.passed;
    }

    fn miss(&mut self, wanted: &Wanted<'_>, depth: usize) {
        self.missing += 1;
        self.lines.push(marked('-', wanted, depth));
        for wanted in &wanted.below {
            self.miss(wanted, depth + 1);
        }
    }
}

fn marked(mark: char, wanted: &Wanted<'_>, depth: usize) -> String {
    format!("{mark} {}{}", INDENT.repeat(depth), wanted.line)
}

/// Whether the line is the span's name, and behind it nothing but words of the span's own line.
fn matches_line(forest: &Forest, place: usize, line: &str) -> bool {
    let name = tree::one_line(&forest.entry(place).name);
    let Some(mut rest) = line.strip_prefix(&name) else {
        return false;
    };
    let mut words = tree::words(forest, place);
    // The name of a linked span may hold spaces, and so begin like a shorter one.
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    while !rest.is_empty() {
        let after = words.iter().enumerate().find_map(|(index, word)| {
            let after = rest.strip_prefix(' ')?.strip_prefix(word.as_str())?;
            (after.is_empty() || after.starts_with(' ')).then_some((index, after))
        });
        match after {
            Some((index, after)) => {
                words.remove(index);
                rest = after;
            }
            None => return false,
        }
    }
    true
}
