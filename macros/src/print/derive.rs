//! The implementation of `Attributes` for a struct.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{WherePredicate, parse_quote};

use crate::plan::derive_plan::{DerivePlan, FieldKind, FieldPlan};
use crate::print::hygiene::{at, local};
use crate::syntax::key::Key;

/// Input: `#[derive(Attributes)] struct Order<T> { id: u64, note: Option<T> }`
///
/// Output: `impl<T> Attributes for Order<T> where Option<T>: ToAttribute { fn write_attributes(&self, sink: ..) { sink.set("id", &self.id); .. } }`
pub(crate) fn attributes(plan: &DerivePlan) -> TokenStream {
    let krate = match &plan.krate {
        Some(krate) => krate.to_token_stream(),
        None => quote!(::enter_span),
    };
    let name = &plan.name;
    let mut generics = plan.generics.clone();
    let bounds = plan.fields.iter().filter_map(|field| bound(&krate, field));
    generics.make_where_clause().predicates.extend(bounds);
    let (head, tail, wheres) = generics.split_for_impl();
    let sink = if plan.fields.is_empty() {
        local("_sink")
    } else {
        local("sink")
    };
    let fields = plan.fields.iter().map(|field| record(&sink, field));
    quote! {
        #[automatically_derived]
        impl #head #krate::Attributes for #name #tail #wheres {
            fn write_attributes(&self, #sink: &mut #krate::private::AttributeSink<'_>) {
                #(#fields)*
            }
        }
    }
}

/// The bound of a type that names a parameter. A constant has its own.
fn bound(krate: &TokenStream, field: &FieldPlan) -> Option<WherePredicate> {
    let ty = &field.ty;
    let needed = match &field.kind {
        _ if !field.is_generic => return None,
        FieldKind::Value(Key::Constant(_)) => return None,
        FieldKind::Value(_) => quote!(#krate::ToAttribute),
        FieldKind::Display(_) => quote!(::core::fmt::Display),
        FieldKind::Debug(_) => quote!(::core::fmt::Debug),
        FieldKind::Nested | FieldKind::Below(_) => quote!(#krate::Attributes),
    };
    Some(parse_quote!(#ty: #needed))
}

/// Input: `id: u64`, `#[attributes(?)] state: State`, `#[attributes(prefix = "to")] address: Address`
///
/// Output: `sink.set("id", &self.id);`, `sink.debug("state", &self.state);`, `sink.all_below("to", &self.address);`
fn record(sink: &Ident, field: &FieldPlan) -> TokenStream {
    let name = &field.name;
    let place = at(name.span());
    let (method, key) = match &field.kind {
        FieldKind::Value(key) => ("set", Some(key.to_token_stream())),
        FieldKind::Display(key) => ("display", Some(key.to_token_stream())),
        FieldKind::Debug(key) => ("debug", Some(key.to_token_stream())),
        FieldKind::Nested => ("all", None),
        FieldKind::Below(prefix) => ("all_below", Some(prefix.to_token_stream())),
    };
    let method = Ident::new(method, place);
    let key = key.map(|key| quote!(#key,));
    // `self` is the method's, which the hygiene of the call finds.
    let this = quote_spanned!(Span::call_site().located_at(place)=> self);
    let value = quote_spanned!(name.span()=> &#this.#name);
    quote!(#sink.#method(#key #value);)
}
