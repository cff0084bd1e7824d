//! A mirror that is entered: by a scope of its span, or where its context was carried.
//!
//! A context, as a handle has it, knows no more of a span than OpenTelemetry's API. So the span is asked whether it
//! records, and answers with its recording beside that, as it does for its local root. Without the feature `tracing`
//! all of this is empty.

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{EnteredMirror, answer};
#[cfg(feature = "tracing")]
pub(crate) use enabled::{EnteredMirror, answer, find};

#[cfg(feature = "tracing")]
mod enabled {
    use std::cell::RefCell;
    use std::sync::Arc;

    use opentelemetry::Context;
    use opentelemetry::trace::TraceContextExt as _;

    use crate::context::unwind;
    use crate::mirror::span::MirrorSpan;
    use crate::span::recorded_mirror::{MirrorState, is_used};
    use crate::span::recording::Recording;

    /// While this lives, the mirror is entered on this thread. The default enters nothing.
    #[derive(Default)]
    pub(crate) enum EnteredMirror {
        #[default]
        Nothing,
        /// By a scope, whose share it is.
        ByScope(MirrorSpan),
        /// With a share of its own.
        ByContext(Arc<Recording>, Option<MirrorSpan>),
    }

    impl EnteredMirror {
        pub(crate) fn by_scope(span: MirrorSpan) -> Self {
            span.enter();
            EnteredMirror::ByScope(span)
        }

        pub(crate) fn by_context(recording: Arc<Recording>) -> Self {
            if !recording.mirror.try_share() {
                return EnteredMirror::Nothing;
            }
            let span = recording.mirror.span();
            if let Some(span) = &span {
                span.enter();
            }
            EnteredMirror::ByContext(recording, span)
        }
    }

    impl Drop for EnteredMirror {
        #[inline(always)]
        fn drop(&mut self) {
            if !matches!(self, EnteredMirror::Nothing) {
                exit(self);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn exit(entered: &EnteredMirror) {
        match entered {
            EnteredMirror::Nothing => {}
            EnteredMirror::ByScope(span) => span.exit(),
            EnteredMirror::ByContext(recording, span) => {
                if let Some(span) = span {
                    span.exit();
                }
                recording.mirror.release();
            }
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

    use crate::span::recording::Recording;

    #[derive(Default)]
    pub(crate) struct EnteredMirror(());

    #[inline(always)]
    pub(crate) fn answer(_: &Arc<Recording>) {}
}
