//! Whether the arguments fit together, and fit the place and the function they are written for.

use proc_macro2::Span;
use syn::{Error, Ident, ReturnType};

use crate::errors::Errors;
use crate::plan::returned_type::{never_returns, returns_closure, returns_nothing};
use crate::plan::returned_work::{self, WorkKind};
use crate::plan::shape::Shape;
use crate::syntax::args::{Args, SpanName};
use crate::syntax::attribute::{AttributeItem, AttributeValue};
use crate::syntax::function::{Function, is_ours};
use crate::syntax::key::Key;
use crate::syntax::names::{self, Place};
use crate::syntax::value::ErrorPolicy;

pub(crate) fn item(function: &Function, errors: &mut Errors) {
    if let Some(constness) = &function.sig.constness {
        let message = "a span cannot be opened in a `const fn`; remove `const` or the attribute";
        errors.push(Error::new(constness.span, message));
    }
    if let Some(again) = function.attrs.iter().find(|attr| is_ours(attr)) {
        let message = "duplicate `#[enter_span]`; a function has one span, so remove one";
        errors.push(Error::new_spanned(again.path(), message));
    }
}

pub(crate) fn arguments(function: &Function, args: &Args, errors: &mut Errors) {
    if let Some(skip) = &args.skip {
        let message =
            "`skip` leaves a method of an annotated `impl` without a span; remove it here";
        errors.push(Error::new(skip.key.span(), message));
    }
    check_relations(args, errors);
    let parameters = function.parameters();
    for attribute in args.attributes.iter().chain(&args.start) {
        if let AttributeItem::One(_, AttributeValue::Argument(name)) = attribute {
            if !parameters.contains(name) {
                errors.push(no_parameter(name, &function.sig.ident, &parameters));
            }
        }
    }
}

/// Checks that do not depend on the function.
fn check_relations(args: &Args, errors: &mut Errors) {
    let position = |name: &str| args.parsed.iter().position(|word| word == name);
    for (name, other, why) in names::CONFLICTS {
        if let (Some(first), Some(second)) = (position(name), position(other)) {
            let message =
                format!("`{name}` cannot be combined with `{other}`; {why}, so remove one");
            let later = &args.parsed[first.max(second)];
            errors.push(Error::new(later.span(), message));
        }
    }
    let repeated = |key: &&Key| {
        let written = key.written();
        let mut start = args.start.iter().filter_map(AttributeItem::key);
        start.any(|start| start.written() == written)
    };
    let keys = args.attributes.iter().filter_map(AttributeItem::key);
    for key in keys.filter(repeated) {
        let message = format!(
            "duplicate attribute key `{}`; it is given in `start(..)` too, and samplers have seen that value",
            key.written()
        );
        errors.push(Error::new(key.span(), message));
    }
}

/// A macro that starts a span, and does not belong to a function.
pub(crate) struct SpanMacro {
    pub(crate) name: &'static str,
    place: Place,
    subject: &'static str,
    /// Why some arguments have no meaning there.
    value: &'static str,
}

pub(crate) const IN_SPAN: SpanMacro = SpanMacro {
    name: "in_span",
    place: Place::InSpan,
    subject: "a block",
    value: "where the closure says what it returns",
};

pub(crate) const START_SPAN: SpanMacro = SpanMacro {
    name: "start_span",
    place: Place::StartSpan,
    subject: "a span that is started",
    value: "which gives the span and returns no value",
};

