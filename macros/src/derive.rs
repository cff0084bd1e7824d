//! `#[derive(Attributes)]`: the fields of a struct become attributes.

use proc_macro2::TokenStream;
use syn::Item;

use crate::errors::Errors;
use crate::plan::derive_plan;
use crate::print;

/// Errors come with an implementation that has the correct fields, so that uses of the struct are not
/// errors too.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.keep(syn::parse2::<Item>(item)) else {
        return errors.into_tokens();
    };
    let plan = derive_plan::plan(item, &mut errors);
    let mut tokens = errors.into_tokens();
    tokens.extend(plan.as_ref().map(print::derive::attributes));
    tokens
}
