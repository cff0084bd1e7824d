//! The mirror of a recording, where each scope and each context of its span finds it.
//!
//! A context, as a handle has it, knows no more of a span than OpenTelemetry's API. So the span is asked whether it
//! records, and answers with its mirror beside that, as it does for its local root. No subscriber is called under the
//! lock here. Without the feature `tracing` all of this is empty.

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::RecordedMirror;
#[cfg(feature = "tracing")]
pub(crate) use enabled::{MirrorState, RecordedMirror, find};

#[cfg(feature = "tracing")]
mod enabled {
    use std::cell::RefCell;
    use std::mem;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use opentelemetry::Context;
    use opentelemetry::trace::TraceContextExt as _;

    use crate::context::unwind;
    use crate::mirror::span::MirrorSpan;

    pub(crate) struct RecordedMirror(Mutex<Inner>);

    struct Inner {
        state: MirrorState,
        /// The memory of the last one, if nobody else has that.
        spare: Option<Arc<MirrorSpan>>,
    }

    #[derive(Clone)]
    pub(crate) enum MirrorState {
        /// No subscriber was asked.
        Unasked,
        Open(Arc<MirrorSpan>),
        /// Nobody wanted it, or its scope has ended.
        Closed,
    }

    enum Answer {
        Unasked,
        Asked,
        Mirror(Arc<MirrorSpan>),
    }

    thread_local! {
        static ANSWER: RefCell<Answer> = const { RefCell::new(Answer::Unasked) };
    }

    /// Whether there ever was a mirror.
    static IS_USED: AtomicBool = AtomicBool::new(false);

    impl RecordedMirror {
        pub(crate) const fn new() -> Self {
            RecordedMirror(Mutex::new(Inner {
                state: MirrorState::Unasked,
                spare: None,
            }))
        }

        /// Another span starts in its recording.
        #[inline(always)]
        pub(crate) fn reset(&mut self) {
            let inner = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
            inner.state = MirrorState::Unasked;
        }

        #[inline]
        pub(crate) fn state(&self) -> MirrorState {
            self.lock().state.clone()
        }

        /// Keeps what came of a start, unless another thread was first; and gives what holds.
        pub(crate) fn keep(&self, started: MirrorState) -> MirrorState {
            if !IS_USED.load(Ordering::Relaxed) {
                IS_USED.store(true, Ordering::Relaxed);
            }
            let mut inner = self.lock();
            if let MirrorState::Unasked = inner.state {
                inner.state = started;
                inner.state.clone()
            } else {
                let first = inner.state.clone();
                drop(inner);
                // Outside of the lock: its subscriber is called.
                drop(started);
                first
            }
        }

        pub(crate) fn take_spare(&self) -> Option<Arc<MirrorSpan>> {
            self.lock().spare.take()
        }

        #[inline]
        pub(crate) fn close(&self) {
            if IS_USED.load(Ordering::Relaxed) {
                self.close_used();
            }
        }

        #[cold]
        #[inline(never)]
        fn close_used(&self) {
            let state = mem::replace(&mut self.lock().state, MirrorState::Closed);
            // Outside of the lock: its subscriber is called.
            if let MirrorState::Open(mut span) = state {
                if let Some(own) = Arc::get_mut(&mut span) {
                    own.close();
                    self.lock().spare = Some(span);
                }
            }
        }

        /// Answers with the mirror, if it is asked for. The first answer holds.
        #[inline]
        pub(crate) fn answer(&self) {
            let _ = ANSWER.try_with(|answer| {
                let mut answer = answer.borrow_mut();
                if let (Answer::Asked, MirrorState::Open(span)) = (&*answer, &self.lock().state) {
                    *answer = Answer::Mirror(Arc::clone(span));
                }
            });
        }

        #[inline]
        fn lock(&self) -> MutexGuard<'_, Inner> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// The mirror of the span of a context, if that is open.
    #[inline]
    pub(crate) fn find(context: &Context) -> Option<Arc<MirrorSpan>> {
        if IS_USED.load(Ordering::Relaxed) {
            ask(context)
        } else {
            None
        }
    }

    #[cold]
    #[inline(never)]
    fn ask(context: &Context) -> Option<Arc<MirrorSpan>> {
        ANSWER
            .try_with(|answer| answer.replace(Answer::Asked))
            .ok()?;
        // Another provider's code may run here.
        let _ = unwind::shielded(|| context.span().is_recording());
        match ANSWER.try_with(|answer| answer.replace(Answer::Unasked)) {
            Ok(Answer::Mirror(span)) => Some(span),
            _ => None,
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    pub(crate) struct RecordedMirror;

    impl RecordedMirror {
        pub(crate) const fn new() -> Self {
            RecordedMirror
        }

        #[inline(always)]
        pub(crate) fn reset(&mut self) {}

        #[inline(always)]
        pub(crate) fn answer(&self) {}
    }
}