impl SpanMacro {
    pub(crate) fn check(&self, args: &Args, errors: &mut Errors) {
        let (name, subject, value) = (self.name, self.subject, self.value);
        check_relations(args, errors);
        if args.name.is_none() && errors.is_empty() {
            let message =
                format!("{subject} has no name of its own; write `{name}!(\"name\", ..)`");
            errors.push(Error::new(Span::call_site(), message));
        }
        for word in &args.parsed {
            let message = if word == "current" {
                format!(
                    "`current` makes no span, and `{name}!` makes one; to add to the current span write `Span::current().set_attributes(..)`"
                )
            } else if names::is_allowed(word, self.place) {
                continue;
            } else {
                format!("`{word}` has no meaning in `{name}!`, {value}; remove it")
            };
            errors.push(Error::new(word.span(), message));
        }
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

pub(crate) fn shape(function: &Function, args: &Args, shape: Shape, errors: &mut Errors) {
    let output = &function.sig.output;
    if let (Shape::Sync, ReturnType::Type(_, ty), None) = (shape, output, &args.call_only) {
        if let Some(inner) = returned_work::out_of_reach(ty) {
            let message = "this future or stream is inside of another type, so its work cannot be put into the span; return it alone, use `in_span!` in the body, or write `call_only` if only the call is meant";
            errors.push(Error::new_spanned(inner, message));
        }
    }
    let err = args.err.as_ref();
    let err = err.filter(|err| !matches!(err.value, ErrorPolicy::Ignore) && !args.err_is_shared);
    let ret = args.ret.iter().map(|ret| &ret.key);
    if let Some(why) = unreadable(function, shape) {
        for key in ret.chain(err.map(|err| &err.key)) {
            let message = format!("`{key}` cannot be combined with {why}; remove `{key}`");
            errors.push(Error::new(key.span(), message));
        }
    }
    check_track_caller(function, args, shape, errors);
}

/// A function without a span of its own has only attributes to record.
pub(crate) fn current(function: &Function, args: &Args, shape: Shape, errors: &mut Errors) {
    if let Some(SpanName::Literal(name)) = &args.name {
        let message =
            "a name has no meaning with `current`, which makes no span; remove one of them";
        errors.push(Error::new(name.span(), message));
    }
    for word in &args.used {
        if word == "start" {
            let message = "`start` has no meaning with `current`, whose span has started already; write `attributes(..)`";
            errors.push(Error::new(word.span(), message));
        } else if !names::is_allowed(word, Place::Current) {
            let message = format!(
                "`{word}` has no meaning with `current`, which makes no span; remove one of them"
            );
            errors.push(Error::new(word.span(), message));
        }
    }
    let is_idle = args.attributes.is_empty() && args.ret.is_none() && args.handle.is_none();
    if let Some(current) = args
        .current
        .as_ref()
        .filter(|_| is_idle && errors.is_empty())
    {
        let message = "`current` adds nothing by itself; write `current, attributes(..)`";
        errors.push(Error::new(current.key.span(), message));
    }
    check_read_beside(function, args, shape, errors);
}

/// `ret` where the value is returned outside of a span.
fn check_read_beside(function: &Function, args: &Args, shape: Shape, errors: &mut Errors) {
    let why = match shape {
        Shape::Returned(work) if work.kind == WorkKind::Future => {
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

/// Why there is nothing to read of a returned value.
fn unreadable(function: &Function, shape: Shape) -> Option<&'static str> {
    let output = &function.sig.output;
    match shape {
        Shape::Returned(work) | Shape::Async(Some(work)) if work.kind == WorkKind::Stream => {
            Some("a stream, whose items are not read")
        }
        Shape::Sync if returns_closure(output) => Some("a returned closure, which is not read"),
        _ if never_returns(output) => Some("a function that never returns"),
        _ if returns_nothing(output) => Some("a function that returns nothing"),
        _ => None,
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
        Shape::Returned(..) => {
            "`#[track_caller]` cannot be combined with a returned future or stream, since a closure around the body would become the caller; remove it, or use `in_span!` in the body"
        }
    };
    errors.push(Error::new_spanned(tracked.path(), message));
}

fn is_unread(function: &Function, args: &Args) -> bool {
    let ignored = matches!(&args.err, Some(err) if matches!(err.value, ErrorPolicy::Ignore));
    (ignored || returns_nothing(&function.sig.output)) && args.ret.is_none()
}
