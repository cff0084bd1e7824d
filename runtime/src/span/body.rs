//! Runs bodies in their spans: a call, a poll, the drop of what was not finished.
//!
//! The body is in the binary once, whether its span is on or off. So what is around it is inlined whole, and
//! what belongs to the span is cold and out of line. The functions take the span by value, so that their
//! callers have nothing to drop if they unwind.

use std::pin::Pin;

use crate::attribute::attributes::AttributeSink;
use crate::attribute::value::{Slot, ToAttribute};
use crate::context::unwind::{self, Payload};
use crate::outcome::probe::ReturnCheck;
use crate::span::active::ActiveSpan;
use crate::span::attach::AttachGuard;
use crate::span::recording_state::Ending;

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
        match check {
            ReturnCheck::Nothing => self.active.end_silently(),
            ReturnCheck::Ask(_) => self.active.end(check),
        }
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

/// The same for a leaf, whose context nothing is attached for.
#[inline(always)]
pub fn run_leaf_held<R>(active: ActiveSpan, body: impl FnOnce() -> R) -> (ReturningSpan, R) {
    let (active, guard) = active.attach_leaf();
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

/// The same for a value without an outcome.
#[inline(always)]
pub fn run<R>(active: ActiveSpan, body: impl FnOnce() -> R) -> R {
    end_silently(run_held(active, body))
}

/// The same for a leaf.
#[inline(always)]
pub fn run_leaf<R>(active: ActiveSpan, body: impl FnOnce() -> R) -> R {
    end_silently(run_leaf_held(active, body))
}

#[inline(always)]
fn end_silently<R>((returning, value): (ReturningSpan, R)) -> R {
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
    active.end_with_panic(&payload);
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
        Ok(()) => active.end_with(Ending::Cancelled),
        Err(payload) => {
            active.end_with_panic(&payload);
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
