//! Bad input: nothing panics, nothing waits, and what is around is as it was.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{mem, thread};

use enter_span::testing::Recorder;
use enter_span::{Context, enter_span, in_span, span_id};
use opentelemetry::trace::TraceContextExt as _;
use tracing::dispatcher::{get_default, with_default};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber, info, info_span};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use super::{dispatch, layer, record, record_by};

#[enter_span]
fn ours() {}

/// A subscriber that counts ids, and knows nothing of its spans.
#[derive(Default)]
struct Bare {
    last: AtomicU64,
    open: Mutex<Vec<u64>>,
}

impl Subscriber for Bare {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        let id = 1 + self.last.fetch_add(1, Ordering::Relaxed);
        self.open.lock().expect("the list").push(id);
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn clone_span(&self, id: &Id) -> Id {
        self.open.lock().expect("the list").push(id.into_u64());
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut open = self.open.lock().expect("the list");
        let at = open.iter().position(|one| *one == id.into_u64());
        at.map(|at| open.swap_remove(at));
        !open.contains(&id.into_u64())
    }
}

fn work() {
    in_span!("request", |_| {
        info_span!("theirs", late = tracing::field::Empty).in_scope(|| {
            tracing::Span::current().record("late", 1);
            info!("event");
            ours();
        });
    });
    assert_eq!(span_id(), None);
}

/// The layer needs no registry.
#[test]
fn a_subscriber_may_have_no_registry() {
    let trace = record_by(Bare::default().with(layer()), work);
    trace.assert_tree("request\n  theirs\n    ours");
    trace.find("theirs").assert_event("event", ());
}

/// Two layers record everything twice, and nothing worse: each span of `tracing` has a copy beside it.
#[test]
fn two_layers_record_twice() {
    let trace = record_by(registry().with(layer()).with(layer()), work);
    trace.assert_tree("request\n  theirs late=1\n  theirs late=1\n    ours");
}

/// Two subscribers on one thread, each with ids of its own that are the other's as well.
#[test]
fn two_subscribers_do_not_mix_their_spans() {
    let (first, second): (Dispatch, Dispatch) = (dispatch(), dispatch());
    let span = |name: &'static str| info_span!("span", name);
    let trace = record_by(first, || {
        let outer = span("outer").entered();
        with_default(&second, || {
            let inner = span("inner").entered();
            span("innermost").in_scope(ours);
            drop(inner);
            assert_eq!(span_id(), Some(current_id(&outer)));
        });
        span("sibling").in_scope(ours);
    });
    trace.assert_tree(
        "
        span name=outer
          span name=inner
            span name=innermost
              ours
          span name=sibling
            ours
        ",
    );
}

fn current_id(_: &tracing::span::EnteredSpan) -> enter_span::SpanId {
    Context::current().span_context().span_id()
}

/// A span that never closes is never exported, and holds nothing up.
#[test]
fn a_span_may_never_close() {
    let recorder = Recorder::new();
    with_default(&dispatch(), || {
        recorder.enter(|| {
            let leaked = info_span!("leaked");
            leaked.in_scope(ours);
            mem::forget(leaked);
        });
    });
    recorder.trace().assert_tree("leaked (open)\n  ours");
}

/// A thread may end inside of a span, and the span closes elsewhere.
#[test]
fn a_thread_may_end_inside_of_a_span() {
    let trace = record(|| {
        let span = info_span!("span");
        let (dispatch, moved) = (get_default(Clone::clone), span.clone());
        let work = move || {
            with_default(&dispatch, || {
                mem::forget(moved.entered());
                ours();
            });
        };
        thread::spawn(work).join().expect("a thread");
        span.in_scope(ours);
    });
    // The entry that was forgotten holds a reference.
    trace.assert_tree("span (open)\n  ours\n  ours");
}

/// A span that closes while a thread is in it, by a subscriber that allows it, leaves that thread when it is left.
#[test]
fn a_span_may_close_while_it_is_entered() {
    let trace = record_by(Bare::default().with(layer()), || {
        let subscriber = get_default(Clone::clone);
        let span = info_span!("span");
        let id = span.id().expect("an id");
        subscriber.enter(&id);
        drop(span);
        ours();
        subscriber.exit(&id);
        subscriber.exit(&id);
        assert_eq!(span_id(), None);
    });
    trace.assert_tree("span\n  ours");
}

/// Exits and closes of what is not known do nothing.
#[test]
fn unknown_ids_do_nothing() {
    let trace = record_by(Bare::default().with(layer()), || {
        let subscriber = get_default(Clone::clone);
        in_span!("request", |span| {
            let id = Id::from_u64(u64::MAX);
            subscriber.exit(&id);
            subscriber.enter(&id);
            subscriber.record_follows_from(&id, &id);
            subscriber.try_close(id.clone());
            info!(parent: id.clone(), "event");
            info_span!(parent: id, "root").in_scope(ours);
            assert_eq!(span_id(), span.span_id());
        });
    });
    trace.assert_tree("request\nroot\n  ours");
}

/// More than the limits allow is counted, and not kept.
#[test]
fn many_fields_are_within_the_limits() {
    use enter_span_pipeline::{Pipeline, SpanLimits};
    let exporter = crate::pipeline::in_memory();
    let limits = SpanLimits::default().with_attributes(3);
    let builder = Pipeline::builder().with_span_limits(limits);
    let pipeline = crate::pipeline::build(builder.with_exporter(exporter.clone()));
    with_default(&dispatch(), || {
        pipeline.tracer("app").enter_span("request", |_| {
            let many = info_span!(
                "many",
                a = 1,
                b = 2,
                c = 3,
                d = 4,
                e = tracing::field::Empty
            );
            for _ in 0..1_000 {
                many.record("e", 5);
            }
        });
    });
    pipeline
        .flush(crate::pipeline::AGES)
        .expect("flushed in time");
    let spans = crate::pipeline::finished(&exporter);
    assert_eq!(spans[0].name, "many");
    assert_eq!(spans[0].attributes.len(), 3);
    assert!(spans[0].dropped_attributes_count >= 2);
}

/// Code that runs while OpenTelemetry lends the context out cannot make another one current. It loses no more.
#[test]
fn a_span_may_be_entered_while_the_context_is_borrowed() {
    if !crate::support::child::is_child(
        "tracing::robust::a_span_may_be_entered_while_the_context_is_borrowed",
    ) {
        return;
    }
    let trace = record(|| {
        in_span!("request", |_| {
            opentelemetry::Context::map_current(|_| {
                info_span!("inside").in_scope(|| info!("event"));
            });
            ours();
        });
    });
    trace.assert_tree("request\n  inside\n  ours");
}

/// A context that other code attaches in a span is current until it is detached.
#[test]
fn other_contexts_come_and_go() {
    let trace = record(|| {
        let other = info_span!("other").in_scope(opentelemetry::Context::current);
        info_span!("span").in_scope(|| {
            let guard = other.clone().attach();
            assert!(opentelemetry::Context::current().has_active_span());
            info_span!("below other").in_scope(ours);
            drop(guard);
            ours();
        });
    });
    trace.assert_tree("other\n  below other\n    ours\nspan\n  ours");
}
