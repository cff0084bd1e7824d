//! A span that has started: its end, its attributes, and how its context is attached.
//!
//! One type for all forms, sync and async: one box, which its thread uses again, so that a future grows by
//! 8 bytes. How a body runs in it is in `body.rs`, its start in `start.rs`.

use std::borrow::Cow;
use std::panic::{RefUnwindSafe, UnwindSafe};

use opentelemetry::Context as OtelContext;

use crate::attribute::attributes::AttributeSink;
use crate::attribute::value::{Scalar, Slot, ToAttribute, Value};
use crate::backend::size::Content;
use crate::context::stack;
use crate::context::unwind::{self, Payload};
use crate::outcome::failure::{ErrorDetail, FailureReport};
use crate::outcome::probe::{FailureSource, ReturnCheck};
use crate::span::attach::AttachGuard;
use crate::span::context_span;
use crate::span::handle::Span;
use crate::span::local_root;
use crate::span::parent;
use crate::span::recording_state::Ending;
use crate::span::scope::Scope;

/// A span that has started, or nothing.
#[must_use]
pub struct ActiveSpan(Option<Box<Scope>>);

impl Drop for ActiveSpan {
    #[inline]
    fn drop(&mut self) {
        if let Some(scope) = self.0.take() {
            Scope::recycle(scope);
        }
    }
}

/// The end of every span: what its value says, its children, its record, its scope.
impl ActiveSpan {
    /// Ends the span with what its value says, at the detail that is allowed.
    pub fn end(self, check: ReturnCheck<'_>) {
        let ending = self.ending(check);
        self.end_with(ending);
    }

    #[inline(always)]
    pub(super) fn ending(&self, check: ReturnCheck<'_>) -> Ending {
        match check {
            ReturnCheck::Nothing => Ending::Silent,
            ReturnCheck::Ask(value) => self.ending_by(value),
        }
    }

    /// Ends the span in this way. The scope goes back to its thread.
    #[inline(never)]
    pub(crate) fn end_with(self, ending: Ending) {
        self.end_inline(ending);
    }

    #[inline(always)]
    fn end_inline(mut self, ending: Ending) {
        if let Some(scope) = self.0.take() {
            end_children(&scope);
            scope.end(ending);
        }
    }

    /// The same for a value without an outcome, as most are.
    #[inline(always)]
    pub(super) fn end_silently(mut self) {
        if let Some(scope) = self.0.take() {
            end_children(&scope);
            scope.end_silently();
        }
    }

    pub(crate) fn end_with_panic(self, payload: &Payload) {
        if let Some(ending) = self.ending_of(payload) {
            self.end_with(ending);
        }
    }

    /// The user's code runs here.
    #[inline(never)]
    fn ending_by(&self, value: &dyn FailureSource) -> Ending {
        let Some(detail) = self.detail() else {
            return Ending::Silent;
        };
        let ending = unwind::shielded(|| {
            let failure = value.failure()?;
            Some(Ending::Failed(FailureReport::of(&failure, detail)))
        });
        ending.flatten().unwrap_or(Ending::Silent)
    }

    /// What a panic says, if the span is recorded.
    pub(crate) fn ending_of(&self, payload: &Payload) -> Option<Ending> {
        let detail = self.detail()?;
        Some(Ending::Failed(FailureReport::of_panic(payload, detail)))
    }

    fn detail(&self) -> Option<ErrorDetail> {
        self.0.as_ref()?.detail()
    }
}

#[inline(always)]
fn end_children(scope: &Scope) {
    if scope.site.does_end_children() && scope.is_recorded() {
        local_root::end_children(&scope.context());
    }
}

/// A panic that passes a span leaves it ended, and nothing of it half-done.
impl UnwindSafe for ActiveSpan {}
impl RefUnwindSafe for ActiveSpan {}

impl ActiveSpan {
    pub const OFF: ActiveSpan = ActiveSpan(None);

    pub(crate) fn new(scope: Box<Scope>) -> Self {
        ActiveSpan(Some(scope))
    }

    #[inline]
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    pub fn handle(&mut self) -> Span {
        let Some(scope) = &mut self.0 else {
            return Span::absent_here();
        };
        if scope.is_absent() {
            return Span::absent_in(scope.context());
        }
        let context = scope.context();
        if !scope.site.is_leaf() {
            return Span::of(context);
        }
        Span::of_leaf(match scope.share() {
            Some(recording) => {
                local_root::inherit(recording.identity(), &context);
                context_span::below(&context, recording)
            }
            None => context,
        })
    }

    // These take the span and give it back, so that the code which calls them has nothing to drop
    // if they unwind; and they stay out of line, since every annotated function calls them.

    #[inline(never)]
    pub fn text(self, key: &'static str, value: &'static str) -> Self {
        self.with(key, value)
    }

    #[inline(never)]
    pub fn attribute<T: ToAttribute>(self, key: &'static str, value: &T) -> Self {
        if self.is_off() {
            return self;
        }
        match value.to_scalar() {
            Some(scalar) => self.scalar(key, scalar),
            None => self.attribute_with(key, &mut |slot| slot.set(value)),
        }
    }

    /// Two functions: what waits for a lock keeps more in registers, which the other one need not save.
    #[inline(always)]
    fn scalar(self, key: &'static str, scalar: Scalar) -> Self {
        if self.0.as_ref().is_some_and(|scope| scope.is_private()) {
            self.own_scalar(key, scalar)
        } else {
            self.shared_scalar(key, scalar)
        }
    }

