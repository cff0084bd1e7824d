//! Spans that their owner ends: entered again and again, or never current.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::Recorder;
use enter_span::{OwnedSpan, Span, Status, enter_span, start_span};
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::task::yield_now;

use crate::support::check::{block_on, check, check_async};

#[enter_span(attributes(n))]
fn step(n: u8) -> u8 {
    n
}

#[enter_span(attributes(n))]
async fn part(n: u8) -> u8 {
    yield_now().await;
    n
}

/// One that is started does not become current.
#[test]
fn a_started_span_does_not_become_current() {
    check(
        || {
            enter_span("root", |_| {
                let detached = start_span("hierarchy-detached-start-span");
                enter_span("hierarchy-after-detached-start-span", |_| {});
                detached.end();
            });
        },
        "
        root
          hierarchy-detached-start-span
          hierarchy-after-detached-start-span
        ",
    );
}

/// Its parent is the span that is current where it starts.
#[test]
fn a_started_span_is_a_child_of_the_current_one() {
    check(
        || {
            enter_span("root", |_| {
                enter_span("hierarchy-start-span-active-parent", |_| {
                    let child = start_span("hierarchy-detached-active-child");
                    enter_span("hierarchy-after-detached-active-child", |_| {});
                    child.end();
                });
            });
        },
        "
        root
          hierarchy-start-span-active-parent
            hierarchy-detached-active-child
            hierarchy-after-detached-active-child
        ",
    );
}

/// A helper of the user's own that starts spans.
fn started_elsewhere(name: &'static str) -> OwnedSpan {
    start_span(name)
}

