//! The local trace: what belongs to a root, wherever and whenever it ends.

use std::borrow::Borrow;
use std::sync::mpsc;
use std::thread;

use enter_span::{Span, Status, Tracer, enter_span, start_span};
use enter_span_pipeline::{Keep, Pipeline, PipelineBuilder};
use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, Status as OtelStatus, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use super::{caller, names, reasons, rig};
use crate::pipeline::build;

fn fail(span: impl Borrow<Span>) {
    span.borrow().set_status(Status::error(""));
}

/// Two requests of one trace are decided apart, each with its children.
#[test]
fn each_request_of_a_trace_is_decided_for_itself() {
    let rig = rig(Keep::errors());
    let parent = caller(1);
    let first = start_span!("first", tracer = rig.tracer, parent = parent.clone());
    let second = start_span!("second", tracer = rig.tracer, parent = parent);
    first.enter(|| enter_span("of first", |_| {}));
    second.enter(|| enter_span("of second", fail));
    first.enter(|| enter_span("of first", |_| {}));
    drop((first, second));
    let kept = rig.flush();
    assert_eq!(names(&kept), ["of second", "second"]);
}

/// The same where a context is carried to another thread by OpenTelemetry alone.
#[test]
fn a_carried_context_belongs_to_its_own_request() {
    let rig = rig(Keep::errors());
    let parent = caller(1);
    let first = start_span!("first", tracer = rig.tracer, parent = parent.clone());
    let child = first.enter(|| start_span!("child"));
    let context = child.enter(Context::current);
    let second = start_span!("second", tracer = rig.tracer, parent = parent);
    let carried = thread::spawn(move || {
        let _attached = context.attach();
        enter_span("carried", fail);
    });
    carried.join().expect("no panic");
    drop((child, first, second));
    let mut kept = names(&rig.flush());
    kept.sort();
    assert_eq!(kept, ["carried", "child", "first"]);
}

/// A root in a new trace that links to its cause is decided for itself.
#[test]
fn a_linked_root_is_decided_for_itself() {
    let rig = rig(Keep::errors());
    rig.tracer.enter_span("cause", |span| {
        let linked = start_span!("linked", tracer = rig.tracer, root, links(span));
        linked.enter(|| enter_span("failed", fail));
    });
    // It goes from its error on.
    assert_eq!(names(&rig.flush()), ["failed", "linked"]);
}

/// What outlives its root follows the decision, and changes nothing of it.
#[test]
fn what_ends_late_follows() {
    let rig = rig(Keep::with("debug"));
    for key in ["debug", "other"] {
        let root = start_span!("root", tracer = rig.tracer, root);
        root.set_attribute(key, true);
        let late = root.enter(|| start_span!("late"));
        let context = late.enter(Context::current);
        drop(root);
        let is_kept = key == "debug";
        assert_eq!(rig.flush().len(), usize::from(is_kept));
        late.set_attribute("debug", true);
        // The root is not open any more, and this thread has never seen its child.
        let below = thread::spawn(move || {
            let _attached = context.attach();
            enter_span("below", |_| {});
        });
        below.join().expect("no panic");
        drop(late);
        let mut late = rig.names();
        late.sort();
        let expected: &[&str] = if is_kept { &["below", "late"] } else { &[] };
        assert_eq!(late, expected);
    }
    assert_eq!(rig.pipeline.counts().undecided, 0);
}

/// Spans of OpenTelemetry's tracers are of the same trace as ours, above, between and below.
#[test]
fn other_instrumentation_is_of_the_same_trace() {
    let rig = rig(Keep::errors());
    let other = rig.provider().tracer("other");
    let start = |name| other.start_with_context(name, &Context::current());
    for is_failed in [false, true] {
        // Theirs, ours, theirs, theirs, ours.
        let outer = Context::current_with_span(other.start_with_context("outer", &Context::new()));
        let attached = outer.clone().attach();
        let ours = start_span!("ours", tracer = rig.tracer);
        ours.enter(|| {
            let between = Context::current_with_span(start("between"));
            let _between = between.attach();
            let inner = Context::current_with_span(start("inner"));
            let context = inner.clone();
            let _inner = inner.attach();
            let elsewhere = thread::spawn(move || {
                let _attached = context.attach();
                enter_span("innermost", |span| {
                    if is_failed {
                        fail(span);
                    }
                });
            });
            elsewhere.join().expect("no panic");
        });
        drop((ours, attached));
        outer.span().end();
        drop(outer);
        let mut kept = rig.names();
        kept.sort();
        let expected: &[&str] = if is_failed {
            &["between", "inner", "innermost", "ours", "outer"]
        } else {
            &[]
        };
        assert_eq!(kept, expected);
    }
    assert_eq!(rig.pipeline.counts().undecided, 0);
}

