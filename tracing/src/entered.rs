//! The spans that are entered on a thread, with what detaches their contexts again.
//!
//! A span may be entered more than once, and left in any order. OpenTelemetry's stack takes a context out of its
//! middle, so each exit drops the guard of its own entry. An entry that found its context current has none.

use std::cell::RefCell;
use std::mem;

use enter_span::native;
use opentelemetry::{Context, ContextGuard};

/// A span of one layer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanKey {
    pub(crate) layer: u64,
    pub(crate) span: u64,
}

/// OpenTelemetry's stack has as many places.
const MOST_ENTERED: usize = 65_535;

#[derive(Default)]
struct Entered(Vec<(SpanKey, Option<ContextGuard>)>);

thread_local! {
    static ENTERED: RefCell<Entered> = const { RefCell::new(Entered(Vec::new())) };
}

/// The thread ends with spans entered: OpenTelemetry's stack goes with it, and may be gone already.
impl Drop for Entered {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|(_, guard)| mem::forget(guard));
    }
}

/// Makes the context of a span current, if it is not, until the span is exited on this thread.
pub(crate) fn enter(key: SpanKey, context: Option<Context>) {
    let mut guard = context.and_then(native::attach);
    let _ = ENTERED.try_with(|entered| {
        if let Ok(mut entered) = entered.try_borrow_mut() {
            if entered.0.len() < MOST_ENTERED {
                entered.0.push((key, guard.take()));
            }
        }
    });
    // A dying thread, or a stack that is full.
    if let Some(guard) = guard {
        native::detach(guard);
    }
}

/// Takes out what the last entry of the span on this thread has attached, for the caller to detach.
pub(crate) fn exit(key: SpanKey) -> Option<ContextGuard> {
    let guard = ENTERED.try_with(|entered| {
        let mut entered = entered.try_borrow_mut().ok()?;
        let last = entered.0.iter().rposition(|(entry, _)| *entry == key)?;
        Some(entered.0.remove(last).1)
    });
    // Detached outside of the borrow: what the context holds is the user's.
    guard.ok().flatten().flatten()
}

/// Whether a layer with another number has entered the span, too: a second one of the same subscriber, or that of
/// a subscriber that uses the same id.
pub(crate) fn is_entered_by_another_layer(key: SpanKey) -> bool {
    let is_other = |entry: &SpanKey| entry.span == key.span && entry.layer != key.layer;
    let found = ENTERED.try_with(|entered| {
        let entered = entered.try_borrow().ok()?;
        Some(entered.0.iter().any(|(entry, _)| is_other(entry)))
    });
    found.ok().flatten().unwrap_or_default()
}
