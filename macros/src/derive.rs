//! `#[derive(Attributes)]`: the fields of a struct become attributes.

use proc_macro2::TokenStream;
use syn::Item;

use crate::errors::Errors;
use crate::{expand, facts};

/// The faults come with an implementation that writes what is right, so that the uses of the struct
/// are not faults too.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.keep(syn::parse2::<Item>(item)) else {
        return errors.into_tokens();
    };
    let plan = facts::plan(item, &mut errors);
    let mut tokens = errors.into_tokens();
    tokens.extend(plan.as_ref().map(expand::facts));
    tokens
}
