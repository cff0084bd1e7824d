//! `#[tracing::instrument(..)]`
//!
//! What it accepts is more than its documentation shows: commas are optional, and a name as text may
//! stand anywhere.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, LitStr, Meta, Result, Signature, Token};

use crate::arguments::conversion::{self, Change, Conversion, Delimiters};
use crate::arguments::field::{self, Field, FieldChange};
use crate::arguments::signature::{self, Argument, Format};
use crate::text::edit::Edit;
use crate::text::list::{self, Entry};
use crate::text::source::Source;

/// What `tracing` captures unasked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unasked {
    Keep,
    Drop,
}

enum Word {
    Name(LitStr),
    /// `name = CONSTANT`, `err`, which are the same for both.
    Same,
    Skip(Vec<String>),
    SkipAll,
    Dropped(&'static str),
    Root,
    Err,
    Ret(Format),
    Fields(Delimiters, Vec<Entry<Field>>),
}

pub(crate) fn convert(
    source: &Source<'_>,
    meta: &Meta,
    signature: &Signature,
    unasked: Unasked,
) -> Result<Conversion> {
    let parser = |input: ParseStream<'_>| list::parse(source, input, |input| word(source, input));
    let words = match conversion::parenthesized(meta)? {
        Some(list) => parser.parse2(list.tokens.clone())?,
        None => Vec::new(),
    };
    let mut kept = kept_arguments(&words, signature, unasked);
    let mut conversion = Conversion::default();
    let mut entries = Vec::new();
    for Entry { item, range, comma } in words {
        note(&item, &mut conversion);
        let item = change(source, item, signature, &mut kept)?;
        entries.push(Entry { item, range, comma });
    }
    let added = (!kept.is_empty()).then(|| format!("attributes({})", kept.join(", ")));
    conversion.edits = conversion::edits(source, meta, &entries, added);
    Ok(conversion)
}

fn word(source: &Source<'_>, input: ParseStream<'_>) -> Result<Word> {
    if input.peek(LitStr) {
        return input.parse().map(Word::Name);
    }
    let word = Ident::parse_any(input)?;
    Ok(match word.to_string().as_str() {
        "name" => {
            input.parse::<Token![=]>()?;
            if input.peek(LitStr) {
                return input.parse().map(Word::Name);
            }
            input.parse::<Ident>()?;
            Word::Same
        }
        "level" => dropped("level", input)?,
        "target" => dropped("target", input)?,
        "parent" => parent(&word, input)?,
        "follows_from" => return Err(Error::new(word.span(), FOLLOWS_FROM)),
        "skip_all" => Word::SkipAll,
        "skip" => {
            let (_, names) =
                conversion::group(source, input, Delimiter::Parenthesis, Ident::parse_any)?;
            Word::Skip(names.iter().map(|name| name.item.to_string()).collect())
        }
        "fields" => {
            let field = |input: ParseStream<'_>| field::parse(source, input);
            let (delimiters, fields) =
                conversion::group(source, input, Delimiter::Parenthesis, field)?;
            check_unique(&fields)?;
            Word::Fields(delimiters, fields)
        }
        "err" => {
            event(input)?;
            Word::Err
        }
        "ret" => Word::Ret(event(input)?),
        unknown => {
            let message = format!("unknown argument `{unknown}`; rewrite this attribute by hand");
            return Err(Error::new(word.span(), message));
        }
    })
}

const FOLLOWS_FROM: &str = "`follows_from` takes ids of `tracing`, which spans of `enter_span` cannot link to; write `links(span_context)`";

const PARENT: &str = "`parent` takes a span of `tracing`, which is no parent of ours; write `parent = span_context`, or remove it for the current span";

fn dropped(word: &'static str, input: ParseStream<'_>) -> Result<Word> {
    input.parse::<Token![=]>()?;
    input.parse::<Expr>()?;
    Ok(Word::Dropped(word))
}

/// `parent = None` starts a trace.
fn parent(word: &Ident, input: ParseStream<'_>) -> Result<Word> {
    input.parse::<Token![=]>()?;
    let none = match input.parse()? {
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "None"),
        _ => false,
    };
    if none {
        Ok(Word::Root)
    } else {
        Err(Error::new(word.span(), PARENT))
    }
}

