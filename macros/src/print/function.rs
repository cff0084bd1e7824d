//! Prints plans. It decides nothing and cannot fail.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprClosure, Ident, LitStr, Path, Type, WherePredicate, parse_quote};

use crate::args::{Attribute, AttributeValue, Key, Projection};
use crate::facts::{Fact, FactWay, FactsPlan};
use crate::plan::{Described, Finish, Plan, ReturnCheck, Shown, SpanPlan, Telling, Way};
use crate::shape::{Form, Later, Work};
use crate::signature::Held;

/// A name of ours: no local of the user's can meet it, and no constant is called so.
fn local(name: &str) -> Ident {
    local_at(name, Span::mixed_site())
}

fn local_at(name: &str, place: Span) -> Ident {
    format_ident!("__enter_span_{name}", span = place)
}

/// Where the compiler speaks of tokens of ours: at what they were made for, not at the attribute.
fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Input: `fn f(id: u64) -> R { body }`
///
/// Output: `fn f(id: u64) -> R { static SITE: .. = ..; let (span, value) = run_held(entry, || -> R { body }); ..; value }`
pub(crate) fn function(plan: &Plan) -> TokenStream {
    let head = plan.function.head();
    let site = match &plan.way {
        Way::Current(_) => None,
        _ => Some(site(&plan.span)),
    };
    let work = match &plan.way {
        Way::Current(telling) => current(plan, telling),
        Way::Sync => sync(plan),
        Way::Async(held, None) => asynchronous(plan, held),
        Way::Async(held, Some(later)) => asynchronous_later(plan, held, *later),
        Way::Later(form) => later(plan, *form),
        Way::Tracked => tracked(plan),
    };
    let mut block = Group::new(Delimiter::Brace, quote!(#site #work));
    block.set_span(plan.function.body.span());
    quote!(#head #block)
}

/// Input: a name and the place of a function
///
/// Output: `static __ENTER_SPAN_SITE: Site = Site::new("module::f", 1, const { &Module::new(..) }).here();`
fn site(span: &SpanPlan) -> TokenStream {
    let SpanPlan { krate, site, .. } = span;
    let name = &site.name;
    let length = name.value().len();
    let path = match &site.function {
        Some(function) => quote!(::core::module_path!(), "::", #function),
        None => quote!(::core::module_path!()),
    };
    // A name that the path ends with stands in the binary once.
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
    quote! {
        static __ENTER_SPAN_SITE: #krate::private::Site =
            #krate::private::Site::new(::core::concat!(#text), #length, #module)
                .#here #named #kind #leaf #ends_children #detail;
    }
}

/// Output: `const { &Module::new(Library::of(..), file!(), ..) }`
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
            )
        }
    }
}

/// Input: `when = busy(), attributes(id)`
///
/// Output: `if is_on() && holds(|| busy()) { enter(&SITE).attribute("id", &id) } else { ActiveSpan::OFF }`
fn entry(span: &SpanPlan) -> TokenStream {
    active(span, &enter(span), "ActiveSpan")
}

