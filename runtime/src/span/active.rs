//! A span on its way: entered, told its attributes, attached while its body runs, ended.
//!
//! One type for all forms, sync and async; the forms differ in who attaches it, and when.

use std::borrow::Cow;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;

use opentelemetry::{Context as OtelContext, ContextGuard};

use crate::attribute::attributes::AttributeSink;
use crate::attribute::value::{Scalar, Slot, ToAttribute, Value};
use crate::backend::site::Site;
use crate::backend::size::Content;
use crate::context::stack;
use crate::context::unwind::{self, Payload};
use crate::outcome::policy::ErrorPolicy;
use crate::outcome::probe::{FailureSource, ReturnCheck};
use crate::span::handle::Span;
use crate::span::local_root;
use crate::span::parent_context;
use crate::span::recorder_hooks::LeafMark;
use crate::span::recording::Ending;
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
            return Span::outside_of_here();
        };
        if scope.is_absent() {
            return Span::outside_of(scope.context.clone());
        }
        if !scope.site.is_leaf() {
            return Span::of(scope.context.clone());
        }
        let context = scope.context.clone();
        Span::of_leaf(match scope.share() {
            Some(recording) => recording.below(&context),
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

    #[inline(never)]
    fn scalar(self, key: &'static str, scalar: Scalar) -> Self {
        self.with(key, scalar)
    }

    #[inline(never)]
    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        if !self.is_recorded() {
            return self;
        }
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

    pub(crate) fn is_leaf(&self) -> bool {
        self.0.as_ref().is_some_and(|scope| scope.site.is_leaf())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn attach(&self) -> AttachGuard {
        match &self.0 {
            Some(scope) if scope.site.is_leaf() => AttachGuard::leaf(scope.site),
            Some(scope) => AttachGuard::context(scope.context.clone()),
            None => AttachGuard::default(),
        }
    }

    /// The same for a span that has started elsewhere: what is current here stays, but for the span.
    #[cold]
    #[inline(never)]
    pub(crate) fn attach_here(&self) -> AttachGuard {
        match self.context_here() {
            Some(context) => AttachGuard::context(context),
            None => self.attach(),
        }
    }

    /// Has its work run in what is current here, but for the span.
    pub(crate) fn move_here(&mut self) {
        let here = self.context_here();
        if let (Some(scope), Some(here)) = (&mut self.0, here) {
            scope.context = here;
        }
    }

    /// `None` for a span that is never current.
    fn context_here(&self) -> Option<OtelContext> {
        let scope = self.0.as_ref().filter(|scope| !scope.site.is_leaf())?;
        Some(parent_context::with_span_of(
            &stack::current()?,
            &scope.context,
        ))
    }

    /// The same, by value: the caller has nothing to drop if this unwinds.
    #[cold]
    #[inline(never)]
    fn attach_owned(self) -> (Self, AttachGuard) {
        let guard = self.attach();
        (self, guard)
    }

    /// The same for the last time: nobody asks for the context any more.
    #[cold]
    #[inline(never)]
    fn attach_last(mut self) -> (Self, AttachGuard) {
        let guard = match &mut self.0 {
            Some(scope) if !scope.site.is_leaf() && !scope.site.does_end_children() => {
                AttachGuard::context(std::mem::take(&mut scope.context))
            }
            _ => self.attach(),
        };
        (self, guard)
    }

    /// The end of a span that is none, for the compiler: there is nothing to drop.
    #[inline(always)]
    pub fn vanish(self) {
        std::mem::forget(self);
    }

    fn policy(&self) -> Option<ErrorPolicy> {
        self.0.as_ref()?.policy()
    }

    /// Ends the span with what its value says, at the detail that is allowed.
    pub fn end(self, check: ReturnCheck<'_>) {
        self.end_by(check);
    }

    #[inline(always)]
    fn end_by(self, check: ReturnCheck<'_>) {
        let ending = match check {
            ReturnCheck::Nothing => Ending::Silent,
            ReturnCheck::Ask(value) => self.ending_by(value),
        };
        self.conclude(ending);
    }

    #[inline(never)]
    fn ending_by(&self, value: &dyn FailureSource) -> Ending {
        let Some(policy) = self.policy() else {
            return Ending::Silent;
        };
        let ending = unwind::shielded(|| {
            let failure = value.failure()?;
            Some(Ending::failed(&failure, policy.detail))
        });
        ending.flatten().unwrap_or(Ending::Silent)
    }

    pub(crate) fn panicked(self, payload: &Payload) {
        if let Some(ending) = self.ending_of(payload) {
            self.conclude(ending);
        }
    }

    /// What a panic says, if the span is recorded.
    pub(crate) fn ending_of(&self, payload: &Payload) -> Option<Ending> {
        let detail = self.policy()?.detail;
        Some(Ending::panicked(payload, detail))
    }

    #[inline]
    pub(crate) fn conclude(mut self, ending: Ending) {
        let Some(scope) = &mut self.0 else {
            return;
        };
        if scope.site.does_end_children() && scope.is_recorded() {
            local_root::end_children(&scope.context);
        }
        scope.end(ending);
    }

    pub(crate) fn take(&mut self) -> ActiveSpan {
        ActiveSpan(self.0.take())
    }

    /// Takes the span to end it, and leaves its place: for what is left of the work, which has not
    /// been dropped yet. Whoever ends it a second time does nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_end(&mut self) -> ActiveSpan {
        ActiveSpan(self.0.as_mut().map(|scope| scope.again()))
    }
}

/// Detaches when dropped.
#[derive(Default)]
pub(crate) struct AttachGuard {
    _context: Option<ContextGuard>,
    _leaf: LeafMark,
}

impl AttachGuard {
    fn context(context: OtelContext) -> Self {
        AttachGuard {
            _context: stack::attach(context),
            _leaf: LeafMark::default(),
        }
    }

    fn leaf(site: &'static Site) -> Self {
        AttachGuard {
            _context: None,
            _leaf: LeafMark::enter(site),
        }
    }
}

/// A span whose body has run, and which is still attached.
///
/// It detaches before anything else happens, together with that: one call less in each function.
#[must_use]
pub struct ReturningSpan {
    active: ActiveSpan,
    guard: AttachGuard,
}

impl ReturningSpan {
    #[inline(always)]
    pub fn is_off(&self) -> bool {
        self.active.is_off()
    }

    /// The end of a span that is none, for the compiler: there is nothing to drop.
    #[inline(always)]
    pub fn vanish(self) {
        std::mem::forget(self);
    }

    #[cold]
    #[inline(never)]
    fn detach(self) -> ActiveSpan {
        drop(self.guard);
        self.active
    }

    #[inline(never)]
    pub fn attribute<T: ToAttribute>(self, key: &'static str, value: &T) -> Self {
        self.attribute_with(key, &mut |slot| slot.set(value))
    }

    #[inline(never)]
    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        ReturningSpan {
            active: self.detach().attribute_with(key, value),
            guard: AttachGuard::default(),
        }
    }

    #[inline(never)]
    pub fn attributes_with(self, fill: &mut dyn FnMut(&mut AttributeSink<'_>)) -> Self {
        ReturningSpan {
            active: self.detach().attributes_with(fill),
            guard: AttachGuard::default(),
        }
    }

    #[cold]
    pub fn end(self, check: ReturnCheck<'_>) {
        drop(self.guard);
        self.active.end_by(check);
    }
}

/// Runs a body in its span and hands the span on, for what its value says.
///
/// If the body panics, the span ends with that, and the panic goes on. Inlined whole, so that the
/// body is in the binary once, whether the span is on or off; what belongs to the span is cold and
/// out of line, and takes it by value.
#[inline(always)]
pub fn run_held<R>(active: ActiveSpan, body: impl FnOnce() -> R) -> (ReturningSpan, R) {
    let (active, guard) = if active.is_off() {
        (active, AttachGuard::default())
    } else {
        active.attach_last()
    };
    run_attached(active, guard, body)
}

#[inline(always)]
fn run_attached<R>(
    active: ActiveSpan,
    guard: AttachGuard,
    body: impl FnOnce() -> R,
) -> (ReturningSpan, R) {
    match unwind::catch(body) {
        Ok(value) => (ReturningSpan { active, guard }, value),
        Err(payload) => panicked(active, guard, payload),
    }
}

/// The same for a value that takes the span with it.
#[inline(always)]
pub fn run_open<R>(active: ActiveSpan, body: impl FnOnce() -> R) -> (ActiveSpan, R) {
    let (active, guard) = if active.is_off() {
        (active, AttachGuard::default())
    } else {
        active.attach_owned()
    };
    match run_attached(active, guard, body) {
        (returning, value) if returning.is_off() => {
            returning.vanish();
            (ActiveSpan::OFF, value)
        }
        (returning, value) => (returning.detach(), value),
    }
}

/// The same for a value that says nothing.
#[inline(always)]
pub fn run<R>(active: ActiveSpan, body: impl FnOnce() -> R) -> R {
    let (returning, value) = run_held(active, body);
    if returning.is_off() {
        returning.vanish()
    } else {
        returning.end(ReturnCheck::Nothing)
    }
    value
}

/// Runs one poll, in the same way.
#[inline(always)]
pub(crate) fn attached<R>(active: &mut ActiveSpan, work: impl FnOnce() -> R) -> R {
    let guard = if active.is_off() {
        AttachGuard::default()
    } else {
        active.attach()
    };
    match unwind::catch(work) {
        Ok(value) => {
            if active.is_off() {
                std::mem::forget(guard)
            } else {
                detach(guard)
            }
            value
        }
        Err(payload) => panicked_in(active, guard, payload),
    }
}

#[cold]
#[inline(never)]
fn detach(guard: AttachGuard) {
    drop(guard);
}

/// Leaves the span its place, for what is left of the work.
#[cold]
#[inline(never)]
fn panicked_in(active: &mut ActiveSpan, guard: AttachGuard, payload: Payload) -> ! {
    panicked(active.take_end(), guard, payload)
}

#[cold]
#[inline(never)]
fn panicked(active: ActiveSpan, guard: AttachGuard, payload: Payload) -> ! {
    drop(guard);
    active.panicked(&payload);
    unwind::resume(payload)
}

/// Drops what was not finished inside its span, so that its destructors are attributed to it.
#[cold]
#[inline(never)]
pub(crate) fn abandon<F>(active: ActiveSpan, mut rest: Pin<&mut Option<F>>) {
    abandon_with(active, || rest.set(None));
}

pub(crate) fn abandon_with(active: ActiveSpan, drop_rest: impl FnOnce()) {
    let guard = active.attach();
    let outcome = unwind::catch(drop_rest);
    abandoned(active, guard, outcome);
}

#[inline(never)]
fn abandoned(active: ActiveSpan, guard: AttachGuard, outcome: Result<(), Payload>) {
    drop(guard);
    match outcome {
        Ok(()) => active.conclude(Ending::Cancelled),
        Err(payload) => {
            active.panicked(&payload);
            // A second panic would abort the process: telemetry keeps it from that.
            if std::thread::panicking() {
                unwind::discard(payload)
            } else {
                unwind::resume(payload)
            }
        }
    }
}

/// For values that say nothing.
pub fn finish<T>(active: ActiveSpan, _: &T) {
    active.end(ReturnCheck::Nothing);
}
