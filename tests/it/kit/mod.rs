//! The testing kit itself: what it finds, and that it can fail.

mod assertion;
mod comparison;
mod redaction;
mod selection;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use enter_span::testing::{Recorder, exclusive, unclaimed};
use enter_span::{Context, enter_span};

use crate::support::check::check;
use crate::support::child::is_child;

fn message(work: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("a panic");
    payload
        .downcast_ref::<String>()
        .cloned()
        .expect("a message")
}

#[enter_span(attributes(id))]
fn child(id: u8) {}

/// Text that could be misread is quoted.
#[test]
fn values_are_quoted_where_they_need_it() {
    check(
        || {
            enter_span("quoted", |span| {
                span.set_attribute("blank", "a b");
                span.set_attribute("empty", "");
                span.set_attribute("line", "a\nb");
                span.set_attribute("plain", "a=b");
                span.set_attribute("list", ["a", "b"]);
            });
        },
        r#"quoted blank="a b" empty="" line="a\nb" plain=a=b list=["a","b"]"#,
    );
}

/// Pain 29: recorders of one process do not see each other's spans.
#[test]
fn recorders_are_apart() {
    let (first, second) = (Recorder::new(), Recorder::new());
    first.run(|| {
        child(1);
        second.run(|| child(2)).assert_tree("child id=2");
        child(3);
    });
    first.trace().assert_tree("child id=1\nchild id=3");
}

/// A thread that was given the context is recorded.
#[test]
fn the_context_carries_the_recorder_to_a_thread() {
    #[enter_span(parent = parent)]
    fn elsewhere(parent: Context) {
        child(1);
    }
    let trace = Recorder::new().run(|| {
        enter_span("here", |span| {
            let context = span.context();
            thread::spawn(move || elsewhere(context))
                .join()
                .expect("a thread that ends well");
        });
    });
    trace.assert_tree(
        "
        here
          elsewhere
            child id=1
        ",
    );
    trace.assert_no_orphans();
}

/// A span that lost its context on the recorder's own thread is caught.
#[test]
fn a_lost_span_is_an_orphan() {
    let recorder = Recorder::new();
    child(1);
    let trace = recorder.trace();
    trace.assert_tree("orphan child");
    let text = message(|| trace.assert_no_orphans());
    assert!(text.contains("without a context: child"), "{text}");
}

/// On another thread it could be a neighbour's, so only a test that is alone fails for it.
#[test]
fn a_lost_span_elsewhere_is_unclaimed() {
    // Tests beside it lose spans of their own, and leak recorders.
    if !is_child("kit::a_lost_span_elsewhere_is_unclaimed") {
        return;
    }
    let alone = exclusive();
    let recorder = Recorder::new();
    let lost = || enter_span("lost elsewhere", |_| ());
    thread::spawn(lost).join().expect("a thread that ends well");
    assert_eq!(unclaimed(), ["lost elsewhere"]);
    let text = message(|| recorder.trace().assert_no_orphans());
    assert!(text.contains("lost elsewhere"), "{text}");
    drop(alone);
    recorder.trace().assert_no_orphans();
}

/// A leaf hides what runs below it, and the recorder says so.
#[test]
fn a_call_below_a_leaf_is_reported() {
    #[enter_span(leaf)]
    fn leaf() {
        child(1);
    }
    check(
        || enter_span("outer", |_| leaf()),
        "
        outer
          leaf
          child id=1
        under leaf: child
        ",
    );
}

/// A parent that was sent and received again is drawn as the parent that it is, and so is a link.
#[test]
fn a_remote_parent_that_was_recorded_is_drawn() {
    use opentelemetry::trace::{SpanContext as Identity, TraceContextExt as _};
    #[enter_span(parent = sent, kind = server)]
    fn serve(sent: &Identity) {}
    #[enter_span(root, links(sent))]
    fn later(sent: &Identity) {}
    let received = |sent: &Identity| {
        let (trace, span) = (sent.trace_id(), sent.span_id());
        Identity::new(
            trace,
            span,
            sent.trace_flags(),
            true,
            sent.trace_state().clone(),
        )
    };
    check(
        || {
            enter_span("call\nit", |_| {
                let current = opentelemetry::Context::current();
                let sent = received(current.span().span_context());
                serve(&sent);
                later(&sent);
            });
        },
        r"
        call\nit
          serve [server]
        later ^call\nit
        ",
    );
}

/// A span that has not ended is shown as open.
#[test]
fn an_open_span_is_shown() {
    let recorder = Recorder::new();
    let seen = recorder.enter(|| enter_span("open", |_| recorder.trace().tree()));
    assert_eq!(seen, "open (open)");
    recorder.trace().assert_tree("open");
}
