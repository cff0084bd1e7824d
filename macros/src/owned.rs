//! `start_span!`: arguments, and nothing that they stand around.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Ident, Result};

use crate::args::{Args, is_closure};
use crate::errors::Errors;
use crate::expand;
use crate::plan::{self, Finish, Names, SpanPlan};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match parse.parse2(input) {
        Ok(args) => print(args),
        Err(error) => error.into_compile_error(),
    }
}

fn parse(input: ParseStream<'_>) -> Result<Args> {
    let mut args = Args::default();
    let mut errors = Errors::default();
    while !input.is_empty() {
        if is_closure(input) {
            let message = "`start_span!` takes no closure; use `in_span!` for a block, or `span.enter(|| ..)` on what this gives";
            return Err(input.error(message));
        }
        args.parse_next(input, &mut errors)?;
    }
    check(&args, &mut errors);
    errors.into_result().map(|()| args)
}

fn check(args: &Args, errors: &mut Errors) {
    plan::check_relations(args, errors);
    if args.name.is_none() && errors.is_empty() {
        let message =
            "a span that is started has no name of its own; write `start_span!(\"name\", ..)`";
        errors.push(Error::new(Span::call_site(), message));
    }
    if let Some(current) = &args.current {
        let message = "`current` makes no span, and `start_span!` makes one; to add to the current span write `Span::current().set_attributes(..)`";
        errors.push(Error::new(current.key.span(), message));
    }
    for word in meaningless(args) {
        let message = format!(
            "`{word}` has no meaning in `start_span!`, which gives the span and returns no value; remove it"
        );
        errors.push(Error::new(word.span(), message));
    }
}

fn meaningless(args: &Args) -> impl Iterator<Item = &Ident> {
    let flags = [&args.future, &args.stream, &args.call_only, &args.skip];
    let flags = flags.into_iter().flatten().map(|flag| &flag.key);
    let ret = args.ret.iter().map(|ret| &ret.key);
    flags.chain(ret).chain(args.err.iter().map(|err| &err.key))
}

fn print(args: Args) -> TokenStream {
    let (names, place) = Names::of_block("start_span", &args);
    let span = SpanPlan::new(args, names, place, Finish::silent());
    expand::owned(&span)
}
