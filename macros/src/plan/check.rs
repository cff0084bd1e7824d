//! Every decision about a span: from arguments and a signature to what will be printed.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprClosure, Ident, LitStr, Path, ReturnType, Signature, Type};

use crate::args::{Args, Attribute, AttributeValue, Detail, Key, Name, Projection, Told};
use crate::errors::Errors;
use crate::expected::Expected;
use crate::function::{Function, is_ours};
use crate::rebound;
use crate::shape::{self, Form, Later, Shape, Work};
use crate::signature::{self, Again, Held};
use crate::unseen;

/// A function and everything about its span.
pub(crate) struct Plan {
    pub(crate) function: Function,
    pub(crate) span: SpanPlan,
    pub(crate) way: Way,
    /// The returned type, as it can be written in a closure.
    pub(crate) returned: Type,
    pub(crate) handle: Option<Ident>,
}

/// How the body is run.
pub(crate) enum Way {
    Sync,
    /// With the arguments that the future holds; and what it gives, if that works on.
    Async(Held, Option<Later>),
    Later(Later),
    /// With a guard: a closure of ours would hide the caller, or the types of a returned closure.
    Tracked,
    /// In no span of its own: the current one is told things.
    Current(Telling),
}

/// When the current span is told things.
pub(crate) enum Telling {
    Before,
    /// Also of the returned value.
    Around,
    /// The same, with the arguments that the future holds.
    AroundAsync(Held),
}

/// What does not depend on how the body is run.
pub(crate) struct SpanPlan {
    pub(crate) krate: TokenStream,
    pub(crate) site: Site,
    pub(crate) when: Option<Expr>,
    pub(crate) start: Vec<Described>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) finish: Finish,
}

pub(crate) struct Site {
    pub(crate) name: LitStr,
    /// The rest of the path after the module's, for `code.function.name`.
    pub(crate) function: Option<String>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) leaf: bool,
    pub(crate) ends_children: bool,
    /// Where the line number is taken from.
    pub(crate) place: Span,
}

/// One thing that is said before the span starts.
pub(crate) enum Described {
    Tracer(Expr),
    Root,
    Name(Expr),
    Parent(Expr),
    Invocation(Expr),
    Link(Expr),
    Attribute(Attribute),
}

impl Described {
    /// Whether it says where the span hangs, and by whom it is recorded.
    pub(crate) fn is_place(&self) -> bool {
        matches!(
            self,
            Described::Tracer(_)
                | Described::Root
                | Described::Parent(_)
                | Described::Invocation(_)
        )
    }
}

/// What is read of the returned value.
pub(crate) struct Finish {
    pub(crate) shown: Shown,
    pub(crate) reading: ReturnCheck,
    /// The most that errors and panics may say.
    pub(crate) detail: Option<&'static str>,
    /// Where a fault of the returned type is reported.
    pub(crate) place: Span,
    /// An outcome was asked for, so a type without one is a fault.
    pub(crate) strict: bool,
    /// What the value does later is meant to be outside of the span.
    pub(crate) call_only: bool,
    /// The value could be a future or a stream that is not in the span.
    pub(crate) check_form: bool,
    /// What an `async fn` gives could be awaited again, which is right there, and looks wrong in the
    /// block that its body is put into.
    pub(crate) may_be_awaited: bool,
    /// The error borrows, so that it cannot be asked for its type.
    pub(crate) text_only: bool,
    /// What a returned future gives, where the signature says it.
    pub(crate) output: Option<Type>,
}

pub(crate) enum Shown {
    Nothing,
    Whole,
    Projected(Vec<Projection>),
}

pub(crate) enum ReturnCheck {
    Nothing,
    Outcome,
    Judged(Box<ExprClosure>),
}

/// The span's own name, where none is given, and the path of its function.
pub(crate) struct Names {
    pub(crate) span: LitStr,
    pub(crate) function: Option<String>,
}

impl Names {
    /// `f`, or `Type::f` for a method whose `impl` is annotated.
    pub(crate) fn of(function: &Ident, owner: Option<&str>) -> Self {
        use syn::ext::IdentExt as _;
        let own = function.unraw().to_string();
        let path = match owner {
            Some(owner) => format!("{owner}::{own}"),
            None => own,
        };
        Names {
            span: LitStr::new(&path, function.span()),
            function: Some(path),
        }
    }
}

