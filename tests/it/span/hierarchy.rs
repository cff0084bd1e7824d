//! Parents and children: who is found, and in which order.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll, Waker};
use std::thread;

use enter_span::testing::{Recorder, RecorderProvider};
use enter_span::{Span, enter_span, enter_span_async};
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};

use crate::support::check::{block_on, check, check_async};

#[enter_span(attributes(case = "nestedEnterSpan", role = "outer"))]
fn hierarchy_outer() -> &'static str {
    hierarchy_inner()
}

#[enter_span(attributes(role = "inner"))]
fn hierarchy_inner() -> &'static str {
    "ok"
}

/// A span inside of a span is its child, and the value passes through both.
#[test]
fn a_nested_span_is_a_child() {
    check(
        || assert_eq!(hierarchy_outer(), "ok"),
        "
        hierarchy_outer case=nestedEnterSpan role=outer
          hierarchy_inner role=inner
        ",
    );
}

#[enter_span(attributes(case = "nestedEnterSpanAsync"))]
async fn async_outer() -> &'static str {
    tokio::task::yield_now().await;
    async_inner().await
}

#[enter_span]
async fn async_inner() -> &'static str {
    tokio::task::yield_now().await;
    "ok"
}

/// The parent survives a yield.
#[test]
fn a_nested_async_span_is_a_child() {
    check_async(
        async { assert_eq!(async_outer().await, "ok") },
        "
        async_outer case=nestedEnterSpanAsync
          async_inner
        ",
    );
}

/// And a change of thread, which a future that is polled on three threads makes certain.
#[test]
fn the_parent_survives_a_change_of_thread() {
    let recorder = Recorder::new();
    let mut work: Pin<Box<dyn Future<Output = &str> + Send + '_>> =
        Box::pin(recorder.enter_async(async_outer()));
    let mut poll_elsewhere = || {
        thread::scope(|scope| {
            let poll = || {
                work.as_mut()
                    .poll(&mut task::Context::from_waker(Waker::noop()))
            };
            scope.spawn(poll).join().expect("the thread that polls")
        })
    };
    assert_eq!(poll_elsewhere(), Poll::Pending);
    assert_eq!(poll_elsewhere(), Poll::Pending);
    assert_eq!(poll_elsewhere(), Poll::Ready("ok"));
    recorder.trace().assert_tree(
        "
        async_outer case=nestedEnterSpanAsync
          async_inner
        ",
    );
}

/// A client that is instrumented by hand, through OpenTelemetry's own API.
async fn fetch(provider: &RecorderProvider) -> u16 {
    let tracer = provider.tracer("client");
    let span = tracer.span_builder("fetch").start(&tracer);
    let context = Context::current_with_span(span);
    tokio::task::yield_now().await;
    context.span().set_attribute(KeyValue::new("status", 200));
    context.span().end();
    200
}

/// Other people's spans inside of ours are our children.
#[test]
fn a_foreign_client_inside_of_a_span_is_its_child() {
    let recorder = Recorder::new();
    let provider = recorder.tracer_provider();
    let work = enter_span_async("hierarchy-fetch-outer", |_| fetch(&provider));
    let trace = block_on(recorder.run_async(work));
    trace.assert_tree(
        "
        hierarchy-fetch-outer
          fetch status=200
        ",
    );
}

/// Of nested spans, the innermost one is the parent.
#[test]
fn a_foreign_client_belongs_to_the_innermost_span() {
    let recorder = Recorder::new();
    let provider = recorder.tracer_provider();
    let work = enter_span_async("hierarchy-deep-outer", |_| {
        enter_span_async("hierarchy-deep-inner", |_| fetch(&provider))
    });
    let trace = block_on(recorder.run_async(work));
    trace.assert_tree(
        "
        hierarchy-deep-outer
          hierarchy-deep-inner
            fetch status=200
        ",
    );
}

/// Ours below theirs: the foreign span is the parent, and both stand in one trace.
#[test]
fn a_span_below_a_foreign_one_is_its_child() {
    let recorder = Recorder::new();
    let tracer = recorder.tracer_provider().tracer("server");
    let trace = recorder.run(|| {
        tracer.in_span("request", |context| {
            hierarchy_inner();
            context.span().end();
        });
    });
    trace.assert_tree(
        "
        request
          hierarchy_inner role=inner
        ",
    );
    let request = trace.find("request").span_context().trace_id();
    assert_eq!(
        request,
        trace.find("hierarchy_inner").span_context().trace_id()
    );
}

/// What comes after a span is its sibling, not its child.
#[test]
fn consecutive_spans_are_siblings() {
    check(
        || {
            enter_span("root", |_| {
                enter_span("hierarchy-sibling-a", |_| ());
                enter_span("hierarchy-sibling-b", |_| ());
            });
        },
        "
        root
          hierarchy-sibling-a
          hierarchy-sibling-b
        ",
    );
}

/// A child that starts after its parent's end still has the right parent.
#[test]
fn a_child_made_after_its_parents_end_keeps_it_as_parent() {
    let trace = Recorder::new().run(|| {
        let mut kept = None;
        enter_span("parent", |span| kept = Some(span));
        late_child(&kept.expect("the handle"));
    });
    trace.assert_tree(
        "
        parent
          late_child
        ",
    );
}

#[enter_span(parent = parent)]
fn late_child(parent: &Span) {
    assert!(!parent.is_traced());
    assert!(parent.span_context().is_valid());
}

/// The same through a captured context, which holds the identity and not the recording.
#[test]
fn a_context_outlives_its_span() {
    check(
        || {
            let captured = enter_span("parent", |_| Context::current());
            let _attached = captured.attach();
            hierarchy_inner();
        },
        "
        parent
          hierarchy_inner role=inner
        ",
    );
}

/// Parent and child stand in one trace; two roots do not.
#[test]
fn a_trace_has_one_id() {
    let trace = check(
        || {
            hierarchy_outer();
            hierarchy_inner();
        },
        "
        hierarchy_outer case=nestedEnterSpan role=outer
          hierarchy_inner role=inner
        hierarchy_inner role=inner
        ",
    );
    let ids: Vec<_> = trace
        .spans()
        .iter()
        .map(|span| span.span_context().trace_id())
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}
