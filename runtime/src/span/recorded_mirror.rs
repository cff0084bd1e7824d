//! The mirror of a recording, where each scope and each context of its span finds it.
//!
//! The scope that ends the span has a share in its mirror, and so has each that enters it by a context. The last share
//! that goes closes it. After the end of its span it is not entered any more. Without the feature `tracing` all of this
//! is empty.

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::RecordedMirror;
#[cfg(feature = "tracing")]
pub(crate) use enabled::{MirrorState, RecordedMirror, is_used};

#[cfg(feature = "tracing")]
mod enabled {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use crate::mirror::span::MirrorSpan;

    pub(crate) struct RecordedMirror {
        /// How many shares there are, and the flags below.
        state: AtomicU32,
        /// Values that it still takes: formatters append each of them.
        room: AtomicU32,
        /// No subscriber is called under this lock.
        span: Mutex<Option<MirrorSpan>>,
    }

    const OPEN: u32 = 1 << 30;

    /// Nobody wanted it, or its span has ended.
    const CLOSED: u32 = 1 << 31;

    const SHARES: u32 = OPEN - 1;

    /// No subscriber was asked, and only the scope of the span has it.
    const UNASKED: u32 = 1;

    /// Values that a mirror takes after its start.
    const MOST_RECORDED: u32 = 128;

    #[derive(Clone, Copy)]
    pub(crate) enum MirrorState {
        Unasked,
        Open,
        Closed,
    }

    /// Whether there ever was a mirror.
    static IS_USED: AtomicBool = AtomicBool::new(false);

    #[inline]
    pub(crate) fn is_used() -> bool {
        IS_USED.load(Ordering::Relaxed)
    }

    impl RecordedMirror {
        pub(crate) const fn new() -> Self {
            RecordedMirror {
                state: AtomicU32::new(UNASKED),
                room: AtomicU32::new(MOST_RECORDED),
                span: Mutex::new(None),
            }
        }

        /// Another span starts in its recording, in one scope.
        #[inline(always)]
        pub(crate) fn reset(&mut self) {
            if *self.state.get_mut() != UNASKED {
                self.reset_used();
            }
        }

        #[cold]
        #[inline(never)]
        fn reset_used(&mut self) {
            self.close_left();
            *self.state.get_mut() = UNASKED;
            *self.room.get_mut() = MOST_RECORDED;
        }

        /// That of a scope which was dropped, and did not end.
        fn close_left(&mut self) {
            let span = self.span.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Some(span) = span.take() {
                span.close();
            }
        }

        #[inline]
        pub(crate) fn state(&self) -> MirrorState {
            let state = self.state.load(Ordering::Relaxed);
            if state & CLOSED != 0 {
                MirrorState::Closed
            } else if state & OPEN != 0 {
                MirrorState::Open
            } else {
                MirrorState::Unasked
            }
        }

        /// Keeps what came of a start, unless another thread was first; and gives what holds.
        pub(crate) fn keep(&self, started: Option<MirrorSpan>) -> Option<MirrorSpan> {
            if !is_used() {
                IS_USED.store(true, Ordering::Relaxed);
            }
            let Some(started) = started else {
                self.leave_unasked(CLOSED);
                return self.span();
            };
            let mut own = self.lock();
            if self.leave_unasked(OPEN) {
                let borrowed = started.borrowed();
                *own = Some(started);
                return Some(borrowed);
            }
            drop(own);
            started.close();
            self.span()
        }

        /// Says whether it was unasked.
        fn leave_unasked(&self, flag: u32) -> bool {
            let is_unasked = |state: u32| state & (OPEN | CLOSED) == 0;
            let next = |state: u32| is_unasked(state).then_some(state | flag);
            let state = &self.state;
            let left = state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
            left.is_ok()
        }

        /// For who has a share.
        pub(crate) fn span(&self) -> Option<MirrorSpan> {
            match self.state() {
                MirrorState::Open => self.lock().as_ref().map(MirrorSpan::borrowed),
                MirrorState::Unasked | MirrorState::Closed => None,
            }
        }

        /// The same, if it takes another value. Relaxed is enough: it only counts.
        pub(crate) fn with_room(&self) -> Option<MirrorSpan> {
            let less = |room: u32| room.checked_sub(1);
            let room = &self.room;
            let changed = room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            self.span().filter(|_| changed.is_ok())
        }

        /// For who comes by a context, if it is open.
        pub(crate) fn try_share(&self) -> bool {
            let is_open = |state: u32| state & (OPEN | CLOSED) == OPEN;
            let more = |state: u32| is_open(state).then_some(state + 1);
            let state = &self.state;
            let shared = state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
            shared.is_ok()
        }

        /// Its span ends.
        #[inline]
        pub(crate) fn close(&self) {
            if is_used() {
                self.close_used();
            }
        }

        #[cold]
        #[inline(never)]
        fn close_used(&self) {
            self.state.fetch_or(CLOSED, Ordering::Relaxed);
            self.release();
        }

        /// A share goes. What others did with theirs comes before the end of the last one.
        pub(crate) fn release(&self) {
            let before = self.state.fetch_sub(1, Ordering::AcqRel);
            if before & SHARES == 1 {
                let span = self.lock().take();
                // Outside of the lock: its subscriber is called.
                if let Some(span) = span {
                    span.close();
                }
            }
        }

        #[inline]
        fn lock(&self) -> MutexGuard<'_, Option<MirrorSpan>> {
            self.span.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Drop for RecordedMirror {
        fn drop(&mut self) {
            self.close_left();
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
    }
}
