//! The key of an attribute: a dotted name, text or a constant.
//!
//! Text is printed as a literal. A constant may be text or a typed key, which only the compiler
//! knows, so traits of the runtime check it where its value is.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Ident, LitStr, Path, Result, Token};

use crate::errors::Errors;

#[derive(Clone)]
pub(crate) enum Key {
    /// `order.id` or `"order.id"`.
    Text(String, Span),
    /// `TENANT` or `keys::TENANT`.
    Constant(Path),
}

impl Key {
    /// The key as the user sees it.
    pub(crate) fn written(&self) -> String {
        match self {
            Key::Text(text, _) => text.clone(),
            Key::Constant(path) => path.to_token_stream().to_string().replace(' ', ""),
        }
    }

    /// `None` for a constant.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Key::Text(text, _) => Some(text),
            Key::Constant(_) => None,
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Key::Text(_, span) => *span,
            Key::Constant(path) => path.span(),
        }
    }
}

impl ToTokens for Key {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Key::Text(text, place) => LitStr::new(text, *place).to_tokens(tokens),
            Key::Constant(path) => path.to_tokens(tokens),
        }
    }
}

impl Parse for Key {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            if !text.value().is_empty() {
                return Ok(Key::Text(text.value(), text.span()));
            }
            let message =
                "the key of an attribute must not be empty; write for example `\"order.id\"`";
            return Err(Error::new(text.span(), message));
        }
        if input.peek(Token![::]) || input.peek2(Token![::]) {
            return Ok(Key::Constant(input.call(Path::parse_mod_style)?));
        }
        let first = input.call(Ident::parse_any).map_err(|error| {
            let message = "expected an attribute key: a name, a dotted name, text or a constant; write `key = value`";
            Error::new(error.span(), message)
        })?;
        if is_constant(&first) {
            Ok(Key::Constant(first.into()))
        } else {
            dotted(&first, input)
        }
    }
}

pub(crate) fn is_constant(ident: &Ident) -> bool {
    let name = ident.to_string();
    let lower = name.chars().any(char::is_lowercase);
    !lower && name.chars().any(char::is_uppercase)
}

fn dotted(first: &Ident, input: ParseStream<'_>) -> Result<Key> {
    let mut text = first.unraw().to_string();
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        let next = input.call(Ident::parse_any).map_err(|error| {
            let message = format!("a dotted key ends with a name; write `{text}.name = ..`");
            Error::new(error.span(), message)
        })?;
        text.push('.');
        text.push_str(&next.unraw().to_string());
    }
    Ok(Key::Text(text, first.span()))
}

/// Each key once. `remedy` ends the message.
pub(crate) fn check_unique<'a>(
    keys: impl Iterator<Item = &'a Key>,
    remedy: &str,
    errors: &mut Errors,
) {
    let mut seen: Vec<String> = Vec::new();
    for key in keys {
        let text = key.written();
        if seen.contains(&text) {
            let message =
                format!("duplicate attribute key `{text}`; the last value would win, so {remedy}");
            errors.push(Error::new(key.span(), message));
        } else {
            seen.push(text);
        }
    }
}
