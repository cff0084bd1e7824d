//! `start_span!`: arguments and nothing else.

use proc_macro2::TokenStream;
use syn::Result;
use syn::parse::{ParseStream, Parser as _};

use crate::errors::Errors;
use crate::plan::check::START_SPAN;
use crate::plan::finish::Finish;
use crate::plan::span::SpanPlan;
use crate::print;
use crate::syntax::args::{Args, is_closure};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match parse.parse2(input) {
        Ok(args) => {
            print::block::owned(&SpanPlan::of_macro(START_SPAN.name, args, Finish::silent()))
        }
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
    START_SPAN.check(&args, &mut errors);
    errors.into_result().map(|()| args)
}
