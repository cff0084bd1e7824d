// What the recipes of the guides share; it stands hidden in each of them.

pub(crate) use std::future::Future;

pub(crate) use enter_span::enter_span;
use enter_span::testing::Recorder;

#[track_caller]
pub(crate) fn check<R>(work: impl FnOnce() -> R, tree: &str) {
    Recorder::new().run(work).assert_tree(tree);
}

#[track_caller]
pub(crate) fn check_async<F: Future>(work: F, tree: &str) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let trace = runtime.block_on(Recorder::new().run_async(work));
    trace.assert_tree(tree);
}
