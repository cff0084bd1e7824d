//! What one attribute becomes.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Error, LitStr, MacroDelimiter, Meta, MetaList, Result};

use crate::text::edit::Edit;
use crate::text::list::{self, Entry};
use crate::text::source::Source;

/// The edits of the arguments; the path of the attribute is not among them.
#[derive(Default)]
pub(crate) struct Conversion {
    pub(crate) edits: Vec<Edit>,
    /// What is to be done by hand, and where.
    pub(crate) notes: Vec<(usize, String)>,
    /// Arguments that spans have no use for.
    pub(crate) dropped: Vec<&'static str>,
    /// The span had another name before.
    pub(crate) is_renamed: bool,
}

/// What one argument becomes.
pub(crate) enum Change {
    Keep,
    Remove,
    /// A name that was given as text.
    Name(LitStr),
    /// Some of its parts change.
    Parts(Vec<Edit>),
    Replace(String),
}

impl Change {
    fn is_kept(&self) -> bool {
        !matches!(self, Change::Remove)
    }
}

/// The list in parentheses, if there is one.
pub(crate) fn parenthesized(meta: &Meta) -> Result<Option<&MetaList>> {
    match meta {
        Meta::Path(_) => Ok(None),
        Meta::List(list) if matches!(list.delimiter, MacroDelimiter::Paren(_)) => Ok(Some(list)),
        Meta::List(_) | Meta::NameValue(_) => {
            let message = "arguments are read in parentheses only; write `(..)`";
            Err(Error::new(meta.span(), message))
        }
    }
}

/// The edits of a whole list of arguments. `added` is one more argument.
pub(crate) fn edits(
    source: &Source<'_>,
    meta: &Meta,
    entries: &[Entry<Change>],
    added: Option<String>,
) -> Vec<Edit> {
    let path = source.range(meta.path().span()).end;
    let end = source.range(meta.span()).end;
    let is_kept = |index: usize| entries[index].item.is_kept();
    let Some(first) = (0..entries.len()).find(|index| is_kept(*index)) else {
        let arguments = added.map(|added| format!("({added})"));
        return vec![Edit::replace(path..end, arguments.unwrap_or_default())];
    };
    let mut edits = Vec::new();
    list::remove(source, entries, is_kept, &mut edits);
    list::add_commas(entries, is_kept, &mut edits);
    for (index, entry) in entries.iter().enumerate() {
        edits.extend(entry_edits(source, entry, index == first));
    }
    let last = entries.iter().rev().find(|entry| entry.item.is_kept());
    if let (Some(added), Some(last)) = (added, last) {
        edits.push(Edit::insert(last.range.end, format!(", {added}")));
    }
    edits
}

fn entry_edits(source: &Source<'_>, entry: &Entry<Change>, is_first: bool) -> Vec<Edit> {
    match &entry.item {
        Change::Keep | Change::Remove => Vec::new(),
        Change::Parts(parts) => parts.clone(),
        Change::Replace(text) => vec![Edit::replace(entry.range.clone(), text.clone())],
        Change::Name(name) => {
            let text = source.slice(source.range(name.span()));
            let text = if is_first {
                text.to_owned()
            } else {
                format!("name = {text}")
            };
            vec![Edit::replace(entry.range.clone(), text)]
        }
    }
}

/// A name as text, which must not be empty.
pub(crate) fn name(name: LitStr) -> Result<Change> {
    if name.value().is_empty() {
        let message = "a span needs a name; write one, or remove this";
        return Err(Error::new(name.span(), message));
    }
    Ok(Change::Name(name))
}

/// The first token by which an expression leaves the function, in whatever depth.
pub(crate) fn leaving(tokens: TokenStream) -> Option<(Span, String)> {
    tokens.into_iter().find_map(|tree| match &tree {
        TokenTree::Group(group) => leaving(group.stream()),
        TokenTree::Ident(ident) if ident == "await" || ident == "return" => {
            Some((ident.span(), ident.to_string()))
        }
        TokenTree::Punct(punct) if punct.as_char() == '?' => Some((punct.span(), "?".to_owned())),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

/// The delimiters of a group that begins with a word: `fields(`, and `)`.
pub(crate) struct Delimiters {
    pub(crate) opening: Range<usize>,
    pub(crate) closing: Range<usize>,
}

/// Parses what is in a group, item by item.
pub(crate) fn group<T>(
    source: &Source<'_>,
    input: ParseStream<'_>,
    delimiter: Delimiter,
    item: impl Fn(ParseStream<'_>) -> Result<T>,
) -> Result<(Delimiters, Vec<Entry<T>>)> {
    let group: Group = input.parse()?;
    if group.delimiter() != delimiter {
        let message = "expected another kind of brackets here; see the documentation of the macro";
        return Err(Error::new(group.span(), message));
    }
    let parser = |input: ParseStream<'_>| list::parse(source, input, &item);
    let entries = parser.parse2(group.stream())?;
    let delimiters = Delimiters {
        opening: source.range(group.span_open()),
        closing: source.range(group.span_close()),
    };
    Ok((delimiters, entries))
}
