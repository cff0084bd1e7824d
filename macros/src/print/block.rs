//! `in_span!` and `start_span!`.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ExprClosure;

use crate::plan::span::SpanPlan;
use crate::print::entry::entry;
use crate::print::finish::finish;
use crate::print::hygiene::{at, local};
use crate::print::site::site;

/// Input: `"name", |span| body`
///
/// Output: `{ let (span, value) = run_open(entry, || call(|span| body, handle)); Probe(&value).kind().finish(span, value, finish) }`
///
/// Of `async |span| body`: `async { let (span, value) = Open::new(entry, call_async(async |span| body, handle)).await; .. }`
pub(crate) fn block(span: &SpanPlan, closure: &ExprClosure) -> TokenStream {
    let krate = &span.krate;
    let (site, entry) = (site(span), entry(span));
    let (active, handle, value) = (local("entered"), local("handle"), local("value"));
    let bind = quote!(let mut #active = #entry; let #handle = #active.handle(););
    let given = given(span, &active, &value);
    if closure.asyncness.is_none() {
        let body = quote!(#krate::private::call(#closure, #handle));
        let body = quote_spanned!(at(span.finish.place)=> || #body);
        let ran = quote!({ #bind #krate::private::run_open(#active, #body) });
        return quote!({ #site let (#active, #value) = #ran; #given });
    }
    let capture = &closure.capture;
    let body = quote!(#krate::private::call_async(#closure, #handle));
    let ran = quote!({ #bind #krate::private::OpenFuture::new(#active, #body) }.await);
    quote!({ #site async #capture { let (#active, #value) = #ran; #given } })
}

/// Input: the value of a block
///
/// Output: `Probe(&value).kind().finish(span, value, finish)`
///
/// Nothing follows it: after a block that diverges that would be unreachable.
fn given(span: &SpanPlan, active: &Ident, value: &Ident) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    let finish = finish(span);
    let kind = if span.finish.call_only {
        quote_spanned!(place=> #krate::private::Returned)
    } else {
        let probe = quote!(#krate::private::Probe);
        quote_spanned!(place=> { use #krate::private::reading::*; (&&&&&#probe(&#value)).__enter_span_kind() })
    };
    quote_spanned!(place=> #kind.finish(#active, #value, #finish))
}

/// Input: `"name", kind = client`
///
/// Output: `{ static SITE: .. = ..; own(entry) }`
pub(crate) fn owned(span: &SpanPlan) -> TokenStream {
    let krate = &span.krate;
    let (site, entry) = (site(span), entry(span));
    quote!({ #site #krate::private::own(#entry) })
}