/// A span of theirs has ended before ours starts below it, on a thread that knows nothing of it.
#[test]
fn what_is_below_a_span_that_has_ended_finds_its_root() {
    let rig = rig(Keep::errors());
    let other = rig.provider().tracer("other");
    let root = Context::new().with_span(other.start_with_context("root", &Context::new()));
    let middle = root.with_span(other.start_with_context("middle", &root));
    middle.span().end();
    // Only its identity is left.
    let identity = middle.span().span_context().clone();
    let carried = Context::new().with_remote_span_context(identity);
    let below = start_span!("below", tracer = rig.tracer, parent = carried);
    fail(&*below);
    drop(below);
    root.span().set_status(OtelStatus::Unset);
    root.span().end();
    let mut kept = rig.names();
    kept.sort();
    assert_eq!(kept, ["below", "middle", "root"]);
    assert_eq!(rig.pipeline.counts().undecided, 0);
}

/// The same while its context is left, and another root of its trace is open: nothing is guessed.
#[test]
fn what_is_below_an_ended_span_of_a_tracer_has_its_root() {
    let rig = rig(Keep::errors());
    let other = rig.provider().tracer("other");
    let parent = caller(1);
    let first = start_span!("first", tracer = rig.tracer, parent = parent.clone());
    let context = first.enter(Context::current);
    let middle = context.with_span(other.start_with_context("middle", &context));
    let second = start_span!("second", tracer = rig.tracer, parent = parent);
    middle.span().end();
    let below = thread::spawn(move || {
        let _attached = middle.attach();
        enter_span("below", fail);
    });
    below.join().expect("no panic");
    drop((first, second));
    let mut kept = rig.names();
    kept.sort();
    assert_eq!(kept, ["below", "first", "middle"]);
    assert_eq!(rig.pipeline.counts().undecided, 0);
}

/// So is one below an ended span of another provider, whose memory a span of this pipeline had before.
#[test]
fn a_span_below_an_ended_one_of_another_provider_is_a_root() {
    let rig = rig(Keep::errors());
    let sdk = Tracer::new(SdkTracerProvider::builder().build(), "it");
    rig.tracer.enter_span("before", |_| {});
    let theirs = sdk.enter_span("theirs", |_| Context::current());
    let tracer = rig.provider().tracer("other");
    let below = thread::spawn(move || tracer.start_with_context("below", &theirs).end());
    below.join().expect("no panic");
    rig.flush();
    let counts = rig.pipeline.counts();
    assert_eq!((counts.not_kept, counts.undecided), (2, 0));
}

/// In the order of their starts, whichever ended first and wherever.
#[test]
fn what_is_kept_comes_in_the_order_of_time() {
    let rig = rig(Keep::all());
    let root = start_span!("0", tracer = rig.tracer, root);
    let (sends, receives) = mpsc::channel();
    let first = root.enter(|| start_span!("1"));
    let second = first.enter(|| start_span!("2"));
    let elsewhere = thread::spawn(move || {
        let second: enter_span::OwnedSpan = receives.recv().expect("a span");
        second.enter(|| enter_span("3", |_| {}));
        drop(second);
    });
    sends.send(second).expect("it waits");
    elsewhere.join().expect("no panic");
    root.enter(|| enter_span("4", |span| _ = span.set_attribute("k", "v")));
    drop(root);
    drop(first);
    let kept = rig.flush();
    assert_eq!(names(&kept), ["0", "1", "2", "3", "4"]);
    assert_eq!(reasons(&kept)[0].1.as_deref(), Some("fraction"));
    assert!(
        reasons(&kept)[1..]
            .iter()
            .all(|(_, reason)| reason.is_none())
    );
    assert_eq!(kept[4].attributes, [opentelemetry::KeyValue::new("k", "v")]);
}

/// A span below one of another pipeline is a local root: the other one's end never comes here. So is what the other
/// one records below it.
#[test]
fn a_span_below_one_of_another_pipeline_is_a_root() {
    for outer in [None, Some(Keep::all())] {
        let rig = rig(Keep::errors());
        let builder = Pipeline::builder().with_exporter(InMemorySpanExporter::default());
        let builder = outer.into_iter().fold(builder, PipelineBuilder::with_keep);
        let other = build(builder);
        other.tracer("it").enter_span("request", |_| {
            rig.tracer.enter_span("job", |_| enter_span("step", |_| {}));
            rig.flush();
            let counts = rig.pipeline.counts();
            assert_eq!((counts.not_kept, counts.undecided), (2, 0));
            assert_eq!(counts.keep.not_kept, 1);
        });
    }
}
