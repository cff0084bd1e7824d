//! Spans of all kinds, each below the one around it.

use std::sync::mpsc;
use std::thread;

use enter_span::ClosureInSpan;
use enter_span::testing::Recorder;
use enter_span::{Span, enter_span, enter_span_async, in_span, span_id, start_span};
use futures::join;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use tokio::task::yield_now;
use tracing::dispatcher::{get_default, with_default};
use tracing::{Instrument as _, info_span, instrument};

use super::{dispatch, record, record_async};

#[enter_span]
fn ours() {}

#[instrument]
fn theirs(depth: u8) {
    if depth > 0 {
        in_span!("between", |_| theirs(depth - 1));
    }
}

/// Each is the other's parent and child.
#[test]
fn spans_of_both_kinds_nest() {
    record(|| in_span!("request", |_| theirs(1))).assert_tree(
        "
        request
          theirs depth=1
            between
              theirs depth=0
        ",
    );
}

/// A span by OpenTelemetry's own API is one of the tree, on both sides.
#[test]
fn opentelemetrys_spans_nest_too() {
    let recorder = Recorder::new();
    let tracer = recorder.tracer_provider().tracer("raw");
    let trace = with_default(&dispatch(), || {
        recorder.run(|| {
            info_span!("outer").in_scope(|| tracer.in_span("raw", |_| theirs(0)));
        })
    });
    trace.assert_tree("outer\n  raw\n    theirs depth=0");
}

/// What is current in a span of `tracing` is that span, for the API of `enter-span` too.
#[test]
fn the_current_span_is_the_entered_one() {
    let trace = record(|| {
        info_span!("entered").in_scope(|| {
            Span::current().set_attribute("by", "us");
        });
    });
    trace.assert_tree("entered by=us");
}

#[instrument]
async fn polled(name: &'static str) {
    ours();
    yield_now().await;
    in_span!("second", |_| yield_now()).await;
    ours();
}

/// Two futures take turns on one thread, and each keeps its own spans.
#[test]
fn futures_that_take_turns_keep_their_spans() {
    let trace = record_async(enter_span_async("request", async |_: Span| {
        join!(
            polled("a"),
            polled("b").instrument(info_span!("around")),
            enter_span_async("beside", async |_: Span| polled("c").await),
        );
    }));
    let polled = |name: &str, indent: &str| {
        format!("{indent}polled name={name}\n{indent}  ours\n{indent}  ours\n{indent}  second\n")
    };
    trace.sorted().assert_tree(&format!(
        "request\n  around\n{}  beside\n{}{}",
        polled("b", "    "),
        polled("c", "    "),
        polled("a", "  "),
    ));
}

/// A task is in the span that it is instrumented with, as it was before: also when the span's handle is all that
/// it has of its maker.
#[test]
fn an_instrumented_task_is_in_its_span() {
    let trace = record_async(async {
        let task = info_span!("request").in_scope(|| {
            let current = tracing::Span::current();
            tokio::spawn(async { ours() }.instrument(current))
        });
        task.await.expect("a task");
        let task = in_span!("ours around", |_| {
            tokio::spawn(async { ours() }.instrument(info_span!("task")))
        });
        task.await.expect("a task");
    });
    trace.assert_tree("request\n  ours\nours around\n  task\n    ours");
}

/// A task without a span is no part of the tree, of whatever kind its spans are.
#[test]
fn a_task_without_a_span_is_lost() {
    let trace = record_async(async {
        info_span!("request")
            .in_scope(|| {
                tokio::spawn(async {
                    ours();
                    theirs(0);
                })
            })
            .await
            .expect("a task");
    });
    trace.assert_tree("request\norphan ours\norphan theirs");
}

/// An explicit parent comes before what is current, and `None` is a root.
#[test]
fn an_explicit_parent_is_the_parent() {
    let trace = record(|| {
        let other = info_span!("other");
        in_span!("request", |_| {
            info_span!(parent: &other, "below other").in_scope(ours);
            info_span!(parent: None, "root").in_scope(ours);
            ours();
        });
    });
    trace.assert_tree(
        "
        other
          below other
            ours
        request
          ours
        root
          ours
        ",
    );
}

/// What follows from a span is linked to it.
#[test]
fn what_follows_is_linked() {
    let trace = record(|| {
        let cause = info_span!("cause");
        let effect = info_span!(parent: None, "effect");
        effect.follows_from(&cause);
    });
    trace.assert_tree("cause\neffect ^cause");
}

/// The span that was left stays left, and the other stays current.
#[test]
fn spans_may_be_left_in_any_order() {
    let trace = record(|| {
        let first = info_span!("first").entered();
        let second = info_span!("second").entered();
        drop(first);
        ours();
        drop(second);
        ours();
    });
    trace.assert_tree("first\n  second\n    ours\nours");
}

/// A span that is entered again inside of itself is current until it was left as often.
#[test]
fn a_span_may_be_entered_again() {
    let trace = record(|| {
        let span = info_span!("span");
        span.in_scope(|| {
            in_span!("between", |_| span.in_scope(ours));
            ours();
        });
        span.in_scope(ours);
        ours();
    });
    trace.assert_tree(
        "
        span
          between
          ours
          ours
          ours
        ours
        ",
    );
}

/// It ends with its last handle, and not when it is left.
#[test]
fn a_span_ends_with_its_last_handle() {
    let recorder = Recorder::new();
    with_default(&dispatch(), || {
        recorder.enter(|| {
            let span = info_span!("span");
            let clone = span.clone();
            span.in_scope(ours);
            drop(span);
            assert!(!recorder.trace().find("span").is_ended());
            clone.record("late", 1);
            drop(clone);
            assert!(recorder.trace().find("span").is_ended());
        });
    });
}

/// A span may be entered on several threads, at the same time too, and close on any.
#[test]
fn a_span_is_entered_on_other_threads() {
    let trace = record(|| {
        let span = info_span!("span");
        let dispatch = get_default(Clone::clone);
        let (entered, has_entered) = mpsc::channel();
        thread::scope(|threads| {
            let (moved, dispatch) = (span.clone(), &dispatch);
            threads.spawn(move || {
                with_default(dispatch, || {
                    moved.in_scope(|| {
                        entered.send(span_id()).expect("who waits");
                        theirs(0);
                    });
                    drop(moved);
                });
            });
            span.in_scope(|| {
                assert_eq!(has_entered.recv().expect("a thread"), span_id());
                ours();
            });
            drop(span);
        });
    });
    trace.sorted().assert_tree("span\n  ours\n  theirs depth=0");
    assert!(trace.find("span").is_ended());
}

/// Inside of a span that its owner holds, and of a closure that carries one.
#[test]
fn spans_that_are_carried_are_parents() {
    let trace = record(|| {
        let owned = start_span!("owned");
        owned.enter(|| theirs(0));
        let carried =
            info_span!("carrier").in_scope(|| ClosureInSpan::in_current_span(|| theirs(0)));
        carried();
    });
    trace.assert_tree("owned\n  theirs depth=0\ncarrier\n  theirs depth=0");
}
