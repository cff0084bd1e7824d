//! Futures that do not come to their end: dropped, aborted, panicking; and what goes on beside.

use std::any::Any;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{Span, Status, enter_span, enter_span_async, in_span};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};

use crate::support::check::{block_on, check, check_async};

#[enter_span]
fn closing() {}

/// Makes a child span in its destructor, and leaves a note on the span that is current there.
struct Closes;

impl Drop for Closes {
    fn drop(&mut self) {
        Span::current().set_attribute("noted", true);
        closing();
    }
}

/// Holds something, and waits for ever.
#[enter_span]
async fn waits() {
    let _closes = Closes;
    pending::<()>().await;
}

/// The same, and says when it has begun.
#[enter_span]
async fn begins(begun: Arc<Notify>) {
    let _closes = Closes;
    begun.notify_one();
    pending::<()>().await;
}

#[enter_span(attributes(n))]
async fn quick(n: u8) -> u8 {
    yield_now().await;
    n
}

const CANCELLED: &str = "
    waits noted=true ~cancelled
      closing
";

/// What holds for every cancelled span, beside its line in the tree.
fn assert_ended_once(trace: &Trace, name: &str) {
    let of_this_name = || trace.spans().iter().filter(|span| span.name() == name);
    assert_eq!(of_this_name().count(), 1);
    assert!(of_this_name().all(|span| span.is_ended()));
    assert_eq!(trace.find(name).status(), &Status::Unset);
    assert_eq!(trace.find(name).attribute("error.type"), None);
    assert!(trace.find(name).events().is_empty());
}

/// Spawns work that says when it has begun, and hands its task to `cancel`.
fn check_spawned(cancel: impl AsyncFnOnce(&Arc<Notify>, Recorder)) {
    let recorder = Recorder::new();
    let begun = Arc::new(Notify::new());
    block_on(cancel(&begun, recorder.clone()));
    let trace = recorder.trace();
    trace.assert_tree(
        "
        begins noted=true ~cancelled
          closing
        ",
    );
    assert_ended_once(&trace, "begins");
}

/// A future that was never polled has no span.
#[test]
fn a_future_that_is_dropped_before_its_first_poll_has_no_span() {
    check(
        || {
            drop(waits());
            drop(enter_span_async("function", |_| waits()));
            drop(in_span!("macro", async |_| waits().await));
        },
        "",
    );
}

/// A function that returns a future did begin, at the call.
#[test]
fn a_returned_future_that_is_never_polled_is_cancelled() {
    #[enter_span]
    fn later() -> impl Future<Output = ()> {
        waits()
    }
    check(|| drop(later()), "later ~cancelled");
}

/// dropped mid-way. what the future holds is dropped inside of its span.
#[test]
fn a_future_that_is_dropped_midway_is_cancelled() {
    let trace = check(|| assert_eq!(waits().now_or_never(), None), CANCELLED);
    assert_ended_once(&trace, "waits");
}

/// The forms for blocks.
#[test]
fn a_block_that_is_dropped_midway_is_cancelled() {
    check(
        || {
            enter_span_async("function", |_| waits()).now_or_never();
            in_span!("macro", async |_| waits().await).now_or_never();
            in_span!("future", |_| waits()).now_or_never();
        },
        "
        function ~cancelled
          waits noted=true ~cancelled
            closing
        macro ~cancelled
          waits noted=true ~cancelled
            closing
        future ~cancelled
          waits noted=true ~cancelled
            closing
        ",
    );
}

/// Polled once, dropped in `select!`.
#[test]
fn the_branch_that_loses_a_select_is_cancelled() {
    check_async(
        async {
            tokio::select! {
                biased;
                () = waits() => {}
                _ = quick(1) => {}
            }
        },
        "
        waits noted=true ~cancelled
          closing
        quick n=1
        ",
    );
}

/// Dropped by `timeout`.
#[test]
fn what_runs_out_of_time_is_cancelled() {
    check_async(
        async {
            let late = tokio::time::timeout(Duration::from_secs(1), waits());
            assert!(late.await.is_err());
        },
        CANCELLED,
    );
}

/// Dropped by `abort()`.
#[test]
fn a_task_that_is_aborted_is_cancelled() {
    check_spawned(async |begun, recorder| {
        let work = begins(Arc::clone(begun));
        let task = tokio::spawn(async move { recorder.enter_async(work).await });
        begun.notified().await;
        task.abort();
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
    });
}

/// Dropped with a `JoinSet`.
#[test]
fn a_task_goes_with_its_join_set() {
    check_spawned(async |begun, recorder| {
        let work = begins(Arc::clone(begun));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { recorder.enter_async(work).await });
        begun.notified().await;
        tasks.shutdown().await;
    });
}