impl Names {
    /// Of what stands in no function of its own, and where its name was given. One that is computed
    /// replaces `default`.
    pub(crate) fn of_block(default: &str, args: &Args) -> (Self, Span) {
        let place = match &args.name {
            Some(Name::Literal(name)) => name.span(),
            Some(Name::Expr(key, _)) => key.span(),
            None => Span::call_site(),
        };
        let names = Names {
            span: LitStr::new(default, place),
            function: None,
        };
        (names, place)
    }
}

impl Plan {
    pub(crate) fn new(
        mut function: Function,
        args: Args,
        owner: Option<&str>,
    ) -> syn::Result<Self> {
        let mut errors = Errors::default();
        check_item(&function, &mut errors);
        check_arguments(&function, &args, &mut errors);
        let shape = shape_of(&function, &args, &mut errors);
        match &args.current {
            None => check_shape(&function, &args, shape, &mut errors),
            Some(current) => check_current(&function, &args, &current.key, shape, &mut errors),
        }
        errors.into_result()?;

        mention_named(&mut function, &args);
        unseen::allow_expected(&mut function.attrs);
        let returned = shape::nameable(&function.sig.output, function.sig.ident.span());
        let way = match args.current {
            None => way(&mut function, &args, shape),
            Some(_) => Way::Current(telling(&mut function, &args, shape)),
        };
        let handle = args.handle.clone();
        let names = Names::of(&function.sig.ident, owner);
        let mut finish = finish(&args, &function.sig, shape);
        if let (Way::Tracked, ReturnType::Type(_, ty)) = (&way, &function.sig.output) {
            // There is no value to look at, but its type.
            finish.check_form &= shape::is_nameable(ty);
        }
        let span = SpanPlan::new(args, names, function.sig.ident.span(), finish);
        Ok(Plan {
            function,
            span,
            way,
            returned,
            handle,
        })
    }
}

impl SpanPlan {
    pub(crate) fn new(args: Args, names: Names, place: Span, finish: Finish) -> Self {
        let mut start = Vec::new();
        start.extend(args.tracer.map(|tracer| Described::Tracer(tracer.value)));
        start.extend(args.root.map(|_| Described::Root));
        start.extend(args.parent.map(|parent| Described::Parent(parent.value)));
        let of_invocation = args.invocation.as_ref().map(|_| "Consumer");
        let invocation = args.invocation.map(|invocation| invocation.value);
        start.extend(invocation.map(Described::Invocation));
        let name = match args.name {
            Some(Name::Literal(name)) => name,
            Some(Name::Expr(_, name)) => {
                start.push(Described::Name(name));
                names.span
            }
            None => names.span,
        };
        let links = args.links.into_iter().flat_map(|links| links.value);
        start.extend(links.map(Described::Link));
        start.extend(args.start.into_iter().map(Described::Attribute));
        SpanPlan {
            krate: krate(args.krate.map(|krate| krate.value)),
            site: Site {
                name,
                function: names.function,
                kind: match args.kind {
                    Some(kind) => kind_name(&kind.value),
                    None => of_invocation,
                },
                leaf: args.leaf.is_some(),
                ends_children: args.ends_children.is_some(),
                place,
            },
            when: args.when.map(|when| when.value),
            start,
            attributes: args.attributes,
            finish,
        }
    }
}

fn krate(path: Option<Path>) -> TokenStream {
    path.map_or_else(|| quote!(::enter_span), Path::into_token_stream)
}

fn kind_name(kind: &Ident) -> Option<&'static str> {
    match kind.to_string().as_str() {
        "server" => Some("Server"),
        "client" => Some("Client"),
        "producer" => Some("Producer"),
        "consumer" => Some("Consumer"),
        _ => None,
    }
}

/// An argument that the span names is used, also where it is bound again for the body.
fn mention_named(function: &mut Function, args: &Args) {
    let words = signature::names(&args.read_before());
    let mut named = function.parameters();
    named.retain(|parameter| words.iter().any(|word| parameter == word));
    rebound::mention(&mut function.body, &named);
}

