//! The static of a site.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::plan::span::SpanPlan;

/// Input: a name and the place of a function
///
/// Output: `static __ENTER_SPAN_SITE: Site = Site::new("module::f", 1, const { &Module::new(..) }).here();`
pub(crate) fn site(span: &SpanPlan) -> TokenStream {
    let SpanPlan { krate, site, .. } = span;
    let name = &site.name;
    let length = name.value().len();
    let path = match &site.function {
        Some(function) => quote!(::core::module_path!(), "::", #function),
        None => quote!(::core::module_path!()),
    };
    // A name that the path ends with is in the binary once.
    let (text, named) = if site.function.as_ref() == Some(&name.value()) {
        (path, None)
    } else {
        (quote!(#path, #name), Some(quote!(.named())))
    };
    // The place of a method call is that of its name: the line is the function's, not ours.
    let here = quote_spanned!(site.place=> here());
    let kind = site.kind.map(|kind| {
        let kind = Ident::new(kind, Span::call_site());
        quote!(.kind(#krate::private::Kind::#kind))
    });
    let leaf = site.leaf.then(|| quote!(.leaf()));
    let ends_children = site.ends_children.then(|| quote!(.ends_children()));
    let detail = span.finish.detail.map(|detail| {
        let detail = Ident::new(detail, Span::call_site());
        quote!(.at_most(#krate::private::ErrorDetail::#detail))
    });
    let module = module(krate);
    let fields = fields(span);
    quote! {
        static __ENTER_SPAN_SITE: #krate::private::Site =
            #krate::private::Site::new(::core::concat!(#text), #length, #module)
                .#here #named #kind #leaf #ends_children #detail #fields;
    }
}

/// Input: `attributes(id, HTTP_ROUTE = route), ret(rows = |v| v.len())`
///
/// Output: `.fields(&["id", "rows"])`, as far as they are text.
fn fields(span: &SpanPlan) -> Option<TokenStream> {
    let keys = span.text_keys();
    (!keys.is_empty()).then(|| quote!(.fields(&[#(#keys),*])))
}

/// Output: `const { &Module::new(Library::of(..), file!(), ..).path(module_path!()) }`
fn module(krate: &TokenStream) -> TokenStream {
    quote! {
        const {
            &#krate::private::Module::new(
                #krate::private::Library::of(
                    ::core::option_env!("CARGO_PKG_NAME"),
                    ::core::option_env!("CARGO_PKG_VERSION"),
                    ::core::module_path!(),
                ),
                ::core::file!(),
                ::core::option_env!("CARGO_MANIFEST_DIR"),
            ).path(::core::module_path!())
        }
    }
}
