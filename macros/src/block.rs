//! `in_span!`: arguments, then a closure.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprClosure, Ident, LitStr, Result, Token};

use crate::args::{Args, is_closure};
use crate::errors::Errors;
use crate::expand;
use crate::plan::{self, Finish, Names, SpanPlan};

const CLOSURE: &str = "`in_span!` ends with a closure; write `in_span!(\"name\", |span| ..)`, or `async |span| ..` for a future";

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match parse.parse2(input) {
        Ok((args, closure)) => print(args, closure),
        Err(error) => error.into_compile_error(),
    }
}

fn parse(input: ParseStream<'_>) -> Result<(Args, ExprClosure)> {
    let mut args = Args::default();
    let mut errors = Errors::default();
    while !input.is_empty() && !is_closure(input) {
        if !input.peek(Ident::peek_any) && !input.peek(LitStr) {
            return Err(input.error(CLOSURE));
        }
        args.parse_next(input, &mut errors)?;
    }
    // Without a closure, what was found wrong before may have been meant as one.
    let closure = if input.is_empty() && !errors.is_empty() {
        None
    } else {
        errors.keep(closure(input))
    };
    check(&args, &mut errors);
    errors.into_result()?;
    closure
        .map(|closure| (args, closure))
        .ok_or_else(|| Error::new(Span::call_site(), CLOSURE))
}

fn closure(input: ParseStream<'_>) -> Result<ExprClosure> {
    if input.is_empty() {
        return Err(Error::new(input.span(), CLOSURE));
    }
    let mut value: Expr = input.parse()?;
    // A closure that came through `macro_rules!` as `$closure:expr` stands in an invisible group.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    let Expr::Closure(mut closure) = value else {
        return Err(Error::new(value.span(), CLOSURE));
    };
    let _trailing: Option<Token![,]> = input.parse()?;
    if !input.is_empty() {
        return Err(input.error("the closure stands last; move this before it"));
    }
    match closure.inputs.len() {
        0 => closure
            .inputs
            .push(syn::Pat::parse_single.parse2(quote::quote!(_))?),
        1 => {}
        _ => {
            let message = "the closure takes one argument, the span; write `|span| ..`";
            return Err(Error::new(closure.inputs.span(), message));
        }
    }
    Ok(closure)
}

fn check(args: &Args, errors: &mut Errors) {
    plan::check_relations(args, errors);
    if args.name.is_none() && errors.is_empty() {
        let message = "a block has no name of its own; write `in_span!(\"name\", ..)`";
        errors.push(Error::new(Span::call_site(), message));
    }
    if let Some(current) = &args.current {
        let message = "`current` makes no span, and `in_span!` makes one; to add to the current span write `Span::current().set_attributes(..)`";
        errors.push(Error::new(current.key.span(), message));
    }
    let meaningless = [&args.future, &args.stream, &args.skip];
    for arg in meaningless.into_iter().flatten() {
        let word = &arg.key;
        let message = format!(
            "`{word}` has no meaning in `in_span!`, where the closure says what it returns; remove it"
        );
        errors.push(Error::new(word.span(), message));
    }
}

fn print(args: Args, closure: ExprClosure) -> TokenStream {
    let (names, place) = Names::of_block("in_span", &args);
    let finish = Finish::new(&args, closure.body.span());
    let span = SpanPlan::new(args, names, place, finish);
    match closure.asyncness {
        Some(_) => expand::async_block(&span, &closure),
        None => expand::block(&span, &closure),
    }
}