fn way(function: &mut Function, args: &Args, shape: Shape) -> Way {
    match shape {
        Shape::Async(later) => Way::Async(in_future(function, args), later),
        Shape::Later(later) => {
            in_closure(function, args);
            Way::Later(later)
        }
        Shape::Sync if function.has_attribute("track_caller").is_some() => Way::Tracked,
        Shape::Sync if returns_closure(function) => Way::Tracked,
        Shape::Sync => {
            in_closure(function, args);
            Way::Sync
        }
    }
}

/// Makes the body one that stands in an async block of ours.
fn in_future(function: &mut Function, args: &Args) -> Held {
    let again = bind_again(function, args);
    let held = signature::hold_arguments(&mut function.sig, &function.body.stream(), &again);
    surround_body(function, &again);
    held
}

/// Makes the body one that stands in a closure of ours.
fn in_closure(function: &mut Function, args: &Args) {
    let again = bind_again(function, args);
    surround_body(function, &again);
}

fn bind_again(function: &mut Function, args: &Args) -> Vec<Again> {
    let body = function.body.stream();
    signature::bind_again(&mut function.sig, &body, &args.read_after())
}

/// Input: `{ |text| text.len() }`, in which `best` is bound again
///
/// Output: `{ fn expects(..) { .. } let mut best = best; expects::<..>({ |text| text.len() }) }`
fn surround_body(function: &mut Function, again: &[Again]) {
    let expected = match &function.sig.output {
        ReturnType::Type(_, ty) => Expected::of(ty),
        ReturnType::Default => None,
    };
    let body = &function.body;
    let tokens = match expected {
        Some(Expected { function, path }) => quote!(#function #(#again)* #path(#body)),
        None if again.is_empty() => return,
        None => quote!(#(#again)* #body),
    };
    let mut surrounded = Group::new(Delimiter::Brace, tokens);
    surrounded.set_span(body.span());
    function.body = surrounded;
}

fn telling(function: &mut Function, args: &Args, shape: Shape) -> Telling {
    match (&args.ret, shape) {
        (None, _) => Telling::Before,
        (Some(_), Shape::Async(_)) => Telling::AroundAsync(in_future(function, args)),
        (Some(_), _) => {
            in_closure(function, args);
            Telling::Around
        }
    }
}

fn check_item(function: &Function, errors: &mut Errors) {
    if let Some(constness) = &function.sig.constness {
        let message = "a span cannot be opened in a `const fn`; remove `const` or the attribute";
        errors.push(Error::new(constness.span, message));
    }
    if let Some(again) = function.attrs.iter().find(|attr| is_ours(attr)) {
        let message = "duplicate `#[enter_span]`; a function has one span, so remove one";
        errors.push(Error::new_spanned(again.path(), message));
    }
}

fn check_arguments(function: &Function, args: &Args, errors: &mut Errors) {
    if let Some(skip) = &args.skip {
        let message =
            "`skip` leaves a method of an annotated `impl` without a span; remove it here";
        errors.push(Error::new(skip.key.span(), message));
    }
    check_relations(args, errors);
    let parameters = function.parameters();
    for attribute in args.attributes.iter().chain(&args.start) {
        if let Attribute::One(_, AttributeValue::Argument(name)) = attribute {
            if !parameters.contains(name) {
                errors.push(no_parameter(name, &function.sig.ident, &parameters));
            }
        }
    }
}

fn check_invocation(args: &Args, errors: &mut Errors) {
    let Some(invocation) = &args.invocation else {
        return;
    };
    let hangs = "it says where its span hangs";
    let conflicts = [
        args.root.as_ref().map(|root| ("root", &root.key, hangs)),
        args.parent
            .as_ref()
            .map(|parent| ("parent", &parent.key, hangs)),
        args.leaf
            .as_ref()
            .map(|leaf| ("leaf", &leaf.key, "what it does is below its span")),
    ];
    for (name, key, why) in conflicts.into_iter().flatten() {
        let message =
            format!("`invocation` cannot be combined with `{name}`; {why}, so remove one");
        let later = later_of(args, &invocation.key, key);
        errors.push(Error::new(later.span(), message));
    }
}

/// Conflicts that do not depend on the function.
pub(crate) fn check_relations(args: &Args, errors: &mut Errors) {
    if let (Some(root), Some(parent)) = (&args.root, &args.parent) {
        let message =
            "`root` cannot be combined with `parent`; a root has no parent, so remove one";
        let later = later_of(args, &root.key, &parent.key);
        errors.push(Error::new(later.span(), message));
    }
    check_invocation(args, errors);
    if let (Some(future), Some(stream)) = (&args.future, &args.stream) {
        let message =
            "`future` cannot be combined with `stream`; a value is one or the other, so remove one";
        let later = later_of(args, &future.key, &stream.key);
        errors.push(Error::new(later.span(), message));
    }
    for asked in [&args.future, &args.stream].into_iter().flatten() {
        if let Some(call_only) = &args.call_only {
            let message = format!(
                "`call_only` cannot be combined with `{}`; the returned work is in the span or it is not, so remove one",
                asked.key
            );
            let later = later_of(args, &call_only.key, &asked.key);
            errors.push(Error::new(later.span(), message));
        }
    }
    if let (Some(leaf), Some(ends)) = (&args.leaf, &args.ends_children) {
        let message =
            "`leaf` cannot be combined with `ends_children`; a leaf has no children, so remove one";
        let later = later_of(args, &leaf.key, &ends.key);
        errors.push(Error::new(later.span(), message));
    }
    let repeated = |key: &&Key| {
        let written = key.written();
        let mut start = args.start.iter().filter_map(Attribute::key);
        start.any(|start| start.written() == written)
    };
    let keys = args.attributes.iter().filter_map(Attribute::key);
    for key in keys.filter(repeated) {
        let message = format!(
            "duplicate attribute key `{}`; it is given in `start(..)` too, and samplers have seen that value",
            key.written()
        );
        errors.push(Error::new(key.span(), message));
    }
}

fn later_of<'a>(args: &Args, a: &'a Ident, b: &'a Ident) -> &'a Ident {
    if args.position(a) > args.position(b) {
        a
    } else {
        b
    }
}

fn no_parameter(name: &Ident, function: &Ident, parameters: &[Ident]) -> Error {
    let list: Vec<String> = parameters.iter().map(|name| format!("`{name}`")).collect();
    let known = if list.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", list.join(", "))
    };
    let message = format!(
        "no parameter `{name}` in `{function}`, {known}; for another value write `{name} = ..`"
    );
    Error::new(name.span(), message)
}

fn shape_of(function: &Function, args: &Args, errors: &mut Errors) -> Shape {
    let later = match &args.call_only {
        Some(call_only) if says_nothing(&function.sig.output) => {
            let message = "this function returns nothing that could work later; remove `call_only`";
            errors.push(Error::new(call_only.key.span(), message));
            None
        }
        Some(_) => None,
        None => later_of_output(function, args, errors),
    };
    match (function.sig.asyncness, later) {
        (Some(_), later) => Shape::Async(later),
        (None, Some(later)) => Shape::Later(later),
        (None, None) => Shape::Sync,
    }
}

/// What the returned value does later, as it is spelled, or as it was asked for.
fn later_of_output(function: &Function, args: &Args, errors: &mut Errors) -> Option<Later> {
    let output = match &function.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    let seen = output.and_then(shape::later);
    let (work, key) = match (&args.future, &args.stream) {
        (Some(future), _) => (Work::Future, &future.key),
        (None, Some(stream)) => (Work::Stream, &stream.key),
        (None, None) => return seen,
    };
    let form = Form::Boxed;
    match (output, seen) {
        (Some(_), None) => return Some(Later { work, form }),
        (Some(_), Some(seen)) if seen.work == work => return Some(seen),
        _ => {}
    }
    let message = match function.sig.asyncness {
        Some(_) => format!(
            "this function does not return a {key}, and its own work is in the span without `{key}`; remove it"
        ),
        None => format!("this function does not return a {key}; remove `{key}`"),
    };
    errors.push(Error::new(key.span(), message));
    None
}

fn check_shape(function: &Function, args: &Args, shape: Shape, errors: &mut Errors) {
    let output = &function.sig.output;
    if let (Shape::Sync, ReturnType::Type(_, ty), None) = (shape, output, &args.call_only) {
        if let Some(inner) = shape::out_of_reach(ty) {
            let message = "this future or stream is inside of another type, so its work cannot be put into the span; return it alone, use `in_span!` in the body, or write `call_only` if only the call is meant";
            errors.push(Error::new_spanned(inner, message));
        }
    }
    let err = args.err.as_ref();
    let err = err.filter(|err| !matches!(err.value, Told::Ignore) && !args.err_is_shared);
    let asked = args.ret.iter().map(|ret| &ret.key);
    if let Some(why) = unreadable(function, shape) {
        for key in asked.chain(err.map(|err| &err.key)) {
            let message = format!("`{key}` cannot be combined with {why}; remove `{key}`");
            errors.push(Error::new(key.span(), message));
        }
    }
    check_track_caller(function, args, shape, errors);
}

/// A function without a span of its own has nothing to say of one, but attributes.
fn check_current(
    function: &Function,
    args: &Args,
    current: &Ident,
    shape: Shape,
    errors: &mut Errors,
) {
    const KNOWN: [&str; 5] = ["current", "attributes", "ret", "when", "crate"];
    if let Some(Name::Literal(name)) = &args.name {
        let message =
            "a name has no meaning with `current`, which makes no span; remove one of them";
        errors.push(Error::new(name.span(), message));
    }
    for word in args.used() {
        if word == "start" {
            let message = "`start` has no meaning with `current`, whose span has started already; write `attributes(..)`";
            errors.push(Error::new(word.span(), message));
        } else if !KNOWN.iter().any(|known| word == known) {
            let message = format!(
                "`{word}` has no meaning with `current`, which makes no span; remove one of them"
            );
            errors.push(Error::new(word.span(), message));
        }
    }
    let is_idle = args.attributes.is_empty() && args.ret.is_none() && args.handle.is_none();
    if is_idle && errors.is_empty() {
        let message = "`current` adds nothing by itself; write `current, attributes(..)`";
        errors.push(Error::new(current.span(), message));
    }
    check_read_beside(function, args, shape, errors);
}

/// `ret` where a value goes by without a span.
fn check_read_beside(function: &Function, args: &Args, shape: Shape, errors: &mut Errors) {
    let why = match shape {
        Shape::Later(later) if later.work == Work::Future => {
            Some("`current` where a future is returned, which is not awaited here")
        }
        Shape::Sync if function.has_attribute("track_caller").is_some() => {
            Some("`#[track_caller]`, since a closure around the body would become the caller")
        }
        _ => unreadable(function, shape),
    };
    if let (Some(ret), Some(why)) = (&args.ret, why) {
        let message = format!("`ret` cannot be combined with {why}; remove `ret`");
        errors.push(Error::new(ret.key.span(), message));
    }
}

/// Why there is nothing to read of what a function returns.
fn unreadable(function: &Function, shape: Shape) -> Option<&'static str> {
    let output = &function.sig.output;
    match shape {
        Shape::Later(later) | Shape::Async(Some(later)) if later.work == Work::Stream => {
            Some("a stream, whose items are not read")
        }
        Shape::Sync if returns_closure(function) => Some("a returned closure, which is not read"),
        _ if never_returns(output) => Some("a function that never returns"),
        _ if says_nothing(output) => Some("a function that returns nothing"),
        _ => None,
    }
}

