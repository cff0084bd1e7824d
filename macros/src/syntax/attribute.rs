//! One `key = value`, or `..order`, of `attributes(..)`, `start(..)` or `ret(..)`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::token::Brace;
use syn::{
    Error, Expr, ExprClosure, Ident, LitStr, Pat, Result, ReturnType, Token, Type, parenthesized,
    parse_quote, parse_quote_spanned,
};

use crate::errors::Errors;
use crate::syntax::key::{Key, check_unique, is_constant};
use crate::syntax::{expression, list};

/// What `attributes(..)` lists.
pub(crate) enum AttributeItem {
    One(Key, AttributeValue),
    /// `..order`: those of a struct.
    All(Expr),
}

pub(crate) enum AttributeValue {
    /// A bare name: the argument of that name.
    Argument(Ident),
    Literal(LitStr),
    Typed(Expr),
    Debug(Expr),
    Display(Expr),
}

/// `key = |value: &Type| expr`, of the returned value.
#[derive(Clone)]
pub(crate) struct Projection {
    pub(crate) key: Key,
    pub(crate) pattern: Pat,
    pub(crate) ty: Option<Type>,
    pub(crate) body: Expr,
}

impl AttributeItem {
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            AttributeItem::One(key, _) => Some(key),
            AttributeItem::All(_) => None,
        }
    }

    pub(crate) fn value(&self) -> TokenStream {
        match self {
            AttributeItem::One(_, AttributeValue::Argument(name)) => name.to_token_stream(),
            AttributeItem::One(_, AttributeValue::Literal(text)) => text.to_token_stream(),
            AttributeItem::One(
                _,
                AttributeValue::Typed(value)
                | AttributeValue::Debug(value)
                | AttributeValue::Display(value),
            )
            | AttributeItem::All(value) => value.to_token_stream(),
        }
    }
}

pub(crate) fn list(key: &Ident, input: ParseStream<'_>) -> Result<Vec<AttributeItem>> {
    let attributes: Vec<AttributeItem> = list::items(key, input)?;
    unique(attributes.iter().filter_map(AttributeItem::key)).map(|()| attributes)
}

impl Parse for AttributeItem {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if is_sign(input) {
            return signed(input);
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
            return Ok(AttributeItem::One(key, input.parse()?));
        }
        let argument = argument.map(AttributeValue::Argument);
        let value = argument.ok_or_else(|| without_value(&key, input))?;
        Ok(AttributeItem::One(key, value))
    }
}

fn unique<'a>(keys: impl Iterator<Item = &'a Key>) -> Result<()> {
    let mut errors = Errors::default();
    check_unique(keys, "give one", &mut errors);
    errors.into_result()
}

/// `..order`
fn spread(input: ParseStream<'_>) -> Result<AttributeItem> {
    let dots: Token![..] = input.parse()?;
    if is_end(input) {
        let message = "`..` needs a struct that derives `Attributes`; write `..facts`";
        return Err(Error::new(dots.span(), message));
    }
    expression::parse(input).map(AttributeItem::All)
}

/// `?order.id`, which is both key and value.
///
/// Without a sign, a dotted name is a key whose value is missing.
fn signed(input: ParseStream<'_>) -> Result<AttributeItem> {
    let place = input.span();
    let fork = input.fork();
    skip_sign(&fork)?;
    let key: Result<Key> = fork.parse();
    if fork.peek(Token![=]) {
        return Err(Error::new(place, SIGIL));
    }
    match key {
        Ok(key @ Key::Text(..)) if is_end(&fork) && !input.peek2(LitStr) => {
            Ok(AttributeItem::One(key, input.parse()?))
        }
        _ => {
            skip_sign(input)?;
            Err(Error::new(place, UNNAMED))
        }
    }
}

fn is_sign(input: ParseStream<'_>) -> bool {
    input.peek(Token![%]) || input.peek(Token![?])
}

