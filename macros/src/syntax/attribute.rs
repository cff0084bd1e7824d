//! One `key = value`, or `..facts`, of `attributes(..)`, `start(..)` or `ret(..)`.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprClosure, Ident, LitStr, Path, Result, Token};

use crate::args::{Attribute, AttributeValue, Key, Projection};
use crate::expression;

impl Key {
    /// The key as the user sees it.
    pub(crate) fn written(&self) -> String {
        match self {
            Key::Text(text, _) => text.clone(),
            Key::Constant(path) => path.to_token_stream().to_string().replace(' ', ""),
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
            return if text.value().is_empty() {
                Err(Error::new(
                    text.span(),
                    "the key of an attribute must not be empty; write for example `\"order.id\"`",
                ))
            } else {
                Ok(Key::Text(text.value(), text.span()))
            };
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

fn is_constant(ident: &Ident) -> bool {
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

impl Attribute {
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Attribute::One(key, _) => Some(key),
            Attribute::All(_) => None,
        }
    }

    pub(crate) fn value(&self) -> TokenStream {
        match self {
            Attribute::One(_, AttributeValue::Argument(name)) => name.to_token_stream(),
            Attribute::One(_, AttributeValue::Literal(text)) => text.to_token_stream(),
            Attribute::One(
                _,
                AttributeValue::Typed(value)
                | AttributeValue::Debug(value)
                | AttributeValue::Display(value),
            )
            | Attribute::All(value) => value.to_token_stream(),
        }
    }
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![%]) || input.peek(Token![?]) {
            return Err(input.error(SIGIL));
        }
        if input.peek(Token![..]) {
            return spread(input);
        }
        let argument = bare(input);
        let key: Key = input.parse()?;
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if is_end(input) {
                return Err(without_value(&key, input));
            }
            let value = input.parse()?;
            return Ok(Attribute::One(key, value));
        }
        match argument {
            Some(argument) => {
                let value = AttributeValue::Argument(argument);
                Ok(Attribute::One(key, value))
            }
            None => Err(without_value(&key, input)),
        }
    }
}

/// `..facts`
fn spread(input: ParseStream<'_>) -> Result<Attribute> {
    let dots: Token![..] = input.parse()?;
    if is_end(input) {
        let message = "`..` needs a struct that derives `Attributes`; write `..facts`";
        return Err(Error::new(dots.span(), message));
    }
    expression::parse(input).map(Attribute::All)
}

/// A lower-case name that stands alone, which is both key and value.
fn bare(input: ParseStream<'_>) -> Option<Ident> {
    let fork = input.fork();
    let ident = fork.call(Ident::parse_any).ok()?;
    (is_end(&fork) && !is_constant(&ident)).then_some(ident)
}

fn is_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn without_value(key: &Key, input: ParseStream<'_>) -> Error {
    let text = key.written();
    if is_end(input) {
        let message = format!("`{text}` needs a value; write `{text} = ..`");
        return Error::new(key.span(), message);
    }
    if input.peek(Token![%]) || input.peek(Token![?]) {
        return input.error(SIGIL);
    }
    if input.peek(syn::token::Paren) {
        return input.error(format!(
            "the key `{text}(..)` is made at run time; set it in the body, with `span.set_attribute({text}(..), value)`"
        ));
    }
    input.error(format!(
        "expected `,` or `=` after `{text}`; a key with other signs is written as text"
    ))
}

const SIGIL: &str = "the sigil goes before the value; write `key = ?value` or `key = %value`";

impl Parse for AttributeValue {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
            return Ok(AttributeValue::Display(expression::parse(input)?));
        }
        if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
            return Ok(AttributeValue::Debug(expression::parse(input)?));
        }
        Ok(match expression::parse(input)? {
            Expr::Lit(literal) => match literal.lit {
                syn::Lit::Str(text) => AttributeValue::Literal(text),
                _ => AttributeValue::Typed(Expr::Lit(literal)),
            },
            value => AttributeValue::Typed(value),
        })
    }
}

impl Parse for Projection {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![..]) {
            let message = "a projection gives one attribute; write `key = |value| ..`, or set those of a struct in the body, with `span.set_attributes(..)`";
            return Err(input.error(message));
        }
        let key: Key = input.parse()?;
        let equals: Option<Token![=]> = input.parse()?;
        if equals.is_none() || is_end(input) {
            let message = format!(
                "`{0}` needs a projection; write `{0} = |value| ..`",
                key.written()
            );
            return Err(Error::new(key.span(), message));
        }
        if input.peek(Token![%]) || input.peek(Token![?]) {
            let message = "a projection has no sigil; write `key = |value| format!(\"{value:?}\")`";
            return Err(input.error(message));
        }
        let value: Expr = expression::parse(input)?;
        let span = value.span();
        match value {
            Expr::Closure(ExprClosure { inputs, body, .. }) if inputs.len() == 1 => {
                let pattern = inputs.into_iter().next();
                let pattern = pattern.ok_or_else(|| Error::new(span, PROJECTION))?;
                Ok(Projection {
                    key,
                    pattern,
                    body: *body,
                })
            }
            _ => Err(Error::new(span, PROJECTION)),
        }
    }
}

const PROJECTION: &str =
    "a projection is a closure over the returned value; write `key = |value| ..`";
