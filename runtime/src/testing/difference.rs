//! Two texts compared, line by line.

use std::fmt::Write as _;

/// So many pairs of lines are compared to find what is the same in two texts that differ.
const MOST_PAIRS: usize = 1 << 22;

/// Both texts as one: what is missing behind `-`, what is extra behind `+`; or `None` if they are
/// the same.
pub(super) fn difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual) = (lines(expected), lines(actual));
    let start = same(expected.iter().zip(&actual));
    let (missing, extra) = (&expected[start..], &actual[start..]);
    let end = same(missing.iter().rev().zip(extra.iter().rev()));
    let (missing, after) = missing.split_at(missing.len() - end);
    let extra = &extra[..extra.len() - end];
    let mut text = String::new();
    write(&mut text, ' ', &expected[..start]);
    changed(&mut text, missing, extra);
    write(&mut text, ' ', after);
    Some(text)
}

/// Without the common indentation, and without empty lines around.
pub(super) fn normal(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line[common..].trim_end()).collect();
    lines.join("\n")
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn same<'a>(mut pairs: impl Iterator<Item = (&'a &'a str, &'a &'a str)>) -> usize {
    let mut count = 0;
    while pairs.next().is_some_and(|(one, other)| one == other) {
        count += 1;
    }
    count
}

fn write(text: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(text, "{mark} {line}");
    }
}

/// Keeps as many lines as both have in the same order, and marks the others.
fn changed(text: &mut String, missing: &[&str], extra: &[&str]) {
    if missing.len().saturating_mul(extra.len()) > MOST_PAIRS {
        write(text, '-', missing);
        write(text, '+', extra);
        return;
    }
    let kept = kept(missing, extra);
    let (mut left, mut right) = (0, 0);
    while left < missing.len() || right < extra.len() {
        let is_in_both = missing.get(left).is_some() && missing.get(left) == extra.get(right);
        let skips_left = left < missing.len()
            && (right == extra.len() || kept[left + 1][right] >= kept[left][right + 1]);
        let (mark, line) = match (is_in_both, skips_left) {
            (true, _) => (' ', missing[left]),
            (false, true) => ('-', missing[left]),
            (false, false) => ('+', extra[right]),
        };
        write(text, mark, &[line]);
        left += usize::from(mark != '+');
        right += usize::from(mark != '-');
    }
}

/// How many lines can be kept of what follows each pair of places.
fn kept(missing: &[&str], extra: &[&str]) -> Vec<Vec<u32>> {
    let mut kept = vec![vec![0; extra.len() + 1]; missing.len() + 1];
    for (left, line) in missing.iter().enumerate().rev() {
        for (right, other) in extra.iter().enumerate().rev() {
            kept[left][right] = if line == other {
                kept[left + 1][right + 1] + 1
            } else {
                kept[left + 1][right].max(kept[left][right + 1])
            };
        }
    }
    kept
}
