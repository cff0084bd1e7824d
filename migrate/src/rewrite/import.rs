//! The imports: `use tracing::{info, instrument};` becomes two.

use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::{ItemUse, UseGroup, UseTree};

use crate::scan::Scan;
use crate::scan::import::Import;
use crate::text::edit::Edit;
use crate::text::list::{self, Entry};
use crate::text::source::Source;

/// What became of the attributes that name an import.
#[derive(Default)]
pub(crate) struct Use {
    /// One was rewritten.
    pub(crate) is_converted: bool,
    /// One was rewritten, and names ours without its crate.
    pub(crate) is_ours: bool,
    /// One was left.
    pub(crate) is_left: bool,
}

const PATH: &str = "enter_span::enter_span";

/// The name of ours where this import was.
pub(crate) fn local_name<'i>(import: &'i Import<'_>) -> &'i str {
    if import.local == import.library.attribute() {
        "enter_span"
    } else {
        &import.local
    }
}

pub(crate) fn edit(source: &Source<'_>, scan: &Scan<'_>, uses: &[Use], edits: &mut Vec<Edit>) {
    let mut known: Vec<(usize, &str)> = Vec::new();
    for (import, used) in scan.imports.iter().zip(uses) {
        if !used.is_converted || !import.is_private() {
            continue;
        }
        let stays = used.is_left || is_named_elsewhere(source.text, &import.local);
        let name = (import.scope, local_name(import));
        let has_ours = name.1 == "enter_span" && scan.scopes[import.scope].has_ours;
        let is_known = has_ours || known.contains(&name);
        // Which of two imports is there may be decided by their `cfg`.
        let is_new = used.is_ours && (!is_known || !import.item.attrs.is_empty() && !has_ours);
        known.extend(used.is_ours.then_some(name));
        match (is_new, stays) {
            (true, false) => replace(source, import, edits),
            (true, true) => edits.push(added(source, import)),
            (false, false) => remove(source, import, edits),
            (false, true) => {}
        }
    }
}

/// Whether something else than an attribute needs the import: `instrument::WithSubscriber`, or
/// `use super::instrument;` in a module below.
fn is_named_elsewhere(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(start, _)| {
        let before = &text[..start];
        let after = &text[start + name.len()..];
        if after.starts_with(is_word) || before.ends_with(is_word) {
            return false;
        }
        let parents = ["super::", "self::", "crate::"];
        parents.iter().any(|parent| before.ends_with(parent))
            || (after.starts_with("::") && !before.ends_with("::"))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn replace(source: &Source<'_>, import: &Import<'_>, edits: &mut Vec<Edit>) {
    if groups(import).is_empty() {
        let range = source.range(import.item.tree.span());
        edits.push(Edit::replace(range, renamed(import)));
    } else {
        edits.push(added(source, import));
        remove(source, import, edits);
    }
}

/// `enter_span::enter_span`, with the name that the import had if it was its own.
fn renamed(import: &Import<'_>) -> String {
    match local_name(import) {
        "enter_span" => PATH.to_owned(),
        name => format!("{PATH} as {name}"),
    }
}

/// A line of its own before the item, with the attributes of that.
fn added(source: &Source<'_>, import: &Import<'_>) -> Edit {
    let item = range(source, import.item);
    let attributes = source.slice(item.start..source.range(import.item.use_token.span()).start);
    let colons = if import.item.leading_colon.is_some() {
        "::"
    } else {
        ""
    };
    let (newline, indent) = (
        source.newline(),
        source.indent(item.start).unwrap_or_default(),
    );
    let renamed = renamed(import);
    let text = format!("{attributes}use {colons}{renamed};{newline}{indent}");
    Edit::insert(item.start, text)
}

fn range(source: &Source<'_>, item: &ItemUse) -> Range<usize> {
    let start = match item.attrs.first() {
        Some(attr) => attr.span(),
        None => item.use_token.span(),
    };
    source.range(start).start..source.range(item.semi_token.span()).end
}

/// The groups that hold more than this import.
fn groups<'a, 'i>(import: &'i Import<'a>) -> &'i [(&'a UseGroup, usize)] {
    let deepest = import
        .trail
        .iter()
        .rposition(|(group, _)| group.items.len() > 1);
    &import.trail[..deepest.map_or(0, |deepest| deepest + 1)]
}

fn remove(source: &Source<'_>, import: &Import<'_>, edits: &mut Vec<Edit>) {
    let Some((group, place)) = groups(import).last() else {
        let range = range(source, import.item);
        edits.push(Edit::delete(source.whole_lines(&range).unwrap_or(range)));
        return;
    };
    let braces = source.range(group.brace_token.span.join());
    let others: Vec<&UseTree> = (group.items.iter().enumerate())
        .filter(|(other, _)| other != place)
        .map(|(_, tree)| tree)
        .collect();
    if let ([other], false) = (others.as_slice(), has_comment(source.slice(braces.clone()))) {
        if !is_self(other) {
            let text = source.slice(source.range(other.span()));
            edits.push(Edit::replace(braces, text));
            return;
        }
    }
    let pairs = group.items.pairs();
    let entries: Vec<Entry<()>> = pairs
        .map(|pair| {
            let comma = pair.punct().map(|comma| source.range(comma.span()).end);
            let range = source.range(pair.value().span());
            Entry {
                item: (),
                range,
                comma,
            }
        })
        .collect();
    list::remove(source, &entries, |index| index != *place, edits);
}

fn has_comment(text: &str) -> bool {
    text.contains("//") || text.contains("/*")
}

fn is_self(tree: &UseTree) -> bool {
    match tree {
        UseTree::Name(name) => name.ident == "self",
        UseTree::Rename(name) => name.ident == "self",
        _ => false,
    }
}