fn never_returns(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)))
}

/// A closure finds the types of its arguments in the signature, and would not through one of ours.
fn returns_closure(function: &Function) -> bool {
    match &function.sig.output {
        ReturnType::Type(_, ty) => shape::is_closure(ty),
        ReturnType::Default => false,
    }
}

fn check_track_caller(function: &Function, args: &Args, shape: Shape, errors: &mut Errors) {
    let Some(tracked) = function.has_attribute("track_caller") else {
        return;
    };
    let message = match shape {
        Shape::Async(_) => return,
        Shape::Sync if is_unread(function, args) => return,
        Shape::Sync => {
            "with `#[track_caller]` the returned value cannot be read, since a closure around the body would become the caller; write `err = ignore`, without `ret`"
        }
        Shape::Later(..) => {
            "`#[track_caller]` cannot be combined with a returned future or stream, since a closure around the body would become the caller; remove it, or use `in_span!` in the body"
        }
    };
    errors.push(Error::new_spanned(tracked.path(), message));
}

fn is_unread(function: &Function, args: &Args) -> bool {
    let ignored = matches!(&args.err, Some(err) if matches!(err.value, Told::Ignore));
    (ignored || says_nothing(&function.sig.output)) && args.ret.is_none()
}

/// `()` and `!`.
fn says_nothing(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => is_never_or_nothing(ty),
    }
}

