//! A unified diff. The edits are known, so nothing is compared.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use crate::text::edit::{self, Edit};
use crate::text::source::Source;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Lines of the old text, from 0, and what they become.
struct Change {
    lines: Range<usize>,
    text: String,
}

/// What `patch -p0` reads.
pub(crate) fn unified(path: &Path, source: &Source<'_>, edits: &[Edit]) -> String {
    let lines: Vec<&str> = source.text.split_inclusive('\n').collect();
    let changes = changes(source, &lines, edits);
    let path = path.display();
    let mut diff = format!("--- {path}\n+++ {path}\n");
    let mut rest = changes.as_slice();
    // How many lines the new text is ahead of the old one.
    let mut ahead = 0;
    while !rest.is_empty() {
        let near = |pair: &[Change]| pair[1].lines.start - pair[0].lines.end <= 2 * CONTEXT;
        let count = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        let (hunk, after) = rest.split_at(count);
        ahead = write_hunk(&mut diff, &lines, hunk, ahead);
        rest = after;
    }
    diff
}

/// Edits of one line, or of lines that touch, are one change.
fn changes(source: &Source<'_>, lines: &[&str], edits: &[Edit]) -> Vec<Change> {
    let mut starts = vec![0];
    for line in lines {
        starts.push(starts[starts.len() - 1] + line.len());
    }
    let mut groups: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let touched = touched(source, &starts, edit);
        match groups.last_mut() {
            Some((last, edits)) if touched.start <= last.end => {
                last.end = last.end.max(touched.end);
                edits.end = index + 1;
            }
            _ => groups.push((touched, index..index + 1)),
        }
    }
    let groups = groups.into_iter();
    let changes = groups.map(|(touched, inside)| {
        let range = starts[touched.start]..starts[touched.end];
        let text = edit::apply(source, range, &edits[inside]);
        trimmed(
            lines,
            Change {
                lines: touched,
                text,
            },
        )
    });
    changes.collect()
}

/// The lines that an edit changes. `starts` are those of the lines, and the end of the text.
fn touched(source: &Source<'_>, starts: &[usize], edit: &Edit) -> Range<usize> {
    let Range { start, end } = edit.range;
    let lines = starts.len() - 1;
    let first = starts.partition_point(|line| *line <= start) - 1;
    let after = starts.partition_point(|line| *line < end);
    let after = after.max(first).min(lines);
    let before = format!("{}{}", source.slice(starts[first]..start), edit.text);
    let is_open = !before.is_empty() && !before.ends_with('\n');
    if is_open && starts[after] <= end {
        first..(after + 1).min(lines)
    } else {
        first..after
    }
}

/// Without the lines at both ends that stay the same.
fn trimmed(lines: &[&str], change: Change) -> Change {
    let new: Vec<&str> = change.text.split_inclusive('\n').collect();
    let old = &lines[change.lines.clone()];
    let pairs = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(&new).take_while(pairs).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(pairs)
        .count();
    let start = change.lines.start + head;
    Change {
        lines: start..start + old.len() - tail,
        text: new[..new.len() - tail].concat(),
    }
}

fn write_hunk(diff: &mut String, lines: &[&str], hunk: &[Change], ahead: isize) -> isize {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return ahead;
    };
    let start = first.lines.start.saturating_sub(CONTEXT);
    let end = (last.lines.end + CONTEXT).min(lines.len());
    let grown = hunk.iter().map(|change| {
        change.text.split_inclusive('\n').count() as isize - change.lines.len() as isize
    });
    let grown: isize = grown.sum();
    let (old, new) = (end - start, (end - start) as isize + grown);
    // An empty part is named by the line before it.
    let number = |start: isize, length: isize| start + isize::from(length > 0);
    let (old_start, new_start) = (start as isize, start as isize + ahead);
    let _ = writeln!(
        diff,
        "@@ -{},{old} +{},{new} @@",
        number(old_start, old as isize),
        number(new_start, new)
    );
    let mut next = start;
    for change in hunk {
        write_lines(diff, ' ', lines[next..change.lines.start].iter().copied());
        write_lines(diff, '-', lines[change.lines.clone()].iter().copied());
        write_lines(diff, '+', change.text.split_inclusive('\n'));
        next = change.lines.end;
    }
    write_lines(diff, ' ', lines[next..end].iter().copied());
    ahead + grown
}

fn write_lines<'t>(diff: &mut String, sign: char, lines: impl Iterator<Item = &'t str>) {
    for line in lines {
        diff.push(sign);
        diff.push_str(line);
        if !line.ends_with('\n') {
            diff.push_str("\n\\ No newline at end of file\n");
        }
    }
}
