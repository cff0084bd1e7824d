//! One attribute, as a call on what takes attributes.
//!
//! A key that is text is printed as such, for a method that has no type parameter but the value's. A
//! constant goes into the closure that computes the value: one trait, `AttributeKey<V>`, is asked
//! once and names key and value in its message, and all the rest is not generic.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, LitStr, Path};

use crate::print::hygiene::{at, local};
use crate::syntax::attribute::{AttributeItem, AttributeValue};
use crate::syntax::key::Key;

/// Input: `id`, `kind = "x"`, `total = sum(items)`, `user = ?user`
///
/// Output: `.attribute("id", &id)`, `.text("kind", "x")`,
/// `.attribute_with("total", &mut |slot| slot.set(&(sum(items))))`,
/// `.attribute_with("user", &mut |slot| slot.debug(&(user)))`
pub(crate) fn attribute(attribute: &AttributeItem) -> TokenStream {
    let (key, value) = match attribute {
        AttributeItem::One(Key::Text(text, place), value) => (LitStr::new(text, *place), value),
        AttributeItem::One(Key::Constant(key), value) => return keyed(key, value),
        AttributeItem::All(facts) => return spread(facts),
    };
    let (method, value) = match value {
        AttributeValue::Argument(name) => {
            let method = Ident::new("attribute", at(name.span()));
            let name = quote_spanned!(name.span()=> &#name);
            return quote!(.#method(#key, #name));
        }
        AttributeValue::Literal(text) => {
            let method = Ident::new("text", at(text.span()));
            return quote!(.#method(#key, #text));
        }
        AttributeValue::Typed(value) => ("set", value),
        AttributeValue::Debug(value) => ("debug", value),
        AttributeValue::Display(value) => ("display", value),
    };
    let (slot, place) = (local("slot"), at(value.span()));
    let method = Ident::new(method, place);
    let value = quote_spanned!(value.span()=> &(#value));
    let value = quote_spanned!(place=> &mut |#slot| #slot.#method(#value));
    let method = Ident::new("attribute_with", place);
    quote!(.#method(#key, #value))
}

/// Input: `HTTP_ROUTE = route`
///
/// Output: `.attributes_with(&mut |sink| sink.set(HTTP_ROUTE, &(route)))`
fn keyed(key: &Path, value: &AttributeValue) -> TokenStream {
    let (sink, place) = (local("sink"), at(key.span()));
    let (method, value) = match value {
        AttributeValue::Argument(name) => ("set", quote_spanned!(name.span()=> &#name)),
        AttributeValue::Literal(text) => ("text", text.to_token_stream()),
        AttributeValue::Typed(value) => ("set", quote_spanned!(value.span()=> &(#value))),
        AttributeValue::Debug(value) => ("debug", quote_spanned!(value.span()=> &(#value))),
        AttributeValue::Display(value) => ("display", quote_spanned!(value.span()=> &(#value))),
    };
    let method = Ident::new(method, place);
    let fill = quote_spanned!(place=> &mut |#sink| #sink.#method(#key, #value));
    quote!(.attributes_with(#fill))
}

/// Input: `..facts`
///
/// Output: `.attributes_with(&mut |sink| sink.all(&(facts)))`
fn spread(facts: &Expr) -> TokenStream {
    let (sink, place) = (local("sink"), at(facts.span()));
    let facts = quote_spanned!(facts.span()=> &(#facts));
    let fill = quote_spanned!(place=> &mut |#sink| #sink.all(#facts));
    quote!(.attributes_with(#fill))
}
