//! One call and one tree.

use std::future::Future;

use enter_span::testing::{Recorder, Trace};

/// Runs `work` under a recorder of its own and compares the tree.
#[track_caller]
pub(crate) fn check<R>(work: impl FnOnce() -> R, tree: &str) -> Trace {
    let trace = Recorder::new().run(work);
    trace.assert_tree(tree);
    trace
}

/// The same for a future, on a runtime of one thread.
#[track_caller]
pub(crate) fn check_async<F: Future>(work: F, tree: &str) -> Trace {
    let trace = block_on(Recorder::new().run_async(work));
    trace.assert_tree(tree);
    trace
}

/// A runtime of one thread, with time that stands still unless everything waits.
pub(crate) fn block_on<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread")
        .block_on(work)
}