/// TW19a: entered, it is current, and still traced after the closure has returned; it ends when its
/// owner says so. Through a helper too.
#[test]
fn an_entered_span_ends_when_its_owner_says_so() {
    let started: [fn(&'static str) -> OwnedSpan; 2] = [|name| start_span(name), started_elsewhere];
    for start in started {
        let trace = check(
            || {
                let span = start("public-start-active-op");
                assert_eq!(span.enter(|| step(1)), 1);
                assert!(span.is_traced());
                span.set_attribute("ended.explicitly", true);
                let handle = Span::clone(&span);
                span.end();
                assert!(!handle.is_traced());
                handle.set_attribute("late", true);
            },
            "
            public-start-active-op ended.explicitly=true
              step n=1
            ",
        );
        assert!(trace.find("public-start-active-op").is_ended());
    }
}

/// TW19b: one that is never entered.
#[test]
fn a_span_is_traced_until_it_ends() {
    let trace = check(
        || {
            let span = start_span("public-start-span-op");
            let handle = Span::clone(&span);
            assert!(handle.is_traced());
            span.end();
            assert!(!handle.is_traced());
        },
        "public-start-span-op",
    );
    assert!(trace.find("public-start-span-op").is_ended());
}

/// TW19c: a stream that is returned takes its span along, and ends it: at its end, or dropped.
#[test]
fn a_span_ends_with_the_stream_that_it_was_given_to() {
    fn download() -> impl Stream<Item = &'static str> {
        let span = start_span("detached-stream-op");
        span.set_attribute("phase.created", true);
        let handle = Span::clone(&span);
        let drained = stream::once(async move {
            handle.set_attribute("phase.drained", true);
        });
        let parts = stream::iter(["hello", " world"]);
        let drained = drained.filter_map(async |()| None);
        parts.chain(drained).in_owned_span(span)
    }
    let recorder = Recorder::new();
    block_on(async {
        let read = recorder.enter(download);
        assert!(!recorder.trace().find("detached-stream-op").is_ended());
        assert_eq!(read.collect::<String>().await, "hello world");
        let mut dropped = Box::pin(recorder.enter(download));
        assert_eq!(dropped.next().await, Some("hello"));
        drop(dropped);
    });
    recorder.trace().assert_tree(
        "
        detached-stream-op phase.created=true phase.drained=true
        detached-stream-op phase.created=true ~cancelled
        ",
    );
}

/// TW19d: a panic passes; the span is still open for as long as its owner lives.
#[test]
fn a_panic_leaves_the_span_to_its_owner() {
    check(
        || {
            let span = start_span("manual-throw-op");
            let panics = || resume_unwind(Box::new("manual lifecycle throw"));
            let caught = catch_unwind(AssertUnwindSafe(|| span.enter(panics)));
            let payload = caught.expect_err("a panic");
            let message = payload.downcast_ref::<&str>();
            assert_eq!(message, Some(&"manual lifecycle throw"));
            assert!(span.is_traced());
            assert!(Span::current().trace_id().is_none());
            span.set_attribute("after.throw", true);
            span.end();
        },
        "manual-throw-op after.throw=true",
    );
}

/// TW19d: an owner that goes with the panic: the tree says what happened.
#[test]
fn a_panic_that_takes_the_owner_is_told() {
    let trace = check(
        || {
            let own = || {
                let span = start_span("own");
                span.enter(|| resume_unwind(Box::new("no more")));
            };
            let beside = || {
                let _span = start_span("beside");
                resume_unwind(Box::new("no more"));
            };
            assert!(catch_unwind(own).is_err());
            assert!(catch_unwind(beside).is_err());
        },
        "
        own !panic
        beside ~cancelled
        ",
    );
    assert_eq!(trace.find("own").status(), &Status::error("no more"));
    assert_eq!(trace.find("beside").status(), &Status::Unset);
}

/// A panic that the owner has lived through is not told of a later one.
#[test]
fn a_panic_that_passed_is_forgotten() {
    check(
        || {
            let whole = || {
                let span = start_span("lives");
                let panics = || span.enter(|| resume_unwind(Box::new(1)));
                assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
                span.enter(|| step(1));
                resume_unwind(Box::new(2));
            };
            assert!(catch_unwind(whole).is_err());
        },
        "
        lives ~cancelled
          step n=1
        ",
    );
}

/// Again and again: closures, futures and streams, here and on other threads.
#[test]
fn a_span_can_be_entered_again_and_again() {
    check_async(
        async {
            let session = start_span!("session", kind = server, attributes(peer = "p1"));
            session.enter(|| step(1));
            assert_eq!(part(2).in_span(&session).await, 2);
            let items = stream::iter([3]).then(part).in_span(&session);
            assert_eq!(items.collect::<Vec<_>>().await, [3]);
            let work = || step(4);
            assert_eq!(thread::spawn(work.in_span(&session)).join().ok(), Some(4));
            step(5);
            drop(session);
        },
        "
        session [server] peer=p1
          step n=1
          part n=2
          part n=3
          step n=4
        step n=5
        ",
    );
}

/// A span that ends with its work: a future, a closure.
#[test]
fn a_span_can_be_given_to_its_work() {
    check_async(
        async {
            let span = start_span("future");
            assert_eq!(part(1).in_owned_span(span).await, 1);
            let span = start_span("dropped");
            assert_eq!(part(2).in_owned_span(span).now_or_never(), None);
            let span = start_span("closure");
            let work = || step(3);
            assert_eq!(work.in_owned_span(span)(), 3);
            let span = start_span("panics");
            let panics = || resume_unwind(Box::new(4));
            let caught = catch_unwind(AssertUnwindSafe(panics.in_owned_span(span)));
            assert_eq!(
                caught.map_err(|payload| *payload.downcast().unwrap()),
                Err::<(), _>(4)
            );
        },
        "
        future
          part n=1
        dropped ~cancelled
          part n=2 ~cancelled
        closure
          step n=3
        panics !panic
        ",
    );
}

struct Closes;

impl Drop for Closes {
    fn drop(&mut self) {
        step(9);
    }
}

/// Bad input: a pool that never runs its closure, and one that drops it on a dying thread.
#[test]
fn work_that_never_runs_is_cancelled() {
    thread_local! {
        static LATE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    }
    check(
        || {
            let closes = Closes;
            let never = move || drop(closes);
            drop(never.in_owned_span(start_span("never")));
            let late = || {
                step(1);
            };
            let late = late.in_owned_span(start_span("dying"));
            let keep = move || LATE.set(Some(Box::new(late)));
            thread::spawn(keep).join().expect("a thread");
        },
        "
        never ~cancelled
          step n=9
        dying ~cancelled
        ",
    );
}

/// Runs its work when its thread dies.
struct RunsLate(Vec<Box<dyn FnOnce()>>);

impl Drop for RunsLate {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|work| work());
    }
}

/// Bad input: a pool that runs its closures on a dying thread. A span that was begun ends once; what
/// would begin there may be lost, and does no harm.
#[test]
fn work_that_runs_on_a_dying_thread_does_no_harm() {
    thread_local! {
        static LATE: RefCell<RunsLate> = const { RefCell::new(RunsLate(Vec::new())) };
    }
    let trace = Recorder::new().run(|| {
        enter_span("outer", |_| {
            let work = || {
                step(1);
            };
            let owned = work.in_owned_span(start_span("owned"));
            let carried = work.in_current_span();
            let dropped = work.in_current_span();
            let keep = move || {
                LATE.with_borrow_mut(|late| {
                    late.0.push(Box::new(owned));
                    late.0.push(Box::new(carried));
                    late.0.push(Box::new(move || drop(dropped)));
                });
                enter_span("alive", |_| {});
            };
            thread::spawn(keep.in_current_span())
                .join()
                .expect("a thread");
        });
    });
    assert!(trace.spans().iter().all(|span| span.is_ended()));
    let named = |name| trace.spans().iter().filter(move |span| span.name() == name);
    assert_eq!((named("owned").count(), named("alive").count()), (1, 1));
}

/// One that is a leaf is never made current: what it runs hangs on its parent.
#[test]
fn a_leaf_is_never_current() {
    let trace = Recorder::new().run(|| {
        enter_span("root", |_| {
            let leaf = start_span!("leaf", leaf);
            leaf.enter(|| assert_ne!(enter_span::span_id(), leaf.span_id()));
            let work = || enter_span("beside", |_| {});
            work.in_span(&leaf)();
            leaf.set_attribute("set", 1);
        });
    });
    trace.assert_tree(
        "
        root
          leaf set=1
          beside
        ",
    );
}

