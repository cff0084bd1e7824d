//! `in_span!`: arguments, then a closure.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprClosure, Ident, LitStr, Result, Token};

use crate::errors::Errors;
use crate::plan::check::IN_SPAN;
use crate::plan::finish::Finish;
use crate::plan::span::SpanPlan;
use crate::print;
use crate::syntax::args::{Args, is_closure};

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
    // If the closure is missing, an earlier mistake may have been meant as one.
    let closure = if input.is_empty() && !errors.is_empty() {
        None
    } else {
        errors.keep(closure(input))
    };
    IN_SPAN.check(&args, &mut errors);
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
    // A closure that came through `macro_rules!` as `$closure:expr` is in an invisible group.
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

fn print(args: Args, closure: ExprClosure) -> TokenStream {
    let finish = Finish::new(&args, closure.body.span());
    let span = SpanPlan::of_macro(IN_SPAN.name, args, finish);
    print::block::block(&span, &closure)
}
