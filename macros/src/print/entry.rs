//! The start of a span, or what stands there without one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::plan::function::Plan;
use crate::plan::span::{SpanPlan, StartOption};
use crate::print::attribute::attribute;
use crate::print::hygiene::{at, local};

/// Input: `when = busy(), attributes(id)`
///
/// Output: `if is_on() && holds(|| busy()) { enter(&SITE).attribute("id", &id) } else { ActiveSpan::OFF }`
pub(crate) fn entry(span: &SpanPlan) -> TokenStream {
    active(span, &enter(span), "ActiveSpan")
}

/// Input: `enter(&SITE)`, `ActiveSpan`
pub(crate) fn active(span: &SpanPlan, enter: &TokenStream, ty: &str) -> TokenStream {
    let krate = &span.krate;
    let when = span.when.as_ref().map(|when| {
        // Located at the condition for errors, and ours for lints.
        let place = when.span().resolved_at(Span::mixed_site());
        let holds = quote_spanned!(place=> #krate::private::holds(|| #when));
        quote!(&& #holds)
    });
    let attributes = span.attributes.iter().map(attribute);
    let ty = Ident::new(ty, Span::mixed_site());
    quote! {
        if #krate::private::is_on() #when {
            #enter #(#attributes)*
        } else {
            #krate::private::#ty::OFF
        }
    }
}

/// Input: `root, links(other)`
///
/// Output: `enter_with(&SITE, &mut [&mut |start| { start.root(); }], &mut [&mut |start| { start.links(&(other)); }])`
///
/// The parent comes first: if the span is not recorded, the other options are not evaluated.
fn enter(span: &SpanPlan) -> TokenStream {
    let krate = &span.krate;
    if span.start.is_empty() {
        return quote!(#krate::private::enter(&__ENTER_SPAN_SITE));
    }
    let start = local("start");
    let closure = |option| {
        let set = start_option(&start, option);
        quote!(&mut |#start: &mut #krate::private::Start| { #set })
    };
    let (parents, others): (Vec<_>, Vec<_>) = span
        .start
        .iter()
        .partition(|option| option.decides_parent());
    let (parents, others) = (
        parents.into_iter().map(closure),
        others.into_iter().map(closure),
    );
    quote! {
        #krate::private::enter_with(&__ENTER_SPAN_SITE, &mut [#(#parents),*], &mut [#(#others),*])
    }
}

fn start_option(start: &Ident, option: &StartOption) -> TokenStream {
    let set = |method: &str, value: &Expr| {
        let method = Ident::new(method, at(value.span()));
        let argument = quote_spanned!(value.span()=> &(#value));
        quote!(#start.#method(#argument);)
    };
    match option {
        StartOption::Tracer(tracer) => set("tracer", tracer),
        StartOption::Root => quote!(#start.root();),
        StartOption::Name(name) => set("name", name),
        // A root first, so that a parent expression that panics leaves a root.
        StartOption::Parent(parent) => {
            let parent = set("parent", parent);
            quote!(#start.root(); #parent)
        }
        // The same for an invocation.
        StartOption::Invocation(invocation) => {
            let invocation = set("invocation", invocation);
            quote!(#start.root(); #invocation)
        }
        StartOption::Link(link) => set("links", link),
        StartOption::Attribute(item) => {
            let attribute = attribute(item);
            quote!(#start #attribute;)
        }
    }
}

/// Input: a plan with `|span|`
///
/// Output: `let entered = entry; let span = entered.handle();` and `entered`
pub(crate) fn with_handle(plan: &Plan) -> (TokenStream, TokenStream) {
    let entry = entry(&plan.span);
    match &plan.handle {
        None => (TokenStream::new(), entry),
        Some(handle) => {
            let active = local("entered");
            let bind = quote! {
                let mut #active = #entry;
                let #handle = #active.handle();
            };
            (bind, active.into_token_stream())
        }
    }
}
