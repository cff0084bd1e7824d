//! One field of `fields(..)`: `id = %id`, `?body`, `order.id = id`, `{KEY} = value`, `total`.

use proc_macro2::{Ident, Span, TokenStream};
use syn::buffer::Cursor;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, LitStr, Result, Token, braced};

use crate::arguments::conversion::leaving;
use crate::text::source::Source;

pub(crate) struct Field {
    /// The name without `r#` and quotes.
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) change: FieldChange,
}

pub(crate) enum FieldChange {
    /// It is recorded later, in the body.
    Empty,
    /// It is the same for both.
    Keep,
    Replace(String),
}

/// The name of a field, and how it is written as a key of ours.
struct Key {
    name: String,
    written: String,
    /// Its own text, which is an expression, too.
    text: String,
    is_same: bool,
    /// `order.id`, which with a sign is a key of ours, too.
    is_path: bool,
}

pub(crate) fn parse(source: &Source<'_>, input: ParseStream<'_>) -> Result<Field> {
    let span = input.span();
    let before = sigil(input)?;
    let key = key(source, input)?;
    let (name, written) = (key.name, key.written);
    let equals: Option<Token![=]> = input.parse()?;
    if equals.is_none() {
        let change = match before {
            None => FieldChange::Empty,
            Some(_) if key.is_path => FieldChange::Keep,
            Some(sigil) => FieldChange::Replace(format!("{written} = {sigil}{}", key.text)),
        };
        return Ok(Field { name, span, change });
    }
    let sigil = sigil(input)?.or(before);
    let start = input.cursor();
    let value: Expr = input.parse()?;
    let text = source.slice(source.between(start, input.cursor()));
    let (sigil, text) = match (sigil, wrapped(source, &value)) {
        (None, Some(wrapped)) => (Some(wrapped.sigil), wrapped.text),
        (sigil, _) => (sigil, text),
    };
    if sigil.is_none() && is_empty(&value) {
        let change = FieldChange::Empty;
        return Ok(Field { name, span, change });
    }
    check_stays(start, input.cursor())?;
    let is_same = key.is_same && before.is_none() && wrapped(source, &value).is_none();
    let change = if is_same {
        FieldChange::Keep
    } else {
        let sigil = sigil.map(String::from).unwrap_or_default();
        FieldChange::Replace(format!("{written} = {sigil}{text}"))
    };
    Ok(Field { name, span, change })
}

fn sigil(input: ParseStream<'_>) -> Result<Option<char>> {
    if input.peek(Token![%]) {
        input.parse::<Token![%]>().map(|_| Some('%'))
    } else if input.peek(Token![?]) {
        input.parse::<Token![?]>().map(|_| Some('?'))
    } else {
        Ok(None)
    }
}

fn key(source: &Source<'_>, input: ParseStream<'_>) -> Result<Key> {
    if input.peek(syn::token::Brace) {
        return constant(source, input);
    }
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let written = source.slice(source.range(text.span())).to_owned();
        return Ok(Key {
            name: text.value(),
            text: written.clone(),
            written,
            is_same: true,
            is_path: false,
        });
    }
    let start = input.cursor();
    let mut name = Ident::parse_any(input)?.unraw().to_string();
    let is_constant = is_constant(&name);
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        let next = Ident::parse_any(input)?.unraw().to_string();
        name = format!("{name}.{next}");
    }
    let text = source
        .slice(source.between(start, input.cursor()))
        .to_owned();
    // In capitals, ours would be the constant of that name.
    let written = if is_constant {
        format!("\"{name}\"")
    } else {
        text.clone()
    };
    Ok(Key {
        name,
        written,
        text,
        is_same: !is_constant,
        is_path: !is_constant,
    })
}

/// `{KEY}`
fn constant(source: &Source<'_>, input: ParseStream<'_>) -> Result<Key> {
    let content;
    let brace = braced!(content in input);
    let start = content.cursor();
    let key: Expr = content.parse()?;
    let text = source.slice(source.between(start, content.cursor()));
    let last = match &key {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    };
    if !last.is_some_and(|last| text.contains("::") || is_constant(&last)) {
        let message = "this key is an expression; write a constant, or set the attribute in the body with `Span::current().set_attribute(key, value)`";
        return Err(Error::new(brace.span.join(), message));
    }
    Ok(Key {
        name: text.to_owned(),
        written: text.to_owned(),
        text: text.to_owned(),
        is_same: false,
        is_path: false,
    })
}

/// As the macro decides it.
fn is_constant(name: &str) -> bool {
    !name.chars().any(char::is_lowercase) && name.chars().any(char::is_uppercase)
}

struct Wrapped<'t> {
    sigil: char,
    text: &'t str,
}

/// `field::debug(&x)` and `field::display(&x)`, for which there are signs.
fn wrapped<'t>(source: &Source<'t>, value: &Expr) -> Option<Wrapped<'t>> {
    let Expr::Call(call) = value else {
        return None;
    };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let mut names = function.path.segments.iter().rev();
    let sigil = match names.next()?.ident.to_string().as_str() {
        "debug" => '?',
        "display" => '%',
        _ => return None,
    };
    let is_field = names.next().is_some_and(|module| module.ident == "field");
    let argument = call.args.first().filter(|_| call.args.len() == 1)?;
    let text = source.slice(source.range(argument.span()));
    is_field.then_some(Wrapped { sigil, text })
}

fn is_empty(value: &Expr) -> bool {
    match value {
        Expr::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == "Empty")
        }
        _ => false,
    }
}

/// The values of attributes cannot leave the function.
fn check_stays(start: Cursor<'_>, end: Cursor<'_>) -> Result<()> {
    let mut tokens = TokenStream::new();
    let mut next = start;
    while let Some((tree, rest)) = next.token_tree().filter(|_| next != end) {
        tokens.extend([tree]);
        next = rest;
    }
    match leaving(tokens) {
        None => Ok(()),
        Some((span, word)) => Err(Error::new(
            span,
            format!(
                "`{word}` is not allowed in an attribute; compute the value in the body, and set it with `Span::current().set_attribute(key, value)`"
            ),
        )),
    }
}
