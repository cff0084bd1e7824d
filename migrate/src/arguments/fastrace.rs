//! `#[fastrace::trace(..)]`

use proc_macro2::{Delimiter, Ident};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, LitBool, LitStr, Meta, Path, Result, Token};

use crate::arguments::conversion::{self, Change, Conversion};
use crate::text::edit::Edit;
use crate::text::list::{self, Entry};
use crate::text::source::Source;

pub(crate) fn convert(source: &Source<'_>, meta: &Meta) -> Result<Conversion> {
    let parser = |input: ParseStream<'_>| list::parse(source, input, |input| change(source, input));
    let entries = match conversion::parenthesized(meta)? {
        Some(list) => parser.parse2(list.tokens.clone())?,
        None => Vec::new(),
    };
    let is_named = |entry: &Entry<(bool, Change)>| entry.item.0;
    let is_renamed = !entries.iter().any(is_named);
    let entries: Vec<Entry<Change>> = entries
        .into_iter()
        .map(|Entry { item, range, comma }| Entry {
            item: item.1,
            range,
            comma,
        })
        .collect();
    Ok(Conversion {
        edits: conversion::edits(source, meta, &entries, None),
        is_renamed,
        ..Conversion::default()
    })
}

/// What an argument becomes, and whether it keeps the span's name as it was.
fn change(source: &Source<'_>, input: ParseStream<'_>) -> Result<(bool, Change)> {
    let start = source.range(input.span()).start;
    let word = Ident::parse_any(input)?;
    input.parse::<Token![=]>()?;
    Ok(match word.to_string().as_str() {
        "name" => (true, conversion::name(input.parse()?)?),
        "short_name" => (input.parse::<LitBool>()?.value, Change::Remove),
        "enter_on_poll" => {
            input.parse::<LitBool>()?;
            (false, Change::Remove)
        }
        "properties" => (false, properties(source, start, input)?),
        "crate" => (false, krate(&word, input)?),
        unknown => {
            let message = format!("unknown argument `{unknown}`; rewrite this attribute by hand");
            return Err(Error::new(word.span(), message));
        }
    })
}

fn krate(word: &Ident, input: ParseStream<'_>) -> Result<Change> {
    let path: Path = input.parse()?;
    if path.segments.len() == 1 && path.segments[0].ident == "fastrace" {
        return Ok(Change::Remove);
    }
    let message = "this names a re-export of `fastrace`; write `crate = ..` with the path of `enter_span`, or remove it";
    Err(Error::new(word.span(), message))
}

/// Input: `properties = { "k": "v", "id": "{id}" }`
///
/// Output: `attributes("k" = "v", %id)`
fn properties(source: &Source<'_>, start: usize, input: ParseStream<'_>) -> Result<Change> {
    let property = |input: ParseStream<'_>| property(source, input);
    let (delimiters, properties) = conversion::group(source, input, Delimiter::Brace, property)?;
    if properties.is_empty() {
        return Ok(Change::Remove);
    }
    let (opening, closing) = (delimiters.opening.end, delimiters.closing.start);
    let inside = source.slice(opening..closing);
    // Braces have blanks beside them, parentheses none.
    let first = opening + inside.len() - inside.trim_start_matches(' ').len();
    let last = if inside.contains('\n') {
        closing
    } else {
        opening + inside.trim_end_matches(' ').len()
    };
    let mut edits = vec![
        Edit::replace(start..first, "attributes("),
        Edit::replace(last..delimiters.closing.end, ")"),
    ];
    edits.extend(properties.into_iter().flat_map(|entry| entry.item));
    Ok(Change::Parts(edits))
}

fn property(source: &Source<'_>, input: ParseStream<'_>) -> Result<Vec<Edit>> {
    let key: LitStr = input.parse()?;
    input.parse::<Token![:]>()?;
    let value: LitStr = input.parse()?;
    let (key_range, range) = (source.range(key.span()), source.range(value.span()));
    let between = Edit::replace(key_range.end..range.start, " = ");
    if !value.value().contains(['{', '}']) {
        return Ok(vec![between]);
    }
    let text = formatted(&value, source.slice(range.clone()));
    if text.strip_prefix(['%', '?']) == Some(&key.value()) {
        let whole = Edit::replace(key_range.start..range.end, text);
        return Ok(vec![whole]);
    }
    Ok(vec![between, Edit::replace(range, text)])
}

/// `"{id}"` is `%id`, `"{id:?}"` is `?id`, and other texts are formatted.
fn formatted(value: &LitStr, written: &str) -> String {
    let text = value.value();
    let inside = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let is_name = |text: &str| syn::parse_str::<Ident>(text).is_ok();
    match inside {
        Some(name) if is_name(name) => format!("%{name}"),
        Some(debug) => match debug.strip_suffix(":?") {
            Some(name) if is_name(name) => format!("?{name}"),
            _ => format!("format!({written})"),
        },
        None => format!("format!({written})"),
    }
}
