//! When a function does its work: at the call, as an `async fn`, or in what it returns.

use syn::{Error, ReturnType};

use crate::errors::Errors;
use crate::plan::returned_type::returns_nothing;
use crate::plan::returned_work::{self, ReturnedWork, WorkForm, WorkKind};
use crate::syntax::args::Args;
use crate::syntax::function::Function;

/// How a function does its work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// At the call.
    Sync,
    /// As an `async fn`, and then in its output, if that is a future or stream.
    Async(Option<ReturnedWork>),
    /// In a future or stream that it returns.
    Returned(ReturnedWork),
}

pub(crate) fn shape_of(function: &Function, args: &Args, errors: &mut Errors) -> Shape {
    let work = match &args.call_only {
        Some(call_only) if returns_nothing(&function.sig.output) => {
            let message = "this function returns nothing that could work later; remove `call_only`";
            errors.push(Error::new(call_only.key.span(), message));
            None
        }
        Some(_) => None,
        None => work_of_output(function, args, errors),
    };
    match (function.sig.asyncness, work) {
        (Some(_), work) => Shape::Async(work),
        (None, Some(work)) => Shape::Returned(work),
        (None, None) => Shape::Sync,
    }
}

/// The work of the returned value, as its type spells it, or as an argument does.
fn work_of_output(function: &Function, args: &Args, errors: &mut Errors) -> Option<ReturnedWork> {
    let output = match &function.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    let spelled = output.and_then(returned_work::of_type);
    let (kind, key) = match (&args.future, &args.stream) {
        (Some(future), _) => (WorkKind::Future, &future.key),
        (None, Some(stream)) => (WorkKind::Stream, &stream.key),
        (None, None) => return spelled,
    };
    let form = WorkForm::Boxed;
    match (output, spelled) {
        (Some(_), None) => return Some(ReturnedWork { kind, form }),
        (Some(_), Some(spelled)) if spelled.kind == kind => return Some(spelled),
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
