//! The body of a function, in a closure or an async block of ours.
//!
//! The bars of a closure and the word `async` carry the macro's own edition: by the rules of 2018 a
//! closure captures whole arguments, and could not return a borrow of a part of one. The braces are
//! the user's, so temporaries are dropped by the rules of the user's edition, and lints see a body
//! that somebody wrote.
//!
//! The line at the head of an async block that is never run captures the arguments as
//! `plan::capture` decides. Its `return never::<R>()` gives the block its output type, which an async
//! block has no place for: `return Box::new(..)` coerces as in the plain function, and type errors
//! are reported where they are for the plain function.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;

use crate::plan::capture::CapturedArguments;
use crate::plan::function::Plan;
use crate::print::hygiene::at;

/// Input: `{ work() }`, the body
///
/// Output: `|| -> R { work() }`
pub(crate) fn closure(returned: &Type, place: Span, body: &Group) -> TokenStream {
    quote_spanned!(at(place)=> || -> #returned #body)
}

/// Input: `async fn f(x: T) -> R { body }`
///
/// Output: `async { if false { hold((&mut x,)); return never::<R>(); } body }`
pub(crate) fn own_future(plan: &Plan, captured: &CapturedArguments) -> TokenStream {
    let (span, body) = (&plan.span, &plan.function.body);
    let krate = &span.krate;
    let hold = hold(krate, captured);
    let never = match &plan.returned {
        Type::Never(_) => None,
        returned => {
            let never = quote!(#krate::private::never);
            Some(quote_spanned!(at(span.finish.place)=> return { #never::<#returned>() };))
        }
    };
    let unreached = (hold.is_some() || never.is_some()).then(|| quote!(if false { #hold #never }));
    let statements = statements(body);
    let mut block = Group::new(Delimiter::Brace, quote!(#unreached #statements));
    block.set_span(body.span());
    let future = quote_spanned!(at(span.site.place)=> async #block);
    let named = &captured.named;
    if named.is_empty() {
        return future;
    }
    // What is an alias of a reference need not be `mut` for the future, and is so here.
    quote!({ if false { #krate::private::hold((#(&mut #named,)*)); } #future })
}

/// Output: `hold((&mut id, &mut *list, items)); { use private::Hold; order.hold(); }`
fn hold(krate: &TokenStream, captured: &CapturedArguments) -> Option<TokenStream> {
    let CapturedArguments {
        owned,
        references,
        named,
        moved,
    } = captured;
    let known = (!owned.is_empty() || !references.is_empty() || !moved.is_empty()).then(
        || quote!(#krate::private::hold((#(&mut #owned,)* #(&mut *#references,)* #(#moved,)*));),
    );
    let named = (!named.is_empty())
        .then(|| quote!({ use #krate::private::Hold; #(#named.__enter_span_hold();)* }));
    (known.is_some() || named.is_some()).then(|| quote!(#known #named))
}

/// The body behind a statement of ours: in its own braces, so that its items do not follow a statement,
/// or without them if it is one expression.
pub(crate) fn statements(body: &Group) -> TokenStream {
    let semicolon = |tree: TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ';');
    if body.stream().into_iter().any(semicolon) {
        body.to_token_stream()
    } else {
        body.stream()
    }
}
