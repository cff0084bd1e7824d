//! What is read of a returned value before its span ends.
//!
//! The value is read after the body, not in a closure beside it, so that `ret(..)` may name an
//! argument that the body has borrowed or changed.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{ExprClosure, ReturnType, Signature, Type};

use crate::plan::returned_type;
use crate::plan::returned_work::{self, WorkKind};
use crate::plan::shape::Shape;
use crate::syntax::args::Args;
use crate::syntax::attribute::Projection;
use crate::syntax::value::ErrorPolicy;

/// What is read of the returned value.
pub(crate) struct Finish {
    pub(crate) recorded: RecordedValue,
    pub(crate) check: ReturnCheck,
    /// The most that is recorded of errors and panics.
    pub(crate) detail: Option<&'static str>,
    /// Where a mistake in the returned type is reported.
    pub(crate) place: Span,
    /// `err` was written, so a type without an outcome is a mistake.
    pub(crate) strict: bool,
    /// What the value does later is left out of the span.
    pub(crate) call_only: bool,
    /// The value could be a future or a stream that is not in the span.
    pub(crate) check_form: bool,
    /// The output of an `async fn` could be awaited in turn, which is correct there, and looks wrong
    /// in the block around its body.
    pub(crate) may_be_awaited: bool,
    /// The error borrows, so its type cannot be read.
    pub(crate) text_only: bool,
    /// The output of a returned future, if the signature spells it.
    pub(crate) output: Option<Type>,
}

pub(crate) enum RecordedValue {
    Nothing,
    Whole,
    Projected(Vec<Projection>),
}

pub(crate) enum ReturnCheck {
    Nothing,
    Outcome,
    JudgedBy(Box<ExprClosure>),
}

pub(crate) fn finish(args: &Args, sig: &Signature, shape: Shape) -> Finish {
    let ReturnType::Type(_, ty) = &sig.output else {
        return Finish::of_function(args, sig.ident.span(), None);
    };
    let mut finish = Finish::of_function(args, ty.span(), Some(ty));
    let output = match shape {
        Shape::Returned(work) | Shape::Async(Some(work)) if work.kind == WorkKind::Future => {
            finish.output = returned_work::future_output(ty);
            finish.output.as_ref()
        }
        _ => Some(&**ty),
    };
    finish.text_only = returned_type::holds_borrowing_object(output.unwrap_or(ty));
    finish.check_form = !finish.call_only && output.is_none_or(returned_type::may_be_polled);
    finish.may_be_awaited = matches!(shape, Shape::Async(_)) && returned_type::may_be_polled(ty);
    finish
}

impl Finish {
    /// For a function's value.
    fn of_function(args: &Args, place: Span, output: Option<&Type>) -> Self {
        let mut finish = Finish::new(args, place);
        finish.check_form = false;
        if output.is_none_or(returned_type::is_never_or_nothing) && !finish.strict {
            finish.check = ReturnCheck::Nothing;
        }
        finish
    }

    pub(crate) fn new(args: &Args, place: Span) -> Self {
        let recorded = match &args.ret {
            None => RecordedValue::Nothing,
            Some(ret) if ret.value.is_empty() => RecordedValue::Whole,
            Some(ret) => RecordedValue::Projected(ret.value.clone()),
        };
        let policy = args.err.as_ref().map(|err| &err.value);
        let (check, detail) = match policy {
            None => (ReturnCheck::Outcome, None),
            Some(ErrorPolicy::Ignore) => (ReturnCheck::Nothing, Some("Status")),
            Some(ErrorPolicy::JudgedBy(judge)) => (ReturnCheck::JudgedBy(judge.clone()), None),
            Some(ErrorPolicy::Detail(detail)) => (ReturnCheck::Outcome, Some(*detail)),
        };
        Finish {
            recorded,
            check,
            detail,
            place,
            strict: matches!(policy, Some(ErrorPolicy::Detail(_))) && !args.err_is_shared,
            call_only: args.call_only.is_some(),
            check_form: args.call_only.is_none(),
            ..Finish::silent()
        }
    }

    /// Reads nothing, since there is no value.
    pub(crate) fn silent() -> Self {
        Finish {
            recorded: RecordedValue::Nothing,
            check: ReturnCheck::Nothing,
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

    /// Whether the span ends without reading the value.
    pub(crate) fn is_silent(&self) -> bool {
        let unread = matches!(self.check, ReturnCheck::Nothing);
        let unchecked = !self.strict && !self.check_form && !self.may_be_awaited;
        unread && unchecked && matches!(self.recorded, RecordedValue::Nothing)
    }
}