/// Dropped by the shutdown of the runtime.
#[test]
fn a_task_goes_with_its_runtime() {
    let recorder = Recorder::new();
    let begun = Arc::new(Notify::new());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime of one worker");
    let (task, work) = (recorder.clone(), begins(Arc::clone(&begun)));
    runtime.spawn(async move { task.enter_async(work).await });
    runtime.block_on(begun.notified());
    drop(runtime);
    let trace = recorder.trace();
    assert_ended_once(&trace, "begins");
    assert_eq!(
        trace.find("closing").parent_id(),
        Some(trace.find("begins").span_id())
    );
}

#[enter_span]
async fn panics_at_once() {
    std::panic::panic_any(Payload(1));
}

#[enter_span]
async fn panics_later() {
    yield_now().await;
    std::panic::panic_any(Payload(2));
}

#[derive(Debug, PartialEq)]
struct Payload(u8);

fn payload(caught: Result<(), Box<dyn Any + Send>>) -> Option<u8> {
    let payload = caught.err()?;
    payload.downcast_ref::<Payload>().map(|payload| payload.0)
}

/// Panic before and after the first await; Polled in `catch_unwind`.
#[test]
fn a_panic_ends_its_span_and_passes_unchanged() {
    let trace = check_async(
        async {
            let at_once = AssertUnwindSafe(panics_at_once()).catch_unwind().await;
            assert_eq!(payload(at_once), Some(1));
            assert!(!enter_span::is_traced());
            let later = AssertUnwindSafe(panics_later()).catch_unwind().await;
            assert_eq!(payload(later), Some(2));
            assert!(!enter_span::is_traced());
            quick(3).await;
        },
        "
        panics_at_once !panic
        panics_later !panic
        quick n=3
        ",
    );
    assert_eq!(trace.spans().len(), 3);
}

/// In a spawned task, whose own handling of panics sees the payload.
#[test]
fn a_panic_in_a_spawned_task_reaches_who_joins_it() {
    let recorder = Recorder::new();
    let task = recorder.clone();
    let joined = block_on(async {
        tokio::spawn(async move { task.enter_async(panics_later()).await }).await
    });
    let caught = joined.map_err(|error| error.into_panic());
    assert_eq!(payload(caught), Some(2));
    recorder.trace().assert_tree("panics_later !panic");
}

/// Panics in its destructor.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::panic_any(Payload(3));
    }
}

/// A panic in the inner future's `Drop` during cancellation.
#[test]
fn a_panic_while_a_future_is_dropped_passes_and_leaves_nothing_attached() {
    #[enter_span]
    async fn explodes() {
        let _bomb = Bomb;
        pending::<()>().await;
    }
    let trace = check(
        || {
            let mut work = Box::pin(explodes());
            assert_eq!(work.as_mut().now_or_never(), None);
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(work)));
            assert_eq!(payload(dropped), Some(3));
            assert!(!enter_span::is_traced());
            quick(1).now_or_never();
        },
        "
        explodes !panic
        quick n=1 ~cancelled
        ",
    );
    assert_eq!(trace.spans().len(), 2);
}

/// Dropped because a sibling panicked.
#[test]
fn the_sibling_of_a_panic_is_cancelled() {
    #[enter_span]
    async fn parent() {
        tokio::join!(waits(), panics_later());
    }
    check_async(
        AssertUnwindSafe(parent()).catch_unwind(),
        "
        parent !panic
          waits noted=true ~cancelled
            closing
          panics_later !panic
        ",
    );
}

/// A future that lives beside an unwinding thread did not panic itself.
#[test]
fn a_future_that_is_dropped_by_unwinding_is_cancelled() {
    let trace = check(
        || {
            let unwinding = catch_unwind(|| {
                let mut work = Box::pin(waits());
                assert_eq!(work.as_mut().now_or_never(), None);
                std::panic::panic_any(Payload(4));
            });
            assert_eq!(payload(unwinding), Some(4));
        },
        CANCELLED,
    );
    assert_ended_once(&trace, "waits");
}

/// A parent whose children take turns, each with a child of its own after a turn.
#[enter_span(attributes(n))]
async fn branch(n: u8) -> u8 {
    yield_now().await;
    quick(n).await
}

/// `join!` inside a span: no leakage between siblings.
#[test]
fn joined_futures_do_not_see_each_other() {
    #[enter_span]
    async fn parent() {
        tokio::join!(branch(1), branch(2));
        futures::join!(branch(3), branch(4));
        quick(5).await;
    }
    check_async(
        parent(),
        "
        parent
          branch n=1
            quick n=1
          branch n=2
            quick n=2
          branch n=3
            quick n=3
          branch n=4
            quick n=4
          quick n=5
        ",
    );
}