    #[inline(never)]
    fn own_scalar(mut self, key: &'static str, scalar: Scalar) -> Self {
        if let Some(scope) = &mut self.0 {
            scope.set_own_scalar(key, scalar);
        }
        self
    }

    #[inline(never)]
    fn shared_scalar(self, key: &'static str, scalar: Scalar) -> Self {
        let this = self.show(key, scalar);
        if let Some(scope) = &this.0 {
            scope.set_shared_scalar(key, scalar);
        }
        this
    }

    /// Has the mirror show it.
    #[cfg(feature = "tracing")]
    #[inline(always)]
    fn show(mut self, key: &'static str, scalar: Scalar) -> Self {
        if let Some(scope) = &mut self.0 {
            scope.show(&key, &scalar);
        }
        self
    }

    #[cfg(not(feature = "tracing"))]
    #[inline(always)]
    fn show(self, _: &'static str, _: Scalar) -> Self {
        self
    }

    #[inline(never)]
    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        if !self.is_recorded() {
            return self;
        }
        // Not by a sink: a scalar goes from a register into its place.
        let mut slot = Slot::Empty;
        slot.fill_by(value);
        match slot {
            Slot::Empty => self,
            Slot::Scalar(scalar) => self.scalar(key, scalar),
            Slot::Value(Value(value)) => self.with(key, value),
        }
    }

    #[inline]
    fn is_recorded(&self) -> bool {
        self.0.as_ref().is_some_and(|scope| scope.is_recorded())
    }

    #[inline(always)]
    fn with(mut self, key: &'static str, value: impl Content) -> Self {
        if let Some(scope) = &mut self.0 {
            scope.set_attribute(key, value);
        }
        self
    }

    /// For a key that is a constant, and for a struct of facts.
    #[inline(never)]
    pub fn attributes_with(mut self, fill: &mut dyn FnMut(&mut AttributeSink<'_>)) -> Self {
        if let Some(scope) = self.0.as_mut().filter(|scope| scope.is_recorded()) {
            let mut write = |key: Cow<'static, str>, Value(value)| {
                scope.set_attribute(key, value);
            };
            let _ = unwind::shielded(|| fill(&mut AttributeSink::new(&mut write)));
        }
        self
    }

    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.0.as_deref()
    }

    /// Lets go of the context, which nothing asks for any more.
    pub(crate) fn drop_context(&mut self) {
        if let Some(scope) = &mut self.0 {
            drop(scope.take_context());
        }
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.0.as_ref().is_some_and(|scope| scope.site.is_leaf())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn attach(&self) -> AttachGuard {
        match &self.0 {
            Some(scope) if scope.site.is_leaf() => AttachGuard::leaf(scope.site),
            Some(scope) => {
                scope.remember_root();
                AttachGuard::context(scope.context(), || scope.enter_mirror())
            }
            None => AttachGuard::default(),
        }
    }

    /// The same for a span that has started elsewhere: what is current here stays, but for the span.
    #[cold]
    #[inline(never)]
    pub(crate) fn attach_here(&self) -> AttachGuard {
        match (&self.0, self.context_here()) {
            (Some(scope), Some(context)) => {
                scope.remember_root();
                AttachGuard::context(context, || scope.enter_mirror())
            }
            _ => self.attach(),
        }
    }

    /// Has its work run in what is current here, but for the span.
    pub(crate) fn move_here(&mut self) {
        let here = self.context_here();
        if let (Some(scope), Some(here)) = (&mut self.0, here) {
            scope.set_context(here);
        }
    }

    /// `None` for a span that is never current.
    fn context_here(&self) -> Option<OtelContext> {
        let scope = self.0.as_ref().filter(|scope| !scope.site.is_leaf())?;
        Some(parent::with_span_of(&stack::current()?, &scope.context()))
    }

    /// Attaches by value: the caller has nothing to drop if this unwinds.
    #[cold]
    #[inline(never)]
    pub(super) fn attach_owned(self) -> (Self, AttachGuard) {
        let guard = self.attach();
        (self, guard)
    }

    /// Attaches for the last time: the context itself moves, since nothing asks for it any more.
    #[cold]
    #[inline(never)]
    pub(super) fn attach_last(mut self) -> (Self, AttachGuard) {
        let guard = match &mut self.0 {
            Some(scope) if scope.site.is_leaf() => AttachGuard::leaf(scope.site),
            Some(scope) if !scope.site.does_end_children() => {
                let context = scope.take_context();
                AttachGuard::context(context, || scope.enter_mirror())
            }
            _ => self.attach(),
        };
        (self, guard)
    }

    /// Attaches nothing, for a leaf: only the recorder of tests learns of it.
    #[cfg(feature = "testing")]
    #[cold]
    #[inline(never)]
    pub(super) fn attach_leaf(self) -> (Self, AttachGuard) {
        self.attach_last()
    }

    #[cfg(not(feature = "testing"))]
    #[inline(always)]
    pub(super) fn attach_leaf(self) -> (Self, AttachGuard) {
        (self, AttachGuard::default())
    }

    /// The end of a span that is none, for the compiler: there is nothing to drop.
    #[inline(always)]
    pub fn vanish(self) {
        std::mem::forget(self);
    }

    pub(crate) fn take(&mut self) -> ActiveSpan {
        ActiveSpan(self.0.take())
    }

    /// Takes the span to end it, and leaves its place: for what is left of the work, which has not
    /// been dropped yet. A second end does nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_end(&mut self) -> ActiveSpan {
        ActiveSpan(self.0.as_mut().map(|scope| scope.second()))
    }
}
