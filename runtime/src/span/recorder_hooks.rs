//! What the recorder of tests learns of spans that it does not record.
//!
//! `testing/` is above this room and registers what it wants to know. Without the feature `testing`
//! all of this is empty.

#[cfg(not(feature = "testing"))]
pub(crate) use disabled::{LeafMark, is_recorder_alive, started};
#[cfg(feature = "testing")]
pub(crate) use enabled::{LeafMark, LostSpans, is_recorder_alive, register, started};

#[cfg(feature = "testing")]
mod enabled {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use opentelemetry::Context;

    use crate::backend::context_backend::ContextBackend;
    use crate::backend::site::Site;

    /// Keeps the names of spans that no recorder got.
    pub(crate) trait LostSpans: Sync {
        /// Whether a recorder lives, on whatever thread.
        fn is_recorder_alive(&self) -> bool;

        /// A span started that no recorder gets: the process's own backend records it, or nothing.
        fn add(&self, name: &str, is_recorded: bool);
    }

    static LOST_SPANS: OnceLock<&'static dyn LostSpans> = OnceLock::new();

    thread_local! {
        /// The leaf whose body runs on this thread.
        static LEAF: Cell<Option<&'static Site>> = const { Cell::new(None) };
    }

    /// The first call counts.
    pub(crate) fn register(lost_spans: &'static dyn LostSpans) {
        let _ = LOST_SPANS.set(lost_spans);
    }

    pub(crate) fn is_recorder_alive() -> bool {
        LOST_SPANS
            .get()
            .is_some_and(|lost| lost.is_recorder_alive())
    }

    /// A span starts below `parent`.
    pub(crate) fn started(parent: &Context, name: &str, is_recorded: bool) {
        match (ContextBackend::of(parent), LOST_SPANS.get()) {
            (Some(backend), _) if is_recorded => report_leaf(&backend, name),
            (_, Some(lost_spans)) => lost_spans.add(name, is_recorded),
            (_, None) => {}
        }
    }

    fn report_leaf(backend: &ContextBackend, name: &str) {
        if let Some(leaf) = LEAF.try_with(Cell::get).ok().flatten() {
            if let Some(observer) = backend.observer() {
                observer.hidden(leaf.name(), name);
            }
        }
    }

    /// While this lives, the body of a leaf runs on this thread. Keeps the leaf that ran before.
    #[derive(Default)]
    pub(crate) struct LeafMark(Option<Option<&'static Site>>);

    impl LeafMark {
        pub(crate) fn enter(site: &'static Site) -> Self {
            LeafMark(LEAF.try_with(|leaf| leaf.replace(Some(site))).ok())
        }
    }

    impl Drop for LeafMark {
        fn drop(&mut self) {
            if let Some(before) = self.0 {
                // A dying thread has no leaf left to restore.
                let _ = LEAF.try_with(|leaf| leaf.set(before));
            }
        }
    }
}

#[cfg(not(feature = "testing"))]
mod disabled {
    use opentelemetry::Context;

    use crate::backend::site::Site;

    pub(crate) fn is_recorder_alive() -> bool {
        false
    }

    pub(crate) fn started(_: &Context, _: &str, _: bool) {}

    #[derive(Default)]
    pub(crate) struct LeafMark(());

    impl LeafMark {
        pub(crate) fn enter(_: &'static Site) -> Self {
            LeafMark(())
        }
    }
}
