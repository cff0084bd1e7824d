//! A returned future or stream, put into the span.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};

use crate::plan::returned_work::{ReturnedWork, WorkForm, WorkKind};
use crate::plan::span::SpanPlan;
use crate::print::finish::{allow_awaited, finish};
use crate::print::hygiene::{at, local, local_at};

/// Input: `|| -> _ { body }`, which returns what becomes a future
///
/// Output: `|| becomes::<T, _>(evaluate(|| -> _ { body }))`: it becomes one inside of the span
pub(crate) fn converted(span: &SpanPlan, body: &TokenStream) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    let output = output(span);
    let body = quote!(#krate::private::evaluate(#body));
    let becomes = quote!(#krate::private::becomes);
    quote_spanned!(place=> || #becomes::<#output, _>(#body))
}

/// The output of a future. It is settled before the probe, which would settle an open type.
fn output(span: &SpanPlan) -> TokenStream {
    match &span.finish.output {
        Some(output) => output.to_token_stream(),
        None => quote!(_),
    }
}

/// Output: `let (span, made) = ran; return InSpan::new(span, made, finish);`
pub(crate) fn returned(span: &SpanPlan, work: ReturnedWork, ran: &TokenStream) -> TokenStream {
    let place = at(span.finish.place);
    let (active, made) = (local("entered"), local_at("made", place));
    let wrapped = wrapped(span, work, &active, &made);
    let allow_awaited = allow_awaited(&span.finish);
    quote! {
        #allow_awaited
        let (#active, #made) = #ran;
        return #wrapped;
    }
}

fn wrapped(span: &SpanPlan, work: ReturnedWork, active: &Ident, made: &Ident) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    let finish = finish(span);
    let settle = match (work.kind, work.form) {
        (WorkKind::Future, WorkForm::Boxed) => {
            let boxed = quote!(#krate::private::BoxedFuture);
            return quote_spanned!(place=> <_ as #boxed>::in_span(#made, #active, #finish));
        }
        (WorkKind::Stream, WorkForm::Boxed) => {
            let boxed = quote!(#krate::private::BoxedStream);
            return quote_spanned!(place=> <_ as #boxed>::in_span(#made, #active));
        }
        (WorkKind::Stream, _) => return quote!(#krate::private::OpenStream::new(#active, #made)),
        (WorkKind::Future, WorkForm::Convertible) => quote!(#krate::private::becomes),
        (WorkKind::Future, WorkForm::Opaque) => quote!(#krate::private::gives),
    };
    let output = output(span);
    let made = quote_spanned!(place=> #settle::<#output, _>(#made));
    quote!(#krate::private::InSpan::new(#active, #made, #finish))
}
