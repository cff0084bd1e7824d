//! Expressions in arguments. They are evaluated apart from the body, so they cannot leave it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
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
    let expression: Expr = input.parse()?;
    let mut errors = Errors::default();
    check(expression.to_token_stream(), &mut errors);
    errors.into_result().map(|()| expression)
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
