//! A returned future or stream, put into the span.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};

use crate::plan::returned_work::{ReturnedWork, WorkForm, WorkKind};
use crate::plan::span::SpanPlan;
use crate::print::finish::finish;
use crate::print::hygiene::at;

/// Input: `|| -> _ { body }`, which gives what becomes a future
///
/// Output: `|| becomes::<T, _>(evaluate(|| -> _ { body }))`: it becomes one inside of the span
pub(crate) fn converted(span: &SpanPlan, body: &TokenStream) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    let output = output(span);
    let body = quote!(#krate::private::evaluate(#body));
    let becomes = quote!(#krate::private::becomes);
    quote_spanned!(place=> || #becomes::<#output, _>(#body))
}

/// What a future gives. The type is settled before it is probed: a probe would settle one that is open.
fn output(span: &SpanPlan) -> TokenStream {
    match &span.finish.output {
        Some(output) => output.to_token_stream(),
        None => quote!(_),
    }
}

pub(crate) fn wrapped(
    span: &SpanPlan,
    work: ReturnedWork,
    active: &Ident,
    made: &Ident,
) -> TokenStream {
    match work.kind {
        WorkKind::Future => future_in_span(span, work.form, active, made),
        WorkKind::Stream => stream_in_span(span, work.form, active, made),
    }
}

fn future_in_span(span: &SpanPlan, form: WorkForm, active: &Ident, made: &Ident) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    let finish = finish(span);
    match form {
        WorkForm::Opaque | WorkForm::Convertible => {
            let output = output(span);
            let settle = match form {
                WorkForm::Convertible => quote!(#krate::private::becomes),
                WorkForm::Opaque | WorkForm::Boxed => quote!(#krate::private::gives),
            };
            let made = quote_spanned!(place=> #settle::<#output, _>(#made));
            quote!(#krate::private::InSpan::new(#active, #made, #finish))
        }
        WorkForm::Boxed => {
            let boxed = quote!(#krate::private::BoxedFuture);
            quote_spanned!(place=> <_ as #boxed>::in_span(#made, #active, #finish))
        }
    }
}

fn stream_in_span(span: &SpanPlan, form: WorkForm, active: &Ident, made: &Ident) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    match form {
        WorkForm::Opaque | WorkForm::Convertible => {
            quote!(#krate::private::OpenStream::new(#active, #made))
        }
        WorkForm::Boxed => {
            let boxed = quote!(#krate::private::BoxedStream);
            quote_spanned!(place=> <_ as #boxed>::in_span(#made, #active))
        }
    }
}
