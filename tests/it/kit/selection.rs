//! Spans found by name, and from one another.

use enter_span::enter_span;
use enter_span::testing::{RecordedSpan, Recorder};

use super::{child, message};

fn names(spans: &[RecordedSpan]) -> Vec<&str> {
    spans.iter().map(RecordedSpan::name).collect()
}

/// Looking for a span that is not there shows the tree.
#[test]
fn a_missing_span_is_named() {
    let text = message(|| {
        Recorder::new().run(|| child(1)).find("parent");
    });
    assert!(text.contains("no span `parent`"), "{text}");
    assert!(text.contains("child id=1"), "{text}");
}

/// One name finds the first of its spans, or all of them.
#[test]
fn spans_are_found_by_name() {
    let trace = Recorder::new().run(|| {
        child(1);
        enter_span("between", |_| child(2));
    });
    assert_eq!(trace.find("child").attribute("id"), Some(1.into()));
    let ids: Vec<_> = trace.find_all("child").map(|c| c.attribute("id")).collect();
    assert_eq!(ids, [Some(1.into()), Some(2.into())]);
    assert_eq!(trace.find_all("chil").count(), 0);
}

/// From a span the way leads up, and down.
#[test]
fn spans_know_their_parent_and_children() {
    let trace = Recorder::new().run(|| {
        enter_span("parent", |_| {
            child(1);
            enter_span("other", |_| child(2));
        });
        enter_span("second", |_| ());
    });
    let parent = trace.find("parent");
    assert_eq!(names(&parent.children()), ["child", "other"]);
    assert_eq!(names(&trace.roots()), ["parent", "second"]);
    let other = trace.find("other");
    let above = other.parent().expect("a parent");
    assert_eq!(above.span_id(), parent.span_id());
    assert!(parent.is_root() && !other.is_root());
    assert!(parent.parent().is_none());
    assert!(trace.find("second").children().is_empty());
}

/// A span whose parent was recorded elsewhere is at the top of this tree, and no root of its trace.
#[test]
fn a_span_below_another_process_is_no_root() {
    let remote = Recorder::new().run(|| enter_span("remote", |_| ()));
    let parent = remote.find("remote").span_context();
    let trace = Recorder::new().run(|| enter_span::in_span!("here", parent = parent, |_| ()));
    let here = &trace.roots()[0];
    assert!(here.parent().is_none());
    assert_eq!(here.parent_id(), Some(parent.span_id()));
    assert!(!here.is_root());
}

/// A trace, and a span of it, stay as they were when they were taken.
#[test]
fn a_trace_does_not_change() {
    let recorder = Recorder::new();
    let (trace, span) = recorder.enter(|| {
        enter_span("outer", |_| {
            let trace = recorder.trace();
            let span = trace.find("outer").clone();
            child(1);
            (trace, span)
        })
    });
    trace.assert_tree("outer (open)");
    assert!(!span.is_ended() && span.children().is_empty());
    recorder.trace().assert_tree("outer\n  child id=1");
}
