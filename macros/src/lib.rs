//! The macros of `enter-span`: `syntax` parses tokens, `plan` decides what they mean, and `print`
//! writes the code. The files beside these folders are the entries, one for each macro.
//!
//! How a span works is not here but in `enter_span::private`. The documentation for users stands
//! where `enter-span` re-exports these macros, since its examples need that crate.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) has a page on
//! [arguments](https://github.com/enter-span/enter-span/blob/main/docs/arguments.md).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod attribute;
mod block;
mod derive;
mod errors;
mod impl_block;
mod owned;
mod plan;
mod print;
mod syntax;

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
