//! A mirror that is entered: by a scope of its span, or where its context was carried.
//!
//! A context, as a handle has it, knows no more of a span than OpenTelemetry's API. So the span is asked whether it
//! records, and answers with its recording beside that, as it does for its local root. Without the feature `tracing`
//! all of this is empty.

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{EnteredMirror, MirroredContext, answer};
#[cfg(feature = "tracing")]
pub(crate) use enabled::{EnteredMirror, MirroredContext, answer, find};

#[cfg(feature = "tracing")]
mod enabled {
    use std::cell::RefCell;
    use std::num::NonZeroU16;
    use std::sync::Arc;

    use opentelemetry::trace::TraceContextExt as _;
    use opentelemetry::{Context, ContextGuard};

    use crate::context::unwind;
    use crate::mirror::span::MirrorSpan;
    use crate::span::recorded_mirror::{MirrorState, is_used};
    use crate::span::recording::Recording;

    /// While this lives, a mirror is entered on this thread.
    pub(crate) struct EnteredMirror {
        span: MirrorSpan,
        /// Where its context was carried, whose share it is. Else it is the scope's.
        carried: Option<Arc<Recording>>,
    }

    impl EnteredMirror {
        pub(crate) fn by_scope(span: MirrorSpan) -> Self {
            EnteredMirror::enter(span, None)
        }

        pub(crate) fn by_context(recording: Arc<Recording>) -> Option<Self> {
            if !recording.mirror.try_share() {
                return None;
            }
            match recording.mirror.span() {
                Some(span) => Some(EnteredMirror::enter(span, Some(recording))),
                None => {
                    recording.mirror.release();
                    None
                }
            }
        }

        fn enter(span: MirrorSpan, carried: Option<Arc<Recording>>) -> Self {
            span.enter();
            EnteredMirror { span, carried }
        }
    }

    impl Drop for EnteredMirror {
        fn drop(&mut self) {
            self.span.exit();
            if let Some(recording) = &self.carried {
                recording.mirror.release();
            }
        }
    }

    /// A context that is attached, with a mirror that is entered in it: their place in the list of this thread.
    //
    // A small number, since a span that is off has room for it on its stack, see `attach.rs`.
    pub(crate) struct MirroredContext(NonZeroU16);

    struct Place {
        /// Exited first, as it was entered last.
        _mirror: EnteredMirror,
        _context: Option<ContextGuard>,
    }

    thread_local! {
        /// They may be left in any order.
        static PLACES: RefCell<Vec<Option<Place>>> = const { RefCell::new(Vec::new()) };
    }

    impl MirroredContext {
        /// If there is no room, as on a thread that is being torn down, the mirror is left immediately.
        pub(crate) fn keep(
            mirror: EnteredMirror,
            context: Option<ContextGuard>,
        ) -> Result<Self, Option<ContextGuard>> {
            let mut place = Some(Place {
                _mirror: mirror,
                _context: context,
            });
            let push = |all: &RefCell<Vec<_>>| {
                let mut all = all.borrow_mut();
                let number = u16::try_from(all.len() + 1).ok()?;
                all.push(place.take());
                NonZeroU16::new(number)
            };
            match PLACES.try_with(push).ok().flatten() {
                Some(number) => Ok(MirroredContext(number)),
                None => Err(place.and_then(|place| place._context)),
            }
        }
    }

    impl Drop for MirroredContext {
        fn drop(&mut self) {
            let index = usize::from(self.0.get()) - 1;
            let take = |all: &RefCell<Vec<Option<Place>>>| {
                let mut all = all.borrow_mut();
                let place = all.get_mut(index).and_then(Option::take);
                while let Some(None) = all.last() {
                    all.pop();
                }
                place
            };
            // Outside of the list: its subscriber is called.
            drop(PLACES.try_with(take));
        }
    }

    enum Answer {
        Unasked,
        Asked,
        Recording(Arc<Recording>),
    }

    thread_local! {
        static ANSWER: RefCell<Answer> = const { RefCell::new(Answer::Unasked) };
    }

    /// Answers with the recording, if it is asked for, and its mirror is open. The first answer holds.
    #[inline]
    pub(crate) fn answer(recording: &Arc<Recording>) {
        let _ = ANSWER.try_with(|answer| {
            let mut answer = answer.borrow_mut();
            if let (Answer::Asked, MirrorState::Open) = (&*answer, recording.mirror.state()) {
                *answer = Answer::Recording(Arc::clone(recording));
            }
        });
    }

    /// The recording of the span of a context, if its mirror is open.
    #[inline]
    pub(crate) fn find(context: &Context) -> Option<Arc<Recording>> {
        if is_used() { ask(context) } else { None }
    }

    #[cold]
    #[inline(never)]
    fn ask(context: &Context) -> Option<Arc<Recording>> {
        ANSWER
            .try_with(|answer| answer.replace(Answer::Asked))
            .ok()?;
        // Another provider's code may run here.
        let _ = unwind::shielded(|| context.span().is_recording());
        match ANSWER.try_with(|answer| answer.replace(Answer::Unasked)) {
            Ok(Answer::Recording(recording)) => Some(recording),
            _ => None,
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use std::sync::Arc;

    use opentelemetry::ContextGuard;

    use crate::span::recording::Recording;

    /// There is none.
    pub(crate) enum EnteredMirror {}

    pub(crate) enum MirroredContext {}

    impl MirroredContext {
        pub(crate) fn keep(
            mirror: EnteredMirror,
            _: Option<ContextGuard>,
        ) -> Result<Self, Option<ContextGuard>> {
            match mirror {}
        }
    }

    #[inline(always)]
    pub(crate) fn answer(_: &Arc<Recording>) {}
}