/// It can be a parent by name, and be linked to; handles that are found cannot end it.
#[test]
fn a_started_span_is_a_parent_and_a_link() {
    #[enter_span(parent = above)]
    fn below(above: &OwnedSpan) {}
    check(
        || {
            let above = start_span("above");
            below(&above);
            drop(start_span!("root", root, links(above)));
            above.enter(|| drop(Span::current()));
            assert!(above.is_traced());
        },
        "
        above
          below
        root ^above
        ",
    );
}

/// A child may outlast its parent, and each has its own end.
#[test]
fn a_span_may_outlast_its_parent() {
    let recorder = Recorder::new();
    let child = recorder.enter(|| enter_span("parent", |_| start_span("child")));
    assert!(recorder.trace().find("parent").is_ended());
    assert!(child.is_traced());
    child.set_attribute("late", true);
    // While another one is current, too.
    recorder.enter(|| enter_span("another", |_| drop(child)));
    let trace = recorder.trace();
    trace.assert_tree("parent\n  child late=true\nanother");
    let (parent, child) = (trace.find("parent"), trace.find("child"));
    assert!(child.end_time() >= parent.end_time());
    assert!(child.start_time() >= parent.start_time());
}

/// Nothing is evaluated, and every call does nothing, while telemetry is suppressed.
#[test]
fn a_span_that_is_off_does_nothing() {
    let evaluated = Cell::new(false);
    let mut off = None;
    let trace = Recorder::new().run(|| {
        let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
        off = Some(start_span!(
            "off",
            attributes(value = evaluated.replace(true))
        ));
    });
    trace.assert_tree("");
    assert!(!evaluated.get());
    let span = off.expect("a span");
    assert_eq!(span.enter(|| 1), 1);
    assert_eq!(span.trace_id(), None);
    let work = || 2;
    assert_eq!(work.in_owned_span(span)(), 2);
}

/// Of a trace that is not sampled, nothing that is put into it is recorded; and what is
/// linked to it is a new trace, with the link.
#[test]
fn work_of_a_span_that_is_not_sampled_is_not_recorded() {
    #[enter_span(parent = parent)]
    fn below<P: enter_span::ToParent>(parent: P) {}
    let recorder = Recorder::new().with_sampler(|root| root != "session" && root != "block");
    let trace = recorder.run(|| {
        let session = start_span("session");
        assert!(!session.is_traced());
        assert!(session.span_context().is_valid());
        session.enter(|| step(1));
        let (work, more) = (|| step(2), || step(3));
        work.in_span(&session)();
        more.in_span(&*session)();
        below(&session);
        enter_span("block", |span| {
            let work = || step(4);
            thread::spawn(work.in_span(&span)).join().expect("a thread");
            below(&span);
        });
        let linked = || step(5);
        linked.linked_to(&session)();
        let work = || step(6);
        work.in_owned_span(session)();
    });
    trace.assert_tree("step n=5 ^?");
}

/// A span that is not made is transparent: what hangs on it hangs on its parent, which cannot be
/// told anything through it.
#[test]
fn work_of_a_span_that_is_not_made_belongs_to_its_parent() {
    #[enter_span(parent = parent)]
    fn below<P: enter_span::ToParent>(parent: P) {}
    check(
        || {
            enter_span("outer", |_| {
                let muted = || start_span!("muted", when = false);
                let span = muted();
                span.set_attribute("lost", true);
                assert_eq!(span.span_id(), None);
                span.enter(|| step(1));
                let elsewhere = |work: Box<dyn FnOnce() + Send>| thread::spawn(work).join();
                below(&span);
                let work = || {
                    step(2);
                };
                elsewhere(Box::new(work.in_span(&span))).expect("a thread");
                elsewhere(Box::new(work.in_owned_span(span))).expect("a thread");
                enter_span::in_span!("muted too", when = false, |span| {
                    span.set_attribute("lost", true);
                    elsewhere(Box::new(work.in_span(&span))).expect("a thread");
                });
                let leaf = start_span!("leaf", leaf);
                elsewhere(Box::new(work.in_owned_span(leaf))).expect("a thread");
            });
        },
        "
        outer
          step n=1
          below
          step n=2
          step n=2
          step n=2
          leaf
          step n=2
        under leaf: step
        ",
    );
}

/// Each owned span is `Send` and `Sync`, and shows its identity.
#[test]
fn an_owned_span_goes_anywhere() {
    fn anywhere<T: Send + Sync + 'static>(_: &T) {}
    check(
        || {
            let span = start_span("moves");
            anywhere(&span);
            let id = span.span_id().expect("an id").to_string();
            assert!(format!("{span:?}").contains(&id));
            thread::spawn(move || span.end()).join().expect("a thread");
        },
        "moves",
    );
}