fn skip_sign(input: ParseStream<'_>) -> Result<()> {
    input.parse::<TokenTree>().map(|_| ())
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
    if is_sign(input) {
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

const UNNAMED: &str = "only a name, or a field such as `order.id`, is its own key; write `key = ?value` or `key = %value`";

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
            value if is_empty_field(&value) => return Err(Error::new_spanned(&value, EMPTY)),
            value => AttributeValue::Typed(value),
        })
    }
}

/// `field::Empty`, of `tracing`.
fn is_empty_field(value: &Expr) -> bool {
    let Expr::Path(path) = value else {
        return false;
    };
    let mut names = path.path.segments.iter().rev().map(|name| &name.ident);
    names.next().is_some_and(|name| name == "Empty")
        && names.next().is_some_and(|module| module == "field")
}

const EMPTY: &str = "an attribute needs no place before it has a value; remove this, and write `span.set_attribute(key, value)` in the body";

pub(crate) fn projections(input: ParseStream<'_>) -> Result<Vec<Projection>> {
    if !input.peek(syn::token::Paren) {
        return if input.peek(Token![=]) {
            Err(input.error("`ret` takes no value; write `ret`, or `ret(key = |value| ..)`"))
        } else {
            Ok(Vec::new())
        };
    }
    let content;
    let paren = parenthesized!(content in input);
    let items: Vec<Projection> = list::each(&content, Projection::parse)?;
    if items.is_empty() {
        let message = "an empty `ret(..)` shows nothing; write `ret`, or `ret(key = |value| ..)`";
        return Err(Error::new(paren.span.join(), message));
    }
    unique(items.iter().map(|item| &item.key)).map(|()| items)
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
            return Err(without_projection(&key));
        }
        if is_sign(input) {
            let message = "a projection has no sigil; write `key = |value| format!(\"{value:?}\")`";
            return Err(input.error(message));
        }
        match expression::parse(input)? {
            Expr::Closure(closure) if closure.inputs.len() == 1 => projection(key, closure),
            value => Err(Error::new(value.span(), PROJECTION)),
        }
    }
}

fn projection(key: Key, closure: ExprClosure) -> Result<Projection> {
    let ExprClosure {
        inputs,
        output,
        body,
        ..
    } = closure;
    let (pattern, ty) = match inputs.into_iter().next() {
        Some(Pat::Type(typed)) => (*typed.pat, Some(borrowed(*typed.ty)?)),
        Some(pattern) => (pattern, None),
        None => (parse_quote!(_), None),
    };
    let body = match output {
        ReturnType::Default => *body,
        ReturnType::Type(_, ty) => converted(*body, &ty),
    };
    Ok(Projection {
        key,
        pattern,
        ty,
        body,
    })
}

/// The function returns the value, so a projection has a reference to it.
fn borrowed(ty: Type) -> Result<Type> {
    if matches!(ty, Type::Path(_) | Type::Tuple(_) | Type::Array(_)) {
        let message =
            "a projection borrows the returned value; write `&` before its type, or no type";
        return Err(Error::new_spanned(ty, message));
    }
    Ok(ty)
}

/// Input: `-> u32 { text.len() }`
///
/// Output: `identity::<u32>({ text.len() })`
fn converted(mut body: Expr, ty: &Type) -> Expr {
    let ours = |place: Span| Span::mixed_site().located_at(place);
    if let Expr::Block(body) = &mut body {
        // A lint would call the user's braces around an argument unneeded.
        body.block.brace_token = Brace(ours(body.span()));
    }
    parse_quote_spanned!(ours(ty.span())=> ::core::convert::identity::<#ty>(#body))
}

/// `ret(Debug)` and `ret(Display)` are of `tracing`.
fn without_projection(key: &Key) -> Error {
    let text = key.written();
    let sign = match text.as_str() {
        "Debug" => Some("{value:?}"),
        "Display" => Some("{value}"),
        _ => None,
    };
    let message = match sign {
        Some(sign) => format!(
            "`ret` keeps the type of the value; for its `{text}` text write `ret(return = |value| format!(\"{sign}\"))`"
        ),
        None => format!("`{text}` needs a projection; write `{text} = |value| ..`"),
    };
    Error::new(key.span(), message)
}

const PROJECTION: &str =
    "a projection is a closure over the returned value; write `key = |value| ..`";