fn is_never_or_nothing(ty: &Type) -> bool {
    match ty {
        Type::Never(_) => true,
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}

fn finish(args: &Args, sig: &Signature, shape: Shape) -> Finish {
    let ReturnType::Type(_, ty) = &sig.output else {
        return Finish::of_function(args, sig.ident.span(), None);
    };
    let mut finish = Finish::of_function(args, ty.span(), Some(ty));
    let output = match shape {
        Shape::Later(later) | Shape::Async(Some(later)) if later.work == Work::Future => {
            finish.output = shape::future_output(ty);
            finish.output.as_ref()
        }
        _ => Some(&**ty),
    };
    finish.text_only = shape::holds_borrowing_object(output.unwrap_or(ty));
    finish.check_form = !finish.call_only && output.is_none_or(shape::may_be_polled);
    finish.may_be_awaited = matches!(shape, Shape::Async(_)) && shape::may_be_polled(ty);
    finish
}

impl Finish {
    /// What is read of a function's value.
    fn of_function(args: &Args, place: Span, output: Option<&Type>) -> Self {
        let mut finish = Finish::new(args, place);
        finish.check_form = false;
        if output.is_none_or(is_never_or_nothing) && !finish.strict {
            finish.reading = ReturnCheck::Nothing;
        }
        finish
    }

    pub(crate) fn new(args: &Args, place: Span) -> Self {
        let shown = match &args.ret {
            None => Shown::Nothing,
            Some(ret) if ret.value.is_empty() => Shown::Whole,
            Some(ret) => Shown::Projected(ret.value.clone()),
        };
        let told = args.err.as_ref().map(|err| &err.value);
        let (reading, detail) = match told {
            None => (ReturnCheck::Outcome, None),
            Some(Told::Ignore) => (ReturnCheck::Nothing, Some("Status")),
            Some(Told::Judged(judge)) => (ReturnCheck::Judged(judge.clone()), None),
            Some(Told::Detail(detail)) => (ReturnCheck::Outcome, Some(detail_name(*detail))),
        };
        Finish {
            shown,
            reading,
            detail,
            place,
            strict: matches!(told, Some(Told::Detail(_))) && !args.err_is_shared,
            call_only: args.call_only.is_some(),
            check_form: args.call_only.is_none(),
            may_be_awaited: false,
            text_only: false,
            output: None,
        }
    }

    /// Nothing is read, since there will be no value.
    pub(crate) fn silent() -> Self {
        Finish {
            shown: Shown::Nothing,
            reading: ReturnCheck::Nothing,
            detail: None,
            place: Span::call_site(),
            strict: false,
            call_only: true,
            check_form: false,
            may_be_awaited: false,
            text_only: false,
            output: None,
        }
    }

    /// Whether the span ends without a look at the value.
    pub(crate) fn is_silent(&self) -> bool {
        let unread = matches!(self.reading, ReturnCheck::Nothing);
        let unchecked = !self.strict && !self.check_form && !self.may_be_awaited;
        unread && unchecked && matches!(self.shown, Shown::Nothing)
    }
}

fn detail_name(detail: Detail) -> &'static str {
    match detail {
        Detail::Message => "Message",
        Detail::Type => "Type",
        Detail::Status => "Status",
    }
}
