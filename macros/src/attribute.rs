//! `#[enter_span]`: finds out what item it is on, and prints that item whatever is wrong.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, Result, Visibility};

use crate::errors::Errors;
use crate::impl_block::{self, ImplBlock};
use crate::plan::function::Plan;
use crate::print;
use crate::syntax::args::Args;
use crate::syntax::function::Function;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(args, &mut errors);
    match target(&item) {
        Ok(Target::Function) => function(args, item, errors),
        Ok(Target::Impl) => impl_block(args, item, errors),
        Err(error) => {
            errors.push(error);
            beside(errors, item)
        }
    }
}

enum Target {
    Function,
    Impl,
}

/// The errors, and the item as it was written: callers and editors still find it.
fn beside(errors: Errors, item: TokenStream) -> TokenStream {
    let mut tokens = errors.into_tokens();
    item.to_tokens(&mut tokens);
    tokens
}

fn function(args: Args, item: TokenStream, mut errors: Errors) -> TokenStream {
    let function = errors.keep(syn::parse2::<Function>(item.clone()));
    let arguments_are_right = errors.is_empty();
    let plan = function.and_then(|function| errors.keep(Plan::new(function, args, None)));
    match plan.filter(|_| arguments_are_right) {
        Some(plan) => print::function::function(&plan),
        None => beside(errors, item),
    }
}

fn impl_block(args: Args, item: TokenStream, mut errors: Errors) -> TokenStream {
    let block = errors.keep(syn::parse2::<ImplBlock>(item.clone()));
    match block {
        Some(block) => impl_block::expand(block, &args, errors),
        None => beside(errors, item),
    }
}

fn target(item: &TokenStream) -> Result<Target> {
    let find = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let found = keyword(input);
        input.parse::<TokenStream>()?;
        found
    };
    find.parse2(item.clone())
}

/// Skips qualifiers up to the keyword of the item.
fn keyword(input: ParseStream<'_>) -> Result<Target> {
    let start = input.cursor().token_stream();
    let mut last = None;
    for tree in start {
        match &tree {
            TokenTree::Ident(word) if word == "fn" => return Ok(Target::Function),
            TokenTree::Ident(word) if word == "impl" => return Ok(Target::Impl),
            TokenTree::Ident(word) if is_qualifier(word) => {}
            TokenTree::Literal(_) => continue,
            other => return Err(wrong_item(last.as_ref(), other)),
        }
        last = Some(tree);
    }
    Err(Error::new(
        proc_macro2::Span::call_site(),
        "`#[enter_span]` goes on functions and `impl` blocks; found nothing",
    ))
}

fn is_qualifier(word: &Ident) -> bool {
    let mut qualifiers = [
        "const", "async", "unsafe", "safe", "extern", "default", "gen",
    ]
    .iter();
    qualifiers.any(|qualifier| word == qualifier)
}

fn wrong_item(before: Option<&TokenTree>, found: &TokenTree) -> Error {
    // `const X: ..` and `extern { .. }`: the qualifier is the keyword.
    let keyword = match (before, found) {
        (_, TokenTree::Ident(word)) if is_item(word) => found,
        (Some(before), _) => before,
        (None, found) => found,
    };
    let keyword_text = keyword.to_string();
    let remedy = match keyword_text.as_str() {
        "trait" => "; put it on the methods that have a body, or on an `impl`",
        "let" | "|" | "||" | "move" => "; use `in_span!` for a block",
        _ => "",
    };
    let message = format!(
        "`#[enter_span]` goes on functions and `impl` blocks; found `{keyword_text}`{remedy}"
    );
    Error::new(keyword.span(), message)
}

fn is_item(word: &Ident) -> bool {
    const ITEMS: [&str; 10] = [
        "struct", "enum", "union", "trait", "mod", "use", "static", "type", "let", "crate",
    ];
    word == "macro_rules" || ITEMS.iter().any(|item| word == item)
}