/// `(Debug)`, `(Display)`, `(level = ..)`, or nothing.
fn event(input: ParseStream<'_>) -> Result<Format> {
    if !input.peek(syn::token::Paren) {
        return Ok(Format::Debug);
    }
    let content;
    syn::parenthesized!(content in input);
    let tokens: TokenStream = content.parse()?;
    let mut words = tokens.into_iter().map(|tree| tree.to_string());
    Ok(if words.any(|word| word == "Display") {
        Format::Display
    } else {
        Format::Debug
    })
}

fn check_unique(fields: &[Entry<Field>]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut fields = fields.iter();
    let again = fields.find(|field| !seen.insert(&field.item.name));
    match again {
        None => Ok(()),
        Some(field) => {
            let message = format!("duplicate field `{}`; remove one", field.item.name);
            Err(Error::new(field.item.span, message))
        }
    }
}

/// The arguments that are captured and have no field of the same name.
fn kept_arguments(words: &[Entry<Word>], signature: &Signature, unasked: Unasked) -> Vec<String> {
    let is_skipped = |argument: &Argument| {
        words.iter().any(|word| match &word.item {
            Word::SkipAll => true,
            Word::Skip(names) => names.contains(&argument.name),
            Word::Fields(_, fields) => fields.iter().any(|field| field.item.name == argument.name),
            _ => false,
        })
    };
    match unasked {
        Unasked::Drop => Vec::new(),
        Unasked::Keep => {
            let arguments = signature::arguments(signature).into_iter();
            let arguments = arguments.filter(|argument| !is_skipped(argument));
            arguments.map(|argument| argument.attribute()).collect()
        }
    }
}

/// What the edits do not show.
fn note(word: &Word, conversion: &mut Conversion) {
    match word {
        Word::Dropped(word) => conversion.dropped.push(word),
        Word::Fields(_, fields) => {
            for field in fields {
                if matches!(field.item.change, FieldChange::Empty) {
                    let name = &field.item.name;
                    let line = format!(
                        "`{name}` is set in the body; replace `.record(\"{name}\", value)` by `enter_span::Span::current().set_attribute(\"{name}\", value)`"
                    );
                    conversion.notes.push((field.range.start, line));
                }
            }
        }
        _ => {}
    }
}

/// What one argument becomes. The first list of attributes takes the arguments that are kept.
fn change(
    source: &Source<'_>,
    word: Word,
    signature: &Signature,
    kept: &mut Vec<String>,
) -> Result<Change> {
    Ok(match word {
        Word::Name(name) => conversion::name(name)?,
        Word::Same => Change::Keep,
        Word::Skip(_) | Word::SkipAll | Word::Dropped(_) => Change::Remove,
        Word::Root => Change::Replace("root".to_owned()),
        Word::Err => Change::Replace("err".to_owned()),
        Word::Ret(format) => match signature::ret(signature, format) {
            Some(ret) => Change::Replace(ret),
            None => Change::Remove,
        },
        Word::Fields(delimiters, fields) => attributes(source, &delimiters, &fields, kept),
    })
}

fn attributes(
    source: &Source<'_>,
    delimiters: &Delimiters,
    fields: &[Entry<Field>],
    kept: &mut Vec<String>,
) -> Change {
    let is_kept = |index: usize| !matches!(fields[index].item.change, FieldChange::Empty);
    let Some(first) = (0..fields.len()).find(|index| is_kept(*index)) else {
        return Change::Remove;
    };
    let mut edits = vec![word_before(source, delimiters)];
    list::remove(source, fields, is_kept, &mut edits);
    list::add_commas(fields, is_kept, &mut edits);
    if !kept.is_empty() {
        let names = std::mem::take(kept).join(", ");
        edits.push(Edit::insert(
            fields[first].range.start,
            format!("{names}, "),
        ));
    }
    for field in fields {
        if let FieldChange::Replace(text) = &field.item.change {
            edits.push(Edit::replace(field.range.clone(), text.clone()));
        }
    }
    Change::Parts(edits)
}

/// The word `fields` before its parenthesis.
fn word_before(source: &Source<'_>, delimiters: &Delimiters) -> Edit {
    let before = source.slice(0..delimiters.opening.start).trim_end();
    let start = before.len() - "fields".len();
    Edit::replace(start..before.len(), "attributes")
}
