//! A span on its way: entered, told its attributes, attached while its body runs, ended.
//!
//! One type for all forms, sync and async; the forms differ in who attaches it, and when.

use std::borrow::Cow;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;

use opentelemetry::{Context as OtelContext, ContextGuard};

use crate::attribute::attributes::Sink;
use crate::attribute::value::{Scalar, Slot, ToAttribute, Value};
use crate::backend::site::Site;
use crate::backend::size::Content;
use crate::context::stack;
use crate::context::unwind::{self, Payload};
use crate::outcome::policy::Policy;
use crate::outcome::probe::{Asked, Reading};
use crate::span::handle::Span;
use crate::span::local_root;
use crate::span::parent_context;
use crate::span::recording::Ending;
use crate::span::scope::Scope;

/// A span that has started, or nothing.
#[must_use]
pub struct Entered(Option<Box<Scope>>);

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        if let Some(scope) = self.0.take() {
            Scope::recycle(scope);
        }
    }
}

/// A panic that passes a span leaves it ended, and nothing of it half-done.
impl UnwindSafe for Entered {}
impl RefUnwindSafe for Entered {}

impl Entered {
    pub const OFF: Entered = Entered(None);

    pub(crate) fn new(scope: Box<Scope>) -> Self {
        Entered(Some(scope))
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
    pub fn attributes_with(mut self, fill: &mut dyn FnMut(&mut Sink<'_>)) -> Self {
        if let Some(scope) = self.0.as_mut().filter(|scope| scope.is_recorded()) {
            let mut write = |key: Cow<'static, str>, Value(value)| {
                scope.set_attribute(key, value);
            };
            let _ = unwind::shielded(|| fill(&mut Sink::new(&mut write)));
        }
        self
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.0.as_ref().is_some_and(|scope| scope.site.is_leaf())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn attach(&self) -> Attached {
        match &self.0 {
            Some(scope) if scope.site.is_leaf() => Attached::leaf(scope.site),
            Some(scope) => Attached::context(scope.context.clone()),
            None => Attached::default(),
        }
    }

    /// The same for a span that has started elsewhere: what is current here stays, but for the span.
    #[cold]
    #[inline(never)]
    pub(crate) fn attach_here(&self) -> Attached {
        match self.context_here() {
            Some(context) => Attached::context(context),
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
    fn attach_owned(self) -> (Self, Attached) {
        let guard = self.attach();
        (self, guard)
    }

    /// The same for the last time: nobody asks for the context any more.
    #[cold]
    #[inline(never)]
    fn attach_last(mut self) -> (Self, Attached) {
        let guard = match &mut self.0 {
            Some(scope) if !scope.site.is_leaf() && !scope.site.does_end_children() => {
                Attached::context(std::mem::take(&mut scope.context))
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

    fn policy(&self) -> Option<Policy> {
        self.0.as_ref()?.policy()
    }

    /// Ends the span with what its value says, at the detail that is allowed.
    pub fn end(self, reading: Reading<'_>) {
        self.end_by(reading);
    }

    #[inline(always)]
    fn end_by(self, reading: Reading<'_>) {
        let ending = match reading {
            Reading::Nothing => Ending::Silent,
            Reading::Ask(value) => self.ending_by(value),
        };
        self.conclude(ending);
    }

    #[inline(never)]
    fn ending_by(&self, value: &dyn Asked) -> Ending {
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

    pub(crate) fn take(&mut self) -> Entered {
        Entered(self.0.take())
    }

    /// Takes the span to end it, and leaves its place: for what is left of the work, which has not
    /// been dropped yet. Whoever ends it a second time does nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_end(&mut self) -> Entered {
        Entered(self.0.as_mut().map(|scope| scope.again()))
    }
}

/// Detaches when dropped.
#[derive(Default)]
pub(crate) struct Attached {
    _context: Option<ContextGuard>,
    #[cfg(feature = "testing")]
    _leaf: Option<crate::testing::Leaf>,
}

impl Attached {
    fn context(context: OtelContext) -> Self {
        Attached {
            _context: stack::attach(context),
            #[cfg(feature = "testing")]
            _leaf: None,
        }
    }

    #[cfg_attr(
        not(feature = "testing"),
        expect(unused_variables, reason = "only the testing recorder asks for leaves")
    )]
    fn leaf(site: &'static Site) -> Self {
        Attached {
            _context: None,
            #[cfg(feature = "testing")]
            _leaf: crate::testing::Leaf::enter(site),
        }
    }
}

/// A span whose body has run, and which is still attached.
///
/// It detaches before anything else happens, together with that: one call less in each function.
#[must_use]
pub struct Leaving {
    entered: Entered,
    guard: Attached,
}

impl Leaving {
    #[inline(always)]
    pub fn is_off(&self) -> bool {
        self.entered.is_off()
    }

    /// The end of a span that is none, for the compiler: there is nothing to drop.
    #[inline(always)]
    pub fn vanish(self) {
        std::mem::forget(self);
    }

    #[cold]
    #[inline(never)]
    fn detach(self) -> Entered {
        drop(self.guard);
        self.entered
    }

    #[inline(never)]
    pub fn attribute<T: ToAttribute>(self, key: &'static str, value: &T) -> Self {
        self.attribute_with(key, &mut |slot| slot.set(value))
    }

    #[inline(never)]
    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        Leaving {
            entered: self.detach().attribute_with(key, value),
            guard: Attached::default(),
        }
    }

    #[inline(never)]
    pub fn attributes_with(self, fill: &mut dyn FnMut(&mut Sink<'_>)) -> Self {
        Leaving {
            entered: self.detach().attributes_with(fill),
            guard: Attached::default(),
        }
    }

    #[cold]
    pub fn end(self, reading: Reading<'_>) {
        drop(self.guard);
        self.entered.end_by(reading);
    }
}

/// Runs a body in its span and hands the span on, for what its value says.
///
/// If the body panics, the span ends with that, and the panic goes on. Inlined whole, so that the
/// body is in the binary once, whether the span is on or off; what belongs to the span is cold and
/// out of line, and takes it by value.
#[inline(always)]
pub fn run_held<R>(entered: Entered, body: impl FnOnce() -> R) -> (Leaving, R) {
    let (entered, guard) = match entered.is_off() {
        true => (entered, Attached::default()),
        false => entered.attach_last(),
    };
    run_attached(entered, guard, body)
}

#[inline(always)]
fn run_attached<R>(entered: Entered, guard: Attached, body: impl FnOnce() -> R) -> (Leaving, R) {
    match unwind::catch(body) {
        Ok(value) => (Leaving { entered, guard }, value),
        Err(payload) => panicked(entered, guard, payload),
    }
}

/// The same for a value that takes the span with it.
#[inline(always)]
pub fn run_open<R>(entered: Entered, body: impl FnOnce() -> R) -> (Entered, R) {
    let (entered, guard) = match entered.is_off() {
        true => (entered, Attached::default()),
        false => entered.attach_owned(),
    };
    match run_attached(entered, guard, body) {
        (leaving, value) if leaving.is_off() => {
            leaving.vanish();
            (Entered::OFF, value)
        }
        (leaving, value) => (leaving.detach(), value),
    }
}

/// The same for a value that says nothing.
#[inline(always)]
pub fn run<R>(entered: Entered, body: impl FnOnce() -> R) -> R {
    let (leaving, value) = run_held(entered, body);
    match leaving.is_off() {
        true => leaving.vanish(),
        false => leaving.end(Reading::Nothing),
    }
    value
}

/// Runs one poll, in the same way.
#[inline(always)]
pub(crate) fn attached<R>(entered: &mut Entered, work: impl FnOnce() -> R) -> R {
    let guard = match entered.is_off() {
        true => Attached::default(),
        false => entered.attach(),
    };
    match unwind::catch(work) {
        Ok(value) => {
            match entered.is_off() {
                true => std::mem::forget(guard),
                false => detach(guard),
            }
            value
        }
        Err(payload) => panicked_in(entered, guard, payload),
    }
}

#[cold]
#[inline(never)]
fn detach(guard: Attached) {
    drop(guard);
}

/// Leaves the span its place, for what is left of the work.
#[cold]
#[inline(never)]
fn panicked_in(entered: &mut Entered, guard: Attached, payload: Payload) -> ! {
    panicked(entered.take_end(), guard, payload)
}

#[cold]
#[inline(never)]
fn panicked(entered: Entered, guard: Attached, payload: Payload) -> ! {
    drop(guard);
    entered.panicked(&payload);
    unwind::resume(payload)
}

/// Drops what was not finished inside its span, so that its destructors are attributed to it.
#[cold]
#[inline(never)]
pub(crate) fn abandon<F>(entered: Entered, mut rest: Pin<&mut Option<F>>) {
    abandon_with(entered, || rest.set(None));
}

pub(crate) fn abandon_with(entered: Entered, drop_rest: impl FnOnce()) {
    let guard = entered.attach();
    let outcome = unwind::catch(drop_rest);
    abandoned(entered, guard, outcome);
}

#[inline(never)]
fn abandoned(entered: Entered, guard: Attached, outcome: Result<(), Payload>) {
    drop(guard);
    match outcome {
        Ok(()) => entered.conclude(Ending::Cancelled),
        Err(payload) => {
            entered.panicked(&payload);
            // A second panic would abort the process: telemetry keeps it from that.
            match std::thread::panicking() {
                true => unwind::discard(payload),
                false => unwind::resume(payload),
            }
        }
    }
}

/// For values that say nothing.
pub fn finish<T>(entered: Entered, _: &T) {
    entered.end(Reading::Nothing);
}
