//! The macros of `enter-span`: tokens become arguments and a function, together a plan, and the
//! plan is printed.
//!
//! Nothing here knows how a span works; that is `enter_span::private`. The documentation that users
//! read stands where `enter-span` re-exports these, since its examples need that crate.

mod args;
mod attribute;
mod block;
mod derive;
mod errors;
mod expand;
mod expected;
mod expression;
mod facts;
mod field;
mod function;
mod impl_block;
mod owned;
mod pair;
mod plan;
mod rebound;
mod shape;
mod signature;
mod unseen;

use proc_macro::TokenStream;

/// Turns a function, or every method of an `impl` block, into a span. See `enter_span::enter_span`.
#[proc_macro_attribute]
pub fn enter_span(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(args.into(), item.into()).into()
}

/// Runs a block in a span. See `enter_span::in_span`.
#[proc_macro]
pub fn in_span(input: TokenStream) -> TokenStream {
    block::expand(input.into()).into()
}

/// Starts a span that its owner ends. See `enter_span::start_span`.
#[proc_macro]
pub fn start_span(input: TokenStream) -> TokenStream {
    owned::expand(input.into()).into()
}

/// Makes attributes of the fields of a struct. See `enter_span::Attributes`.
#[proc_macro_derive(Attributes, attributes(attributes))]
pub fn attributes(item: TokenStream) -> TokenStream {
    derive::expand(item.into()).into()
}
