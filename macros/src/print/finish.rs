//! The end of a span: what is read of the returned value before.
//!
//! Method look-up on `&&&&&&&Probe(value)` chooses which of seven readings fits, with one reference
//! fewer for each less special trait. It needs no specialization, sees through aliases, and costs
//! nothing at run time. A value whose type is not settled, that of a block which diverges, must not
//! be probed: the probe would settle it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::plan::finish::{Finish, RecordedValue, ReturnCheck};
use crate::plan::span::SpanPlan;
use crate::print::attribute::attribute;
use crate::print::hygiene::{at, local, local_at};
use crate::syntax::attribute::{AttributeItem, AttributeValue, Projection};

/// Input: `-> Result<T, E>`, `ret(total = |v| v.total)`
///
/// Output: `|span: ActiveSpan, value: &_| { ..; span.end(ReturnCheck::of(&Probe(value).read())) }`
pub(crate) fn finish(span: &SpanPlan) -> TokenStream {
    let SpanPlan { krate, finish, .. } = span;
    if finish.is_silent() {
        return quote!(#krate::private::finish);
    }
    let (active, value) = (local("entered"), local("value"));
    let conclusion = conclusion(krate, finish, &active, &value);
    let ty = quote!(#krate::private::ActiveSpan);
    let mutable = mutable(finish);
    quote_spanned!(at(finish.place)=> |#mutable #active: #ty, #value: &_| { #conclusion })
}

/// Input: `-> Result<T, E>`
///
/// Output: `let (span, value) = ran; if span.is_off() { .. } else { let value = &value; ..; span.end(ReturnCheck::of(&Probe(value).read())) } value`
///
/// After the body, so that a projection may name an argument that the body has borrowed.
pub(crate) fn finished(span: &SpanPlan, ran: &TokenStream) -> TokenStream {
    let SpanPlan { krate, finish, .. } = span;
    let (active, value) = (local("entered"), local("value"));
    let conclusion = conclusion(krate, finish, &active, &value);
    let mutable = mutable(finish);
    let allow_awaited = allow_awaited(finish);
    quote! {
        #allow_awaited
        let (#mutable #active, #value) = #ran;
        if #active.is_off() {
            #active.vanish();
        } else {
            let #value = &#value;
            #conclusion
        }
        return #value;
    }
}

/// For the lint on async blocks, which does not read functions.
pub(crate) fn allow_awaited(finish: &Finish) -> Option<TokenStream> {
    finish
        .may_be_awaited
        .then(|| quote!(#[allow(clippy::async_yields_async)]))
}

/// Each attribute of the value takes the span and returns it.
fn mutable(finish: &Finish) -> Option<TokenStream> {
    (!matches!(finish.recorded, RecordedValue::Nothing)).then(|| quote!(mut))
}

/// What is read of a value, a reference, before the span ends with it.
fn conclusion(krate: &TokenStream, finish: &Finish, active: &Ident, value: &Ident) -> TokenStream {
    let checks = checks(krate, finish, value);
    let recorded = recorded(krate, finish, active, value);
    let check = return_check(krate, finish, value);
    quote!(#checks #recorded #active.end(#check);)
}

/// Checks of the returned type, reported where it is written.
pub(crate) fn checks(krate: &TokenStream, finish: &Finish, value: &Ident) -> TokenStream {
    let strict = finish.strict.then(|| {
        let check = local_at("require_outcome", finish.place);
        quote_spanned!(finish.place=> (&&#krate::private::Probe(#value)).#check();)
    });
    let form = finish.check_form.then(|| {
        let check = local_at("check_form", finish.place);
        quote_spanned!(finish.place=> (&&&&&&&&&#krate::private::Probe(#value)).#check();)
    });
    if strict.is_some() || form.is_some() {
        quote!({ use #krate::private::reading::*; #strict #form })
    } else {
        TokenStream::new()
    }
}

/// Input: `ret` or `ret(total = |v| v.total)`
///
/// Output: `if let Some(v) = Probe(value).success() { span = span.attribute_with("total", ..); }`
pub(crate) fn recorded(
    krate: &TokenStream,
    finish: &Finish,
    active: &Ident,
    value: &Ident,
) -> TokenStream {
    let success = quote!({ use #krate::private::reading::*; (&&#krate::private::Probe(#value)).__enter_span_success() });
    let one = |pattern: &dyn quote::ToTokens, record: TokenStream| {
        quote! {
            if let ::core::option::Option::Some(#pattern) = #success { #record }
        }
    };
    match &finish.recorded {
        RecordedValue::Nothing => TokenStream::new(),
        RecordedValue::Whole => {
            let recorded = local_at("recorded", at(finish.place));
            let method = Ident::new("attribute", at(finish.place));
            one(
                &recorded,
                quote!(#active = #active.#method("return", #recorded);),
            )
        }
        RecordedValue::Projected(projections) => {
            let all = projections.iter().map(|projection| {
                let Projection { key, body, .. } = projection;
                let value = AttributeValue::Typed(body.clone());
                let attribute = attribute(&AttributeItem::One(key.clone(), value));
                let (pattern, binding) = binding(projection);
                one(&pattern, quote!(#binding #active = #active #attribute;))
            });
            quote!(#(#all)*)
        }
    }
}

/// Input: `|v| ..` or `|v: &Order| ..`
///
/// Output: `v` and nothing, or `recorded` and `let v: &Order = recorded;`
fn binding(projection: &Projection) -> (TokenStream, Option<TokenStream>) {
    let Projection { pattern, ty, .. } = projection;
    match ty {
        None => (pattern.to_token_stream(), None),
        Some(ty) => {
            let recorded = local_at("recorded", at(ty.span()));
            let binding = quote_spanned!(at(ty.span())=> let #pattern: #ty = #recorded;);
            (recorded.to_token_stream(), Some(binding))
        }
    }
}

fn return_check(krate: &TokenStream, finish: &Finish, value: &Ident) -> TokenStream {
    // One reference less for each reading that is left out.
    let references = if finish.text_only {
        quote!(&&&&)
    } else {
        quote!(&&&&&&&)
    };
    let outcome = quote!({ use #krate::private::reading::*; (#references #krate::private::Probe(#value)).__enter_span_read() });
    match &finish.check {
        ReturnCheck::Nothing => quote!(#krate::private::ReturnCheck::Nothing),
        ReturnCheck::Outcome => quote!(#krate::private::ReturnCheck::of(&#outcome)),
        ReturnCheck::JudgedBy(judge) => {
            let judged = quote!(#krate::private::Judged);
            let judged =
                quote_spanned!(at(finish.place)=> <_ as #judged>::is_failure(#value, #judge));
            quote!(#krate::private::ReturnCheck::when(#judged, &#outcome))
        }
    }
}
