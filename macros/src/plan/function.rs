//! The plan of a function: how its body is run, and everything about its span.
//!
//! Each kind of body finds the returned type in its own way, so that it coerces, and its type errors
//! are reported, as in the plain function. An `async fn` has a `return` that is never reached, a
//! returned future names its output (`gives::<T>`), and the closure around a sync body writes its
//! return type. Only a returned closure (`-> impl Fn(&str) -> usize`) has no such place: it gets a
//! guard, and the value is not read.

use proc_macro2::{Delimiter, Group};
use quote::quote;
use syn::{Ident, ReturnType, Type};

use crate::errors::Errors;
use crate::plan::capture::{self, CapturedArguments, Rebinding};
use crate::plan::closure_types::ClosureTypes;
use crate::plan::returned_type::{self, returns_closure};
use crate::plan::returned_work::ReturnedWork;
use crate::plan::shape::{Shape, shape_of};
use crate::plan::span::SpanPlan;
use crate::plan::{check, finish, lints, mark_used};
use crate::syntax::args::Args;
use crate::syntax::function::Function;

/// A function and everything about its span.
pub(crate) struct Plan {
    pub(crate) function: Function,
    pub(crate) span: SpanPlan,
    pub(crate) kind: BodyKind,
    /// The returned type, as it can be written in a closure.
    pub(crate) returned: Type,
    pub(crate) handle: Option<Ident>,
}

/// How the body is run.
pub(crate) enum BodyKind {
    Sync,
    /// With the arguments that the future captures, and its output if that works on.
    Async(CapturedArguments, Option<ReturnedWork>),
    Returned(ReturnedWork),
    /// With a guard: a closure of ours would hide the caller, or the types of a returned closure.
    Guarded,
    /// Without a span of its own: attributes go to the current span.
    Current(CurrentMode),
}

/// When attributes are set on the current span.
pub(crate) enum CurrentMode {
    Before,
    /// Also of the returned value.
    Around,
    /// The same, with the arguments that the future captures.
    AroundAsync(CapturedArguments),
}

impl Plan {
    pub(crate) fn new(
        mut function: Function,
        args: Args,
        owner: Option<&str>,
    ) -> syn::Result<Self> {
        let mut errors = Errors::default();
        check::item(&function, &mut errors);
        check::arguments(&function, &args, &mut errors);
        let shape = shape_of(&function, &args, &mut errors);
        match &args.current {
            None => check::shape(&function, &args, shape, &mut errors),
            Some(_) => check::current(&function, &args, shape, &mut errors),
        }
        errors.into_result()?;

        mention_named(&mut function, &args);
        lints::allow_expected(&mut function.attrs);
        let returned = returned_type::nameable(&function.sig.output, function.sig.ident.span());
        let kind = match args.current {
            None => body_kind(&mut function, &args, shape),
            Some(_) => BodyKind::Current(current_mode(&mut function, &args, shape)),
        };
        let handle = args.handle.clone();
        let mut finish = finish::finish(&args, &function.sig, shape);
        if let (BodyKind::Guarded, ReturnType::Type(_, ty)) = (&kind, &function.sig.output) {
            // There is no value to read, but its type.
            finish.check_form &= returned_type::is_nameable(ty);
        }
        let span = SpanPlan::of_function(args, &function.sig.ident, owner, finish);
        Ok(Plan {
            function,
            span,
            kind,
            returned,
            handle,
        })
    }
}

/// An argument that the span names counts as used, also where it is bound again for the body.
fn mention_named(function: &mut Function, args: &Args) {
    let words = capture::names(&args.read_before());
    let mut named = function.parameters();
    named.retain(|parameter| words.iter().any(|word| parameter == word));
    mark_used::mark_used(&mut function.body, &named);
}

fn body_kind(function: &mut Function, args: &Args, shape: Shape) -> BodyKind {
    match shape {
        Shape::Async(work) => BodyKind::Async(in_future(function, args), work),
        Shape::Returned(work) => {
            in_closure(function, args);
            BodyKind::Returned(work)
        }
        Shape::Sync if function.has_attribute("track_caller").is_some() => BodyKind::Guarded,
        Shape::Sync if returns_closure(&function.sig.output) => BodyKind::Guarded,
        Shape::Sync => {
            in_closure(function, args);
            BodyKind::Sync
        }
    }
}

/// Turns the body into one for an async block of ours.
fn in_future(function: &mut Function, args: &Args) -> CapturedArguments {
    let body = function.body.stream();
    let rebound = in_closure(function, args);
    capture::capture_arguments(&mut function.sig, &body, &rebound)
}

/// Turns the body into one for a closure of ours.
fn in_closure(function: &mut Function, args: &Args) -> Vec<Rebinding> {
    let body = function.body.stream();
    let rebound = capture::rebind(&mut function.sig, &body, &args.read_after());
    surround_body(function, &rebound);
    rebound
}

/// Input: `{ |text| text.len() }`, in which `best` is bound again
///
/// Output: `{ fn expects(..) { .. } let mut best = best; expects::<..>({ |text| text.len() }) }`
fn surround_body(function: &mut Function, rebound: &[Rebinding]) {
    let types = match &function.sig.output {
        ReturnType::Type(_, ty) => ClosureTypes::of(ty),
        ReturnType::Default => None,
    };
    let body = &function.body;
    let tokens = match types {
        Some(ClosureTypes { function, path }) => quote!(#function #(#rebound)* #path(#body)),
        None if rebound.is_empty() => return,
        None => quote!(#(#rebound)* #body),
    };
    let mut surrounded = Group::new(Delimiter::Brace, tokens);
    surrounded.set_span(body.span());
    function.body = surrounded;
}

fn current_mode(function: &mut Function, args: &Args, shape: Shape) -> CurrentMode {
    match (&args.ret, shape) {
        (None, _) => CurrentMode::Before,
        (Some(_), Shape::Async(_)) => CurrentMode::AroundAsync(in_future(function, args)),
        (Some(_), _) => {
            in_closure(function, args);
            CurrentMode::Around
        }
    }
}