/// `select!` inside a span: no leakage from the branch that is dropped.
#[test]
fn a_select_leaves_its_span_current() {
    #[enter_span]
    async fn parent() {
        let won = tokio::select! {
            biased;
            () = waits() => 0,
            n = branch(1) => quick(n + 1).await,
        };
        quick(won + 1).await;
    }
    check_async(
        parent(),
        "
        parent
          waits noted=true ~cancelled
            closing
          branch n=1
            quick n=1
          quick n=2
          quick n=3
        ",
    );
}

/// `FuturesUnordered` inside a span.
#[test]
fn unordered_futures_do_not_see_each_other() {
    #[enter_span]
    async fn parent() {
        let mut branches: FuturesUnordered<_> = [1, 2].into_iter().map(branch).collect();
        while let Some(n) = branches.next().await {
            quick(n + 10).await;
        }
    }
    let trace = Recorder::new();
    let trace = block_on(trace.run_async(parent()));
    let parent_of = |n: i64, name: &str| {
        let is_it = |span: &&enter_span::testing::RecordedSpan| {
            span.name() == name && span.attribute("n") == Some(n.into())
        };
        trace.spans().iter().find(is_it).expect("the span").clone()
    };
    for n in [1, 2] {
        let branch = parent_of(n, "branch");
        assert_eq!(branch.parent_id(), Some(trace.find("parent").span_id()));
        assert_eq!(parent_of(n, "quick").parent_id(), Some(branch.span_id()));
        assert_eq!(parent_of(n + 10, "quick").parent_id(), branch.parent_id());
    }
}

/// One branch of a hundred: it goes on where a worker takes it.
#[enter_span(attributes(n))]
async fn wanders(n: u8) -> u8 {
    for _ in 0..n % 7 {
        yield_now().await;
    }
    quick(n).await
}

/// A hundred joined children on four workers, and each poll of the join on another thread: each
/// child's parent is the right span.
#[test]
fn children_find_their_parent_on_every_worker() {
    let recorder = Recorder::new();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).build();
    let runtime = runtime.expect("a runtime of four workers");
    let work = recorder.enter_async(in_span!("parent", async |_| {
        let tasks = (0..50).map(|n| enter_span::task::spawn_in_current_span(wanders(n)));
        let joined = futures::future::join_all((50..100).map(wanders));
        let (tasks, joined) = futures::join!(futures::future::join_all(tasks), joined);
        assert!(tasks.into_iter().map(Result::unwrap).eq(0..50));
        assert!(joined.into_iter().eq(50..100));
    }));
    let mut work = Box::pin(work);
    // Forced to migrate: a thread of its own for each poll.
    while thread::scope(|threads| {
        let poll = || {
            let _runtime = runtime.enter();
            work.as_mut().now_or_never().is_none()
        };
        threads.spawn(poll).join().expect("the thread that polls")
    }) {}
    let trace = recorder.trace();
    let parent = Some(trace.find("parent").span_id());
    let named = |name| trace.spans().iter().filter(move |span| span.name() == name);
    assert_eq!(
        (named("wanders").count(), named("quick").count()),
        (100, 100)
    );
    for child in named("wanders") {
        assert_eq!(child.parent_id(), parent);
        let below = |span: &&RecordedSpan| span.parent_id() == Some(child.span_id());
        let below: Vec<_> = named("quick").filter(below).collect();
        assert_eq!(below.len(), 1);
        assert_eq!(below[0].attribute("n"), child.attribute("n"));
    }
}

/// What is left of a future or a stream that is ready, or has panicked, is dropped in its
/// span too, though that has ended.
#[test]
fn what_is_left_of_a_future_is_dropped_in_its_span() {
    use enter_span::prelude::*;
    use enter_span::start_span;
    use tokio::time::{error::Elapsed, timeout};
    #[enter_span]
    fn returned() -> impl Future<Output = Result<(), Elapsed>> {
        timeout(Duration::from_millis(1), waits())
    }
    #[enter_span]
    async fn silent() {
        timeout(Duration::from_millis(1), waits()).await.ok();
    }
    check_async(
        async {
            returned().await.ok();
            silent().await;
            let late = timeout(Duration::from_millis(1), waits());
            late.in_owned_span(start_span("owned")).await.ok();
            let closes = Closes;
            let items = futures::stream::iter([1]).map(move |n| (n, &closes).0);
            items.in_owned_span(start_span("stream")).count().await;
            let sibling = futures::future::join(Box::pin(waits()), async {
                yield_now().await;
                resume_unwind(Box::new(1))
            });
            let sibling = sibling
                .map(|((), ())| ())
                .in_owned_span(start_span("panics"));
            assert!(AssertUnwindSafe(sibling).catch_unwind().await.is_err());
        },
        "
        returned !Elapsed
          waits noted=true ~cancelled
            closing
        silent
          waits noted=true ~cancelled
            closing
        owned
          waits noted=true ~cancelled
            closing
        stream
          closing
        panics !panic
          waits noted=true ~cancelled
            closing
        ",
    );
}
