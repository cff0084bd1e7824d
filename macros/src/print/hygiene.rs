//! DefaultName and places of printed code, apart from those of the user.

use proc_macro2::{Ident, Span};
use quote::format_ident;

/// A name of ours: no local of the user's can meet it, and no constant is called so.
pub(crate) fn local(name: &str) -> Ident {
    local_at(name, Span::mixed_site())
}

pub(crate) fn local_at(name: &str, place: Span) -> Ident {
    format_ident!("__enter_span_{name}", span = place)
}

/// Where the compiler speaks of tokens of ours: at what they were made for, not at the attribute.
pub(crate) fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}
