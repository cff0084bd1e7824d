//! A function with its span, by the kind of its body.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use crate::plan::capture::CapturedArguments;
use crate::plan::function::{BodyKind, CurrentMode, Plan};
use crate::plan::returned_work::{ReturnedWork, WorkForm};
use crate::print::body::{closure, own_future, statements};
use crate::print::entry::{active, with_handle};
use crate::print::finish::{checks, finished, recorded};
use crate::print::hygiene::{at, local};
use crate::print::returned_work;
use crate::print::site::site;

/// Input: `fn f(id: u64) -> R { body }`
///
/// Output: `fn f(id: u64) -> R { static SITE: .. = ..; let (span, value) = run_held(entry, || -> R { body }); ..; value }`
pub(crate) fn function(plan: &Plan) -> TokenStream {
    let head = plan.function.head();
    let site = match &plan.kind {
        BodyKind::Current(_) => None,
        _ => Some(site(&plan.span)),
    };
    let work = match &plan.kind {
        BodyKind::Current(mode) => current(plan, mode),
        BodyKind::Sync => sync(plan),
        BodyKind::Async(captured, None) => asynchronous(plan, captured),
        BodyKind::Async(captured, Some(work)) => async_returned(plan, captured, *work),
        BodyKind::Returned(work) => returned(plan, *work),
        BodyKind::Guarded => guarded(plan),
    };
    let mut block = Group::new(Delimiter::Brace, quote!(#site #work));
    block.set_span(plan.function.body.span());
    quote!(#head #block)
}

fn sync(plan: &Plan) -> TokenStream {
    let span = &plan.span;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let body = closure(&plan.returned, span.site.place, &plan.function.body);
    let (run, run_held) = if span.site.leaf {
        (quote!(run_leaf), quote!(run_leaf_held))
    } else {
        (quote!(run), quote!(run_held))
    };
    if span.finish.is_silent() {
        return quote!(#bind #krate::private::#run(#entry, #body));
    }
    let finished = finished(span, &quote!(#krate::private::#run_held(#entry, #body)));
    quote!(#bind #finished)
}

/// Input: `async fn f(x: T) -> R { body }`
///
/// Output: `let (span, value) = Open::new(entry, async { if false { hold((&mut x,)); return never::<R>(); } body }).await; ..`
fn asynchronous(plan: &Plan, captured: &CapturedArguments) -> TokenStream {
    let span = &plan.span;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let future = own_future(plan, captured);
    let place = at(span.site.place);
    if span.finish.is_silent() {
        let wrapped = quote!(#krate::private::Silent::new(#entry, #future));
        let awaited = quote_spanned!(place=> { #wrapped }.await);
        return match plan.returned {
            // A `return` of what never comes would be unreachable.
            Type::Never(_) => quote!(#bind #awaited),
            _ => quote!(#bind return #awaited;),
        };
    }
    let wrapped = quote!(#krate::private::OpenFuture::new(#entry, #future));
    let finished = finished(span, &quote_spanned!(place=> { #wrapped }.await));
    quote!(#bind #finished)
}

/// Input: `async fn f() -> impl Stream { body }`
///
/// Output: `let (span, stream) = Open::new(entry, async { body }).await; OpenStream::new(span, stream)`
fn async_returned(plan: &Plan, captured: &CapturedArguments, work: ReturnedWork) -> TokenStream {
    let span = &plan.span;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let future = own_future(plan, captured);
    let open = quote!(#krate::private::OpenFuture::new(#entry, #future));
    let awaited = quote_spanned!(at(span.site.place)=> { #open }.await);
    let returned = returned_work::returned(span, work, &awaited);
    quote!(#bind #returned)
}

/// Input: `fn f() -> impl Future { body }`
///
/// Output: `let (span, future) = run_open(entry, || body); InSpan::new(span, future, finish)`
fn returned(plan: &Plan, work: ReturnedWork) -> TokenStream {
    let span = &plan.span;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let body = closure(&plan.returned, span.site.place, &plan.function.body);
    let body = match work.form {
        WorkForm::Convertible => returned_work::converted(span, &body),
        WorkForm::Opaque | WorkForm::Boxed => body,
    };
    let ran = quote!(#krate::private::run_open(#entry, #body));
    let returned = returned_work::returned(span, work, &ran);
    quote!(#bind #returned)
}

/// Input: `#[track_caller] fn f() { body }`, `fn f() -> impl Fn(u8) -> u8 { body }`
///
/// Output: `if false { Probe(&never::<R>()).check_form(); } let guard = Guard::new(entry); body`
fn guarded(plan: &Plan) -> TokenStream {
    let Plan { span, returned, .. } = plan;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let value = local("value");
    let checks = checks(krate, &span.finish, &value);
    let checks = span
        .finish
        .check_form
        .then(|| quote!(if false { let #value = &#krate::private::never::<#returned>(); #checks }));
    let guard = local("guard");
    let statements = plan.function.body.stream();
    quote!(#bind #checks let #guard = #krate::private::Guard::new(#entry); #statements)
}

/// Input: `#[enter_span(current, attributes(id), ret(rows = |v| v.len()))] fn f(id: u64) -> R { body }`
///
/// Output: `let (span, value) = (Current::here().attribute("id", &id), evaluate(|| -> R { body })); ..; value`
///
/// Without `ret`: `Current::here().attribute("id", &id).leave(); body`
fn current(plan: &Plan, mode: &CurrentMode) -> TokenStream {
    let (function, span) = (&plan.function, &plan.span);
    let (krate, place) = (&span.krate, at(span.site.place));
    let entry = active(span, &quote!(#krate::private::Current::here()), "Current");
    let handle = plan.handle.as_ref();
    let bind = handle.map(|handle| quote!(let #handle = #krate::Span::current();));
    let value = match mode {
        CurrentMode::Before => {
            let statements = statements(&function.body);
            return quote!({ #entry }.leave(); #bind #statements);
        }
        CurrentMode::Around => {
            let body = closure(&plan.returned, span.site.place, &function.body);
            quote!(#krate::private::evaluate(#body))
        }
        CurrentMode::AroundAsync(captured) => {
            let future = own_future(plan, captured);
            quote_spanned!(place=> { #future }.await)
        }
    };
    let (active, given) = (local("active"), local("value"));
    let recorded = recorded(krate, &span.finish, &active, &given);
    quote! {
        #bind
        let (mut #active, #given) = ({ #entry }, #value);
        if !#active.is_off() {
            let #given = &#given;
            #recorded
            #active.leave();
        }
        return #given;
    }
}
