//! Changes of a text.

use std::ops::Range;

use crate::text::source::Source;

/// `range` becomes `text`.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

impl Edit {
    pub(crate) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        let text = text.into();
        Edit { range, text }
    }

    pub(crate) fn insert(offset: usize, text: impl Into<String>) -> Self {
        Edit::replace(offset..offset, text)
    }

    pub(crate) fn delete(range: Range<usize>) -> Self {
        Edit::replace(range, "")
    }
}

/// In the order of the text, and without overlaps: deletions may have some.
pub(crate) fn in_order(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut ordered: Vec<Edit> = Vec::new();
    for edit in edits {
        match ordered.last_mut() {
            Some(last) if edit.range.start < last.range.end => {
                last.range.end = last.range.end.max(edit.range.end);
                last.text.push_str(&edit.text);
            }
            _ => ordered.push(edit),
        }
    }
    ordered
}

/// The part `range` of the text after the edits, which lie within it and are in order.
pub(crate) fn apply(source: &Source<'_>, range: Range<usize>, edits: &[Edit]) -> String {
    let mut text = String::with_capacity(range.len());
    let mut done = range.start;
    for edit in edits {
        text.push_str(source.slice(done..edit.range.start));
        text.push_str(&edit.text);
        done = edit.range.end;
    }
    text.push_str(source.slice(done..range.end));
    text
}
