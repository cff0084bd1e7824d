//! Items between commas. A mistake in one item does not hide those in the others.

use proc_macro2::TokenTree;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, Result, Token, parenthesized};

use crate::errors::Errors;

pub(crate) const COMMA: &str = "missing comma; write `,` before this";

/// The content of `word( .. )`, item by item.
pub(crate) fn items<T: Parse>(key: &Ident, input: ParseStream<'_>) -> Result<Vec<T>> {
    if !input.peek(syn::token::Paren) {
        let message = format!("`{key}` takes a list; write `{key}(..)`");
        return Err(Error::new(key.span(), message));
    }
    let content;
    parenthesized!(content in input);
    each(&content, T::parse)
}

/// Items between commas. After a mistake, parsing continues behind the next comma.
pub(crate) fn each<T>(
    input: ParseStream<'_>,
    parse: impl Fn(ParseStream<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut errors = Errors::default();
    let mut items = Vec::new();
    while !input.is_empty() {
        match errors.keep(parse(input)) {
            Some(item) => items.push(item),
            None => skip_to_comma(input)?,
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            errors.push(Error::new(input.span(), COMMA));
            skip_to_comma(input)?;
        }
        let _comma: Option<Token![,]> = input.parse()?;
    }
    errors.into_result().map(|()| items)
}

pub(crate) fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    skip_to(input, |input| input.peek(Token![,]))
}

pub(crate) fn skip_to(input: ParseStream<'_>, is_there: fn(ParseStream<'_>) -> bool) -> Result<()> {
    while !input.is_empty() && !is_there(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
