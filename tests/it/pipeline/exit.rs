//! The end of a process, with a pipeline that nobody drops. Here with `unsafe`, for what runs at exit.
#![expect(unsafe_code, reason = "Rust has no code of its own that runs at exit")]

use std::cell::RefCell;
use std::sync::OnceLock;

use enter_span::{OwnedSpan, enter_span, start_span};
use enter_span_pipeline::Pipeline;
use opentelemetry_sdk::trace::InMemorySpanExporter;

use crate::pipeline::{AGES, finished, in_memory};
use crate::support::child::is_child;

static NEVER_DROPPED: OnceLock<(Pipeline, InMemorySpanExporter)> = OnceLock::new();

thread_local! {
    static KEPT: RefCell<Option<OwnedSpan>> = const { RefCell::new(None) };
}

/// Runs on the main thread, after the destructors of its thread-locals.
extern "C" fn at_exit() {
    let is_right = NEVER_DROPPED.get().is_some_and(|(pipeline, exporter)| {
        enter_span("at exit", |_| {});
        let is_flushed = pipeline.flush(AGES).is_ok();
        let mut names: Vec<_> = finished(exporter)
            .into_iter()
            .map(|span| span.name)
            .collect();
        names.sort();
        is_flushed && names == ["at exit", "before", "kept"]
    });
    if !is_right {
        // SAFETY: it ends the process.
        unsafe { nix::libc::_exit(1) }
    }
}

/// A pipeline in a `static`: a span in a thread-local's destructor and one that is made when the process
/// exits are exported if it is flushed then.
#[test]
fn spans_at_the_end_of_the_process_are_exported() {
    if !is_child("pipeline::exit::spans_at_the_end_of_the_process_are_exported") {
        return;
    }
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = builder.install().expect("the first");
    assert!(NEVER_DROPPED.set((pipeline, exporter)).is_ok());
    // SAFETY: the function lives as long as the process, and does not unwind: it aborts.
    assert_eq!(unsafe { nix::libc::atexit(at_exit) }, 0);
    KEPT.with_borrow_mut(|kept| *kept = None);
    enter_span("before", |_| {});
    let span = start_span("kept");
    KEPT.with_borrow_mut(|kept| *kept = Some(span));
}