/// Input: `enter(&SITE)`, `ActiveSpan`
fn active(span: &SpanPlan, enter: &TokenStream, ty: &str) -> TokenStream {
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
/// Where it hangs comes first: what else there is to say may be for nobody.
fn enter(span: &SpanPlan) -> TokenStream {
    let krate = &span.krate;
    if span.start.is_empty() {
        return quote!(#krate::private::enter(&__ENTER_SPAN_SITE));
    }
    let start = local("start");
    let closure = |described| {
        let said = describe(&start, described);
        quote!(&mut |#start: &mut #krate::private::Start| { #said })
    };
    let (places, others): (Vec<_>, Vec<_>) = span.start.iter().partition(|one| one.is_place());
    let (places, others) = (
        places.into_iter().map(closure),
        others.into_iter().map(closure),
    );
    quote! {
        #krate::private::enter_with(&__ENTER_SPAN_SITE, &mut [#(#places),*], &mut [#(#others),*])
    }
}

fn describe(start: &Ident, described: &Described) -> TokenStream {
    let said = |method: &str, value: &Expr| {
        let method = Ident::new(method, at(value.span()));
        let argument = quote_spanned!(value.span()=> &(#value));
        quote!(#start.#method(#argument);)
    };
    match described {
        Described::Tracer(tracer) => said("tracer", tracer),
        Described::Root => quote!(#start.root();),
        Described::Name(name) => said("name", name),
        // A root first, for a parent that panics: the thread is not looked at.
        Described::Parent(parent) => {
            let parent = said("parent", parent);
            quote!(#start.root(); #parent)
        }
        // The same for an invocation.
        Described::Invocation(invocation) => {
            let invocation = said("invocation", invocation);
            quote!(#start.root(); #invocation)
        }
        Described::Link(link) => said("links", link),
        Described::Attribute(described) => {
            let attribute = attribute(described);
            quote!(#start #attribute;)
        }
    }
}

/// Input: `id`, `kind = "x"`, `total = sum(items)`, `user = ?user`
///
/// Output: `.attribute("id", &id)`, `.text("kind", "x")`,
/// `.attribute_with("total", &mut |slot| slot.set(&(sum(items))))`,
/// `.attribute_with("user", &mut |slot| slot.debug(&(user)))`
fn attribute(attribute: &Attribute) -> TokenStream {
    let (key, value) = match attribute {
        Attribute::One(Key::Text(text, place), value) => (LitStr::new(text, *place), value),
        Attribute::One(Key::Constant(key), value) => return keyed(key, value),
        Attribute::All(facts) => return spread(facts),
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

/// Input: `-> Result<T, E>`, `ret(total = |v| v.total)`
///
/// Output: `|span: ActiveSpan, value: &_| { ..; span.end(ReturnCheck::of(&Probe(value).read())) }`
fn finish(span: &SpanPlan) -> TokenStream {
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
fn finished(span: &SpanPlan, ran: &TokenStream) -> TokenStream {
    let SpanPlan { krate, finish, .. } = span;
    let (active, value) = (local("entered"), local("value"));
    let conclusion = conclusion(krate, finish, &active, &value);
    let mutable = mutable(finish);
    let quiet = quiet(finish);
    quote! {
        #quiet
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

/// For the lint on async blocks, which does not look at functions.
fn quiet(finish: &Finish) -> Option<TokenStream> {
    finish
        .may_be_awaited
        .then(|| quote!(#[allow(clippy::async_yields_async)]))
}

/// What is shown of a value passes the span on, from one attribute to the next.
fn mutable(finish: &Finish) -> Option<TokenStream> {
    (!matches!(finish.shown, Shown::Nothing)).then(|| quote!(mut))
}

/// What is read of a value, a reference, before the span ends with it.
fn conclusion(krate: &TokenStream, finish: &Finish, active: &Ident, value: &Ident) -> TokenStream {
    let checks = checks(krate, finish, value);
    let shown = shown(krate, finish, active, value);
    let reading = reading(krate, finish, value);
    quote!(#checks #shown #active.end(#reading);)
}

/// Faults of the returned type, reported where it is written.
fn checks(krate: &TokenStream, finish: &Finish, value: &Ident) -> TokenStream {
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
fn shown(krate: &TokenStream, finish: &Finish, active: &Ident, value: &Ident) -> TokenStream {
    let success = quote!({ use #krate::private::reading::*; (&&#krate::private::Probe(#value)).__enter_span_success() });
    let one = |pattern: &dyn quote::ToTokens, record: TokenStream| {
        quote! {
            if let ::core::option::Option::Some(#pattern) = #success { #record }
        }
    };
    match &finish.shown {
        Shown::Nothing => TokenStream::new(),
        Shown::Whole => {
            let shown = local_at("shown", at(finish.place));
            let method = Ident::new("attribute", at(finish.place));
            one(&shown, quote!(#active = #active.#method("return", #shown);))
        }
        Shown::Projected(projections) => {
            let all = projections.iter().map(|Projection { key, pattern, body }| {
                let value = AttributeValue::Typed(body.clone());
                let attribute = attribute(&Attribute::One(key.clone(), value));
                one(pattern, quote!(#active = #active #attribute;))
            });
            quote!(#(#all)*)
        }
    }
}

fn reading(krate: &TokenStream, finish: &Finish, value: &Ident) -> TokenStream {
    // One reference less for each reading that is passed over.
    let references = if finish.text_only {
        quote!(&&&&)
    } else {
        quote!(&&&&&&&)
    };
    let outcome = quote!({ use #krate::private::reading::*; (#references #krate::private::Probe(#value)).__enter_span_read() });
    match &finish.reading {
        ReturnCheck::Nothing => quote!(#krate::private::ReturnCheck::Nothing),
        ReturnCheck::Outcome => quote!(#krate::private::ReturnCheck::of(&#outcome)),
        ReturnCheck::Judged(judge) => {
            let judged = quote!(#krate::private::Judged);
            let judged =
                quote_spanned!(at(finish.place)=> <_ as #judged>::is_failure(#value, #judge));
            quote!(#krate::private::ReturnCheck::when(#judged, &#outcome))
        }
    }
}

/// Input: a plan with `|span|`
///
/// Output: `let entered = entry; let span = entered.handle();` and `entered`
fn with_handle(plan: &Plan) -> (TokenStream, TokenStream) {
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

fn sync(plan: &Plan) -> TokenStream {
    let Plan {
        function,
        returned,
        span,
        ..
    } = plan;
    let (krate, body) = (&span.krate, &function.body);
    let (bind, entry) = with_handle(plan);
    let body = closure(returned, span.site.place, body);
    if span.finish.is_silent() {
        return quote!(#bind #krate::private::run(#entry, #body));
    }
    let finished = finished(span, &quote!(#krate::private::run_held(#entry, #body)));
    quote!(#bind #finished)
}

/// Input: `{ work() }`, the body
///
/// Output: `|| -> R { work() }`
///
/// The bars are ours, so the closure captures by the rules of our edition: by those of an older one
/// it would capture whole arguments, and could not return a borrow of a part of one. The braces are
/// the user's, so what is inside of them is dropped by the rules of theirs.
fn closure(returned: &Type, place: Span, body: &Group) -> TokenStream {
    quote_spanned!(at(place)=> || -> #returned #body)
}

/// Input: `async fn f(x: T) -> R { body }`
///
/// Output: `let (span, value) = Open::new(entry, async { if false { hold((&mut x,)); return never::<R>(); } body }).await; ..`
fn asynchronous(plan: &Plan, held: &Held) -> TokenStream {
    let span = &plan.span;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let future = own_future(plan, held);
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
fn asynchronous_later(plan: &Plan, held: &Held, later: Later) -> TokenStream {
    let span = &plan.span;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let (active, made) = (local("entered"), local_at("made", at(span.finish.place)));
    let future = own_future(plan, held);
    let open = quote!(#krate::private::OpenFuture::new(#entry, #future));
    let awaited = quote_spanned!(at(span.site.place)=> { #open }.await);
    let wrapped = wrapped(span, later, &active, &made);
    let quiet = quiet(&span.finish);
    quote! {
        #bind
        #quiet
        let (#active, #made) = #awaited;
        return #wrapped;
    }
}

/// Input: `async fn f(x: T) -> R { body }`
///
/// Output: `async { if false { hold((&mut x,)); return never::<R>(); } body }`
fn own_future(plan: &Plan, held: &Held) -> TokenStream {
    let Plan {
        function,
        returned,
        span,
        ..
    } = plan;
    let (krate, body) = (&span.krate, &function.body);
    let hold = hold(krate, held);
    let never = match returned {
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
    let named = &held.named;
    if named.is_empty() {
        return future;
    }
    // What is an alias of a reference need not be `mut` for the future, and is so here.
    quote!({ if false { #krate::private::hold((#(&mut #named,)*)); } #future })
}

/// Output: `hold((&mut id, &mut *list, items)); { use private::Hold; order.hold(); }`
fn hold(krate: &TokenStream, held: &Held) -> Option<TokenStream> {
    let Held {
        owned,
        references,
        named,
        moved,
    } = held;
    let known = (!owned.is_empty() || !references.is_empty() || !moved.is_empty()).then(
        || quote!(#krate::private::hold((#(&mut #owned,)* #(&mut *#references,)* #(#moved,)*));),
    );
    let named = (!named.is_empty())
        .then(|| quote!({ use #krate::private::Hold; #(#named.__enter_span_hold();)* }));
    (known.is_some() || named.is_some()).then(|| quote!(#known #named))
}

/// What follows a statement of ours: the body in its own braces, so that its items do not come after
/// a statement; or what is in them, if that is but one expression, which needs no braces.
fn statements(body: &Group) -> TokenStream {
    let semicolon = |tree: TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ';');
    if body.stream().into_iter().any(semicolon) {
        body.to_token_stream()
    } else {
        body.stream()
    }
}

/// Input: `fn f() -> impl Future { body }`
///
/// Output: `let (span, future) = run_open(entry, || body); InSpan::new(span, future, finish)`
fn later(plan: &Plan, later: Later) -> TokenStream {
    let Plan {
        function,
        returned,
        span,
        ..
    } = plan;
    let krate = &span.krate;
    let (bind, entry) = with_handle(plan);
    let (active, made) = (local("entered"), local_at("made", at(span.finish.place)));
    let body = closure(returned, span.site.place, &function.body);
    let body = match later.form {
        Form::Convertible => converted(span, &body),
        Form::Opaque | Form::Boxed => body,
    };
    let wrapped = wrapped(span, later, &active, &made);
    quote! {
        #bind
        let (#active, #made) = #krate::private::run_open(#entry, #body);
        return #wrapped;
    }
}

/// Input: `|| -> _ { body }`, which gives what becomes a future
///
/// Output: `|| becomes::<T, _>(evaluate(|| -> _ { body }))`: it becomes one inside of the span
fn converted(span: &SpanPlan, body: &TokenStream) -> TokenStream {
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

fn wrapped(span: &SpanPlan, later: Later, active: &Ident, made: &Ident) -> TokenStream {
    match later.work {
        Work::Future => future_in_span(span, later.form, active, made),
        Work::Stream => stream_in_span(span, later.form, active, made),
    }
}

fn future_in_span(span: &SpanPlan, form: Form, active: &Ident, made: &Ident) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    let finish = finish(span);
    match form {
        Form::Opaque | Form::Convertible => {
            let output = output(span);
            let settle = match form {
                Form::Convertible => quote!(#krate::private::becomes),
                Form::Opaque | Form::Boxed => quote!(#krate::private::gives),
            };
            let made = quote_spanned!(place=> #settle::<#output, _>(#made));
            quote!(#krate::private::InSpan::new(#active, #made, #finish))
        }
        Form::Boxed => {
            let boxed = quote!(#krate::private::BoxedFuture);
            quote_spanned!(place=> <_ as #boxed>::in_span(#made, #active, #finish))
        }
    }
}

fn stream_in_span(span: &SpanPlan, form: Form, active: &Ident, made: &Ident) -> TokenStream {
    let (krate, place) = (&span.krate, at(span.finish.place));
    match form {
        Form::Opaque | Form::Convertible => {
            quote!(#krate::private::OpenStream::new(#active, #made))
        }
        Form::Boxed => {
            let boxed = quote!(#krate::private::BoxedStream);
            quote_spanned!(place=> <_ as #boxed>::in_span(#made, #active))
        }
    }
}

/// Input: `#[track_caller] fn f() { body }`, `fn f() -> impl Fn(u8) -> u8 { body }`
///
/// Output: `if false { Probe(&never::<R>()).check_form(); } let guard = Guard::new(entry); body`
fn tracked(plan: &Plan) -> TokenStream {
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
fn current(plan: &Plan, telling: &Telling) -> TokenStream {
    let Plan { function, span, .. } = plan;
    let (krate, place) = (&span.krate, at(span.site.place));
    let entry = active(span, &quote!(#krate::private::Current::here()), "Current");
    let handle = plan.handle.as_ref();
    let bind = handle.map(|handle| quote!(let #handle = #krate::Span::current();));
    let value = match telling {
        Telling::Before => {
            let statements = statements(&function.body);
            return quote!({ #entry }.leave(); #bind #statements);
        }
        Telling::Around => {
            let body = closure(&plan.returned, span.site.place, &function.body);
            quote!(#krate::private::evaluate(#body))
        }
        Telling::AroundAsync(held) => {
            let future = own_future(plan, held);
            quote_spanned!(place=> { #future }.await)
        }
    };
    let (told, given) = (local("told"), local("value"));
    let shown = shown(krate, &span.finish, &told, &given);
    quote! {
        #bind
        let (mut #told, #given) = ({ #entry }, #value);
        if !#told.is_off() {
            let #given = &#given;
            #shown
            #told.leave();
        }
        return #given;
    }
}

/// Input: `"name", |span| body`
///
/// Output: `{ let (span, value) = run_open(entry, || call(|span| body, handle)); Probe(&value).kind().finish(span, value, finish) }`
pub(crate) fn block(span: &SpanPlan, closure: &ExprClosure) -> TokenStream {
    let krate = &span.krate;
    let (site, entry) = (site(span), entry(span));
    let (active, handle, value) = (local("entered"), local("handle"), local("value"));
    let body = quote!(#krate::private::call(#closure, #handle));
    let body = quote_spanned!(at(span.finish.place)=> || #body);
    let given = given(span, &active, &value);
    quote! {{
        #site
        let (#active, #value) = {
            let mut #active = #entry;
            let #handle = #active.handle();
            #krate::private::run_open(#active, #body)
        };
        #given
    }}
}

/// Input: `"name", async |span| body`
///
/// Output: `async { let (span, value) = Open::new(entry, call_async(async |span| body, handle)).await; Probe(&value).kind().finish(span, value, finish) }`
pub(crate) fn async_block(span: &SpanPlan, closure: &ExprClosure) -> TokenStream {
    let krate = &span.krate;
    let (site, entry) = (site(span), entry(span));
    let (active, handle, value) = (local("entered"), local("handle"), local("value"));
    let given = given(span, &active, &value);
    let capture = &closure.capture;
    quote! {{
        #site
        async #capture {
            let (#active, #value) = {
                let mut #active = #entry;
                let #handle = #active.handle();
                #krate::private::OpenFuture::new(#active, #krate::private::call_async(#closure, #handle))
            }
            .await;
            #given
        }
    }}
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

/// Input: `#[derive(Attributes)] struct Order<T> { id: u64, note: Option<T> }`
///
/// Output: `impl<T> Attributes for Order<T> where Option<T>: ToAttribute { fn write_attributes(&self, sink: ..) { sink.set("id", &self.id); .. } }`
pub(crate) fn facts(plan: &FactsPlan) -> TokenStream {
    let krate = match &plan.krate {
        Some(krate) => krate.to_token_stream(),
        None => quote!(::enter_span),
    };
    let name = &plan.name;
    let mut generics = plan.generics.clone();
    let bounds = plan.facts.iter().filter_map(|fact| bound(&krate, fact));
    generics.make_where_clause().predicates.extend(bounds);
    let (head, tail, wheres) = generics.split_for_impl();
    let sink = if plan.facts.is_empty() {
        local("_sink")
    } else {
        local("sink")
    };
    let facts = plan.facts.iter().map(|one| fact(&sink, one));
    quote! {
        #[automatically_derived]
        impl #head #krate::Attributes for #name #tail #wheres {
            fn write_attributes(&self, #sink: &mut #krate::private::AttributeSink<'_>) {
                #(#facts)*
            }
        }
    }
}

/// What has to be asked of a type that names a parameter. A constant says itself what it takes.
fn bound(krate: &TokenStream, fact: &Fact) -> Option<WherePredicate> {
    let ty = &fact.ty;
    let needed = match &fact.way {
        _ if !fact.is_generic => return None,
        FactWay::Value(Key::Constant(_)) => return None,
        FactWay::Value(_) => quote!(#krate::ToAttribute),
        FactWay::Display(_) => quote!(::core::fmt::Display),
        FactWay::Debug(_) => quote!(::core::fmt::Debug),
        FactWay::Nested | FactWay::Below(_) => quote!(#krate::Attributes),
    };
    Some(parse_quote!(#ty: #needed))
}

/// Input: `id: u64`, `#[attributes(?)] state: State`, `#[attributes(prefix = "to")] address: Address`
///
/// Output: `sink.set("id", &self.id);`, `sink.debug("state", &self.state);`, `sink.all_below("to", &self.address);`
fn fact(sink: &Ident, fact: &Fact) -> TokenStream {
    let field = &fact.field;
    let place = at(field.span());
    let (method, key) = match &fact.way {
        FactWay::Value(key) => ("set", Some(key.to_token_stream())),
        FactWay::Display(key) => ("display", Some(key.to_token_stream())),
        FactWay::Debug(key) => ("debug", Some(key.to_token_stream())),
        FactWay::Nested => ("all", None),
        FactWay::Below(prefix) => ("all_below", Some(prefix.to_token_stream())),
    };
    let method = Ident::new(method, place);
    let key = key.map(|key| quote!(#key,));
    // `self` is the method's, which is found by the hygiene of the call.
    let this = quote_spanned!(Span::call_site().located_at(place)=> self);
    let value = quote_spanned!(field.span()=> &#this.#field);
    quote!(#sink.#method(#key #value);)
}
