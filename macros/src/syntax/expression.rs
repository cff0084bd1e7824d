//! Expressions in arguments. They are evaluated outside of the body, so they cannot leave it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::buffer::Cursor;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Result};

use crate::errors::Errors;

/// An expression without `?`, `return` or `.await`.
pub(crate) struct PlainExpr(pub(crate) Expr);

impl Parse for PlainExpr {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        parse(input).map(PlainExpr)
    }
}

pub(crate) fn parse(input: ParseStream<'_>) -> Result<Expr> {
    let start = input.cursor();
    let expression: Expr = input
        .parse()
        .map_err(|error| unfinished(start, input, error))?;
    let mut errors = Errors::default();
    check(expression.to_token_stream(), &mut errors);
    errors.into_result().map(|()| expression)
}

/// For a half-typed `order.`: reports at the last token. The end of the input would be the whole
/// attribute.
fn unfinished(start: Cursor<'_>, input: ParseStream<'_>, error: Error) -> Error {
    match start.token_stream().into_iter().last() {
        Some(last) if input.is_empty() && !matches!(last, TokenTree::Group(_)) => Error::new(
            last.span(),
            format!("the expression ends early; write what follows `{last}`"),
        ),
        _ => error,
    }
}

/// Reads tokens, which includes the arguments of macros.
fn check(tokens: TokenStream, errors: &mut Errors) {
    for tree in tokens {
        let word = match &tree {
            TokenTree::Group(group) => {
                check(group.stream(), errors);
                continue;
            }
            TokenTree::Ident(ident) if ident == "await" => ".await",
            TokenTree::Ident(ident) if ident == "return" => "return",
            TokenTree::Punct(punct) if punct.as_char() == '?' => "?",
            _ => continue,
        };
        let message = format!(
            "`{word}` is not allowed in an argument of a span; compute the value in the body and set it with `span.set_attribute`"
        );
        errors.push(Error::new(tree.span(), message));
    }
}
