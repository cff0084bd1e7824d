//! A span that its owner ends.
//!
//! A panic that leaves `enter` does not end the span, whose owner may live on. If the same unwinding drops the
//! owner, the span ends with that panic; if another one does, it is cancelled.

use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::context::identity::SpanContext;
use crate::context::unwind::{self, Payload};
use crate::span::active::ActiveSpan;
use crate::span::handle::Span;
use crate::span::recording_state::Ending;
use crate::span::to_parent::{Parent, ToLinks, ToParent};

/// A span that ends when its owner says so: by [`end`](OwnedSpan::end), or by dropping it.
///
/// For work that is no scope of the source: a connection, a session, a body that is streamed after
/// its handler returned. Where a scope will do, the attribute and [`in_span!`](crate::in_span) are
/// better: they see errors, panics and cancellation.
///
/// [`start_span!`](crate::start_span!) and [`start_span`](crate::start_span()) make one, below the
/// span that is current there. It is not current by itself. It can be entered again and again: by a closure with
/// [`enter`](OwnedSpan::enter), by a future, a stream or a closure that moves elsewhere with
/// `.in_span(&span)`, and once and for all, so that it ends with the work, with
/// `.in_owned_span(span)`. One that was started with `leaf` is never made current by any of these.
///
/// It is a [`Span`] as well, by `Deref`: attributes are set on it directly, and `.clone()` gives a
/// handle. Handles to it, also those that [`Span::current`] finds, cannot end it. What its work
/// returns is not read, also not by `.in_owned_span(span)`: [`Span::set_outcome`] tells of an `Err`.
///
/// Dropped with a future that is cancelled, it ends as by any drop. Dropped by a panic, it is marked:
/// with the panic, if that came out of its own `enter`, else with
/// `enter_span.outcome = "cancelled"`. Leaked, with `mem::forget`, it is never exported.
///
/// ```
/// use enter_span::start_span;
///
/// let connection = start_span!("connection", kind = server, attributes(peer = "10.0.0.7"));
/// let greeting = connection.enter(|| "hello");
/// connection.set_attribute("sent", greeting.len());
/// connection.end();
/// ```
#[must_use = "the span ends when this is dropped"]
pub struct OwnedSpan {
    active: ActiveSpan,
    handle: Span,
    /// The panic that came out of the last `enter`, until the owner is seen to live on.
    panic: Mutex<Option<Ending>>,
    panicking_before: bool,
}

impl OwnedSpan {
    pub(crate) fn new(mut active: ActiveSpan) -> Self {
        OwnedSpan {
            handle: active.handle(),
            active,
            panic: Mutex::new(None),
            panicking_before: std::thread::panicking(),
        }
    }

    /// Runs `work` with the span as the current one.
    ///
    /// What else is current here stays: your values and your baggage are those of this place, and not those of
    /// the span's start. A panic passes, and leaves the span open for as long as its owner keeps it. For a future
    /// there is `.in_span(&span)`: this would only put the making of it into the span. Where the span
    /// is not traced, its work is where the span would be: below what was current at its start.
    ///
    /// ```
    /// use enter_span::prelude::*;
    /// use enter_span::{enter_span, start_span};
    ///
    /// #[enter_span]
    /// async fn query() {}
    ///
    /// # async fn run() {
    /// let session = start_span!("session");
    /// session.enter(|| { /* something quick */ });
    /// query().in_span(&session).await;
    /// # }
    /// ```
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        if self.active.is_off() {
            return work();
        }
        *self.panic() = None;
        let attached = self.active.attach_here();
        let outcome = unwind::catch(work);
        drop(attached);
        match outcome {
            Ok(value) => value,
            Err(payload) => self.panicked(payload),
        }
    }

    #[cold]
    fn panicked(&self, payload: Payload) -> ! {
        *self.panic() = self.active.ending_of(&payload);
        unwind::resume(payload)
    }

    fn panic(&self) -> MutexGuard<'_, Option<Ending>> {
        self.panic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the span without an outcome: set one before by [`Span::set_status`] or [`Span::set_outcome`].
    ///
    /// Handles to it do nothing from then on. Where it is not traced, nothing happens.
    pub fn end(self) {
        self.into_active().end_with(Ending::Silent);
    }

    /// The span, of which this is the owner no more.
    fn into_active(mut self) -> ActiveSpan {
        self.active.take()
    }

    /// The same, for work that goes on with the rest of what is current here.
    pub(crate) fn into_work(self) -> ActiveSpan {
        let mut active = self.into_active();
        active.move_here();
        active
    }

    /// Whether its work is put into it by attaching it: not if it is no span, and not if it is never
    /// current.
    pub(crate) fn is_attached(&self) -> bool {
        !self.active.is_off() && !self.active.is_leaf()
    }
}

impl Drop for OwnedSpan {
    fn drop(&mut self) {
        if self.active.is_off() {
            return;
        }
        let ending = if std::thread::panicking() && !self.panicking_before {
            self.panic().take().unwrap_or(Ending::Cancelled)
        } else {
            Ending::Silent
        };
        self.active.take().end_with(ending);
    }
}

impl Deref for OwnedSpan {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.handle
    }
}

impl ToParent for OwnedSpan {
    fn to_parent(&self) -> Parent {
        self.handle.to_parent()
    }

    fn to_current(&self) -> Parent {
        self.handle.to_current()
    }
}

impl ToLinks for OwnedSpan {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.handle.to_links(link);
    }
}

impl fmt::Debug for OwnedSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("OwnedSpan")
            .field(&self.handle)
            .finish()
    }
}
