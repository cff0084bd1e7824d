//! Expressions in arguments. They are evaluated apart from the body, so they cannot leave it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::buffer::Cursor;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Result};

use crate::errors::Errors;

/// An expression without `?`, `return` or `.await`.
pub(crate) struct Checked(pub(crate) Expr);

impl Parse for Checked {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        parse(input).map(Checked)
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

/// Half typed, as `order.`: the place is that of the last token, and not the end of the input, which
/// for the arguments themselves is the whole attribute.
fn unfinished(start: Cursor<'_>, input: ParseStream<'_>, error: Error) -> Error {
    match start.token_stream().into_iter().last() {
        Some(last) if input.is_empty() && !matches!(last, TokenTree::Group(_)) => Error::new(
            last.span(),
            format!("the expression ends early; write what follows `{last}`"),
        ),
        _ => error,
    }
}

/// Looks at tokens, so that it also sees into the arguments of macros.
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
