//! Who inherits the current span, construct by construct, and what brings it to those that do not.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use enter_span::prelude::*;
use enter_span::testing::Recorder;
use enter_span::{Context, Envelope, Span, enter_span, enter_span_async, task};
use futures::stream::{self, FuturesUnordered};
use futures::{FutureExt as _, Stream as _, StreamExt as _};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet, yield_now};

use crate::support::check::{check, check_async};

#[enter_span(attributes(n))]
async fn part(n: u8) -> u8 {
    yield_now().await;
    n
}

#[enter_span(attributes(n))]
fn step(n: u8) -> u8 {
    n
}

/// Runs `work` in the span `parent`, on a runtime of two workers.
#[track_caller]
fn check_workers<F>(work: F, tree: &str)
where
    F: Future<Output: Send> + Send + 'static,
{
    let recorder = Recorder::new();
    let work = enter_span_async("parent", |_| work).in_span(&recorder.context());
    let done = workers().block_on(async { tokio::spawn(work).await });
    assert!(done.is_ok());
    recorder.trace().assert_tree(tree);
}

fn workers() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.expect("a runtime of two workers")
}

async fn parent<F: Future>(work: impl FnOnce() -> F) -> F::Output {
    enter_span_async("parent", |_| work()).await
}

/// What is polled inside of its parent's poll inherits.
#[test]
fn what_is_polled_by_its_parent_inherits() {
    check_async(
        parent(async || {
            part(1).await;
            futures::join!(part(2), part(3));
            let _ = futures::try_join!(part(4).map(Ok::<_, ()>), part(5).map(Ok::<_, ()>));
            tokio::select! { _ = part(6) => {}, _ = std::future::pending::<()>() => {} }
            let unordered: FuturesUnordered<_> = [part(7)].into_iter().collect();
            unordered.count().await;
            stream::iter([part(8)]).buffer_unordered(2).count().await;
            let timed = tokio::time::timeout(Duration::from_secs(1), part(9)).await;
            assert_eq!(timed, Ok(9));
            tokio::task::coop::unconstrained(part(10)).await;
        }),
        "
        parent
          part n=1
          part n=2
          part n=3
          part n=4
          part n=5
          part n=6
          part n=7
          part n=8
          part n=9
          part n=10
        ",
    );
}

/// A task does not inherit; a plain one loses its parent, and its recorder sees that. the
/// same future plain, in the current span, and linked to it.
#[test]
fn a_task_inherits_where_it_is_asked_to() {
    let trace = check_async(
        parent(async || {
            let plain = tokio::spawn(part(1));
            let child = tokio::spawn(part(2).in_current_span());
            let linked = tokio::spawn(part(3).linked_to_current_span());
            let _ = tokio::join!(plain, child, linked);
        }),
        "
        parent
          part n=2
        part n=3 ^parent
        orphan part
        ",
    );
    let [_, child, linked] = trace.spans() else {
        panic!("three spans");
    };
    let parent = trace.find("parent").span_context();
    assert_eq!(child.span_context().trace_id(), parent.trace_id());
    assert_ne!(linked.span_context().trace_id(), parent.trace_id());
}

/// `spawn`, in both flavours. on other workers.
#[test]
fn spawned_tasks_are_children_or_linked() {
    check_workers(
        async {
            task::spawn_in_current_span(part(1)).await.ok();
            task::spawn_linked(part(2)).await.ok();
            let on_handle = Handle::current().spawn(part(3).in_current_span());
            on_handle.await.ok();
        },
        "
        parent
          part n=1
          part n=3
        part n=2 ^parent
        ",
    );
}

/// `spawn_local`, in both flavours.
#[test]
fn local_tasks_are_children_or_linked() {
    check_async(
        LocalSet::new().run_until(parent(async || {
            let not_send = Rc::new(1);
            let child = task::spawn_local_in_current_span(async move { part(*not_send).await });
            let linked = task::spawn_local_linked(part(2));
            let _ = tokio::join!(child, linked);
        })),
        "
        parent
          part n=1
        part n=2 ^parent
        ",
    );
}

/// `JoinSet::spawn*`, in both flavours.
#[test]
fn the_tasks_of_a_set_are_children_or_linked() {
    check_async(
        LocalSet::new().run_until(parent(async || {
            let mut tasks = JoinSet::new();
            tasks.spawn_in_current_span(part(1));
            tasks.join_next().await;
            tasks.spawn_local_in_current_span(part(2));
            tasks.join_next().await;
            tasks.spawn_blocking_in_current_span(|| step(3));
            tasks.join_next().await;
            tasks.spawn_linked(part(4));
            tasks.join_next().await;
            tasks.spawn_local_linked(part(5));
            tasks.join_next().await;
            tasks.spawn_blocking_linked(|| step(6));
            tasks.join_next().await;
        })),
        "
        parent
          part n=1
          part n=2
          step n=3
        part n=4 ^parent
        part n=5 ^parent
        step n=6 ^parent
        ",
    );
}

/// `spawn_blocking`, in both flavours.
#[test]
fn blocking_work_is_a_child_or_linked() {
    check_workers(
        async {
            assert_eq!(
                task::spawn_blocking_in_current_span(|| step(1)).await.ok(),
                Some(1)
            );
            assert_eq!(task::spawn_blocking_linked(|| step(2)).await.ok(), Some(2));
        },
        "
        parent
          step n=1
        step n=2 ^parent
        ",
    );
}

/// Threads, in both flavours.
#[test]
fn a_thread_is_a_child_or_linked() {
    check(
        || {
            enter_span("parent", |_| {
                let join = |thread: thread::JoinHandle<u8>| thread.join().ok();
                let child = || step(1);
                assert_eq!(join(thread::spawn(child.in_current_span())), Some(1));
                let linked = || step(2);
                assert_eq!(
                    join(thread::spawn(linked.linked_to_current_span())),
                    Some(2)
                );
            });
        },
        "
        parent
          step n=1
        step n=2 ^parent
        ",
    );
}

/// Threads in a scope, which borrow.
#[test]
fn a_scoped_thread_takes_its_span_along() {
    check(
        || {
            enter_span("parent", |_| {
                let numbers = [1, 2];
                let mut results = [0, 0];
                let context = Context::current();
                for (n, result) in numbers.iter().zip(&mut results) {
                    thread::scope(|scope| {
                        scope.spawn(|| context.enter(|| *result = step(*n)));
                    });
                }
                thread::scope(|scope| {
                    let borrowing = || step(numbers[0] + 2);
                    scope.spawn(borrowing.in_current_span());
                });
                assert_eq!(results, numbers);
            });
        },
        "
        parent
          step n=1
          step n=2
          step n=3
        ",
    );
}

/// Rayon's `join`, in which a worker takes up one task while it waits in another, and its
/// iterators, whose closures are called often.
#[test]
fn a_pool_that_steals_work_keeps_parents_apart() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    let pool = pool.expect("a pool of two threads");
    let split = |n: u8| {
        let (left, right) = (move || step(n), move || step(n));
        rayon::join(left.in_current_span(), right.in_current_span())
    };
    let both = || {
        let first = || enter_span("first", |_| split(1));
        let second = || enter_span("second", |_| split(2));
        rayon::join(first.in_current_span(), second.in_current_span());
    };
    let trace = Recorder::new().run(|| {
        enter_span("parent", |_| pool.install(both.in_current_span()));
        enter_span("iterator", |_| {
            use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
            let context = Context::current();
            let sum = || {
                let numbers = [3_u8, 3].into_par_iter();
                numbers.map(|n| context.enter(|| step(n))).sum::<u8>()
            };
            assert_eq!(pool.install(sum), 6);
        });
    });
    // Which of the two begins first is the pool's choice.
    for (above, n) in [("first", 1), ("second", 2), ("iterator", 3)] {
        let above = trace.find(above).span_id();
        let below = |span: &&enter_span::testing::RecordedSpan| span.parent_id() == Some(above);
        let below: Vec<_> = trace.spans().iter().filter(below).collect();
        assert_eq!(below.len(), 2);
        let n = Some(enter_span::Value::from(n));
        assert!(below.iter().all(|span| span.attribute("n") == n));
    }
    let parent = Some(trace.find("parent").span_id());
    assert_eq!(trace.find("first").parent_id(), parent);
    assert_eq!(trace.find("second").parent_id(), parent);
    trace.assert_no_orphans();
}

/// `block_in_place` and what is blocked on inside of it run on the same stack.
#[test]
fn what_blocks_in_place_inherits() {
    check_workers(
        async {
            tokio::task::block_in_place(|| {
                step(1);
                Handle::current().block_on(part(2));
            });
        },
        "
        parent
          step n=1
          part n=2
        ",
    );
}

/// A runtime that is driven under an attached span polls everything there. what was put
/// into a span does not see it, and what was not does.
#[test]
fn tasks_driven_under_a_foreign_span_keep_to_their_own() {
    let recorder = Recorder::new();
    let (own, local) = (RefCell::new(None), LocalSet::new());
    recorder.enter(|| {
        enter_span("own", |span| *own.borrow_mut() = Some(span));
        let own = own.take();
        local.spawn_local(part(1).in_span(&own));
        local.spawn_local(part(2).in_span(&own));
        local.spawn_local(part(3).in_span(&recorder.context()));
        local.spawn_local(part(4));
        enter_span("foreign", |_| {
            let runtime = Builder::new_current_thread().build();
            runtime.expect("a runtime of one thread").block_on(local);
        });
    });
    recorder.trace().assert_tree(
        "
        own
          part n=1
          part n=2
        foreign
          part n=4
        part n=3
        ",
    );
}

/// An envelope carries its sender's context through a channel: as a child, and linked.
#[test]
fn a_message_brings_its_senders_span() {
    let (mailbox, messages) = mpsc::channel();
    let recorder = Recorder::new();
    let actor = move || {
        for (message, kind) in messages {
            let message: Envelope<u8> = message;
            match kind {
                "child" => message.open_child(step),
                _ => message.open_linked(step),
            };
        }
    };
    let actor = thread::spawn(actor.in_span(&recorder.context()));
    recorder.enter(|| {
        enter_span("sender", |_| {
            mailbox.send((Envelope::new(1), "child")).expect("an actor");
            mailbox
                .send((Envelope::new(2), "linked"))
                .expect("an actor");
        });
    });
    drop(mailbox);
    actor.join().expect("the actor");
    recorder.trace().assert_tree(
        "
        sender
          step n=1
        step n=2 ^sender
        ",
    );
}

/// `oneshot` and async mailboxes, by futures.
#[test]
fn a_message_that_is_handled_by_a_future_brings_its_senders_span() {
    check_async(
        async {
            let (ask, question) = oneshot::channel();
            let (tell, news) = oneshot::channel();
            enter_span("sender", |_| {
                let envelope = Envelope::new(1).map(|n| n + 1);
                assert_eq!(envelope.message(), &2);
                ask.send(envelope).expect("a receiver");
                tell.send(Envelope::new(3)).expect("a receiver");
            });
            parent(async || {
                let answer = question.await.expect("a question").open_child_async(part);
                assert_eq!(answer.await, 2);
                news.await.expect("news").open_linked_async(part).await;
            })
            .await;
        },
        "
        sender
          part n=2
        parent
        part n=3 ^sender
        ",
    );
}

/// A batch is linked to all of its senders.
#[test]
fn a_batch_is_linked_to_each_of_its_messages() {
    let senders = |batch: Vec<Envelope<u8>>| batch.into_iter().map(|one| one.into_parts().1);
    check(
        || {
            let mut batch = Vec::new();
            for name in ["first", "second"] {
                enter_span(name, |_| batch.push(Envelope::new(1)));
            }
            let causes: Vec<Context> = senders(batch).collect();
            enter_span("consumer", |_| {
                let handle = || step(1);
                handle.linked_to(&causes)();
            });
        },
        "
        first
        second
        consumer
        step n=1 ^first ^second
        ",
    );
}

struct Closes;

impl Drop for Closes {
    fn drop(&mut self) {
        step(9);
    }
}

/// A destructor sees what is current where it runs; what was put into a span drops there.
#[test]
fn a_destructor_runs_in_the_span_of_what_is_dropped() {
    let owning = |closes: Closes| async move {
        std::future::pending::<()>().await;
        drop(closes);
    };
    check(
        || {
            let mut kept = None;
            enter_span("parent", |_| {
                let future = owning(Closes).in_current_span();
                let items = stream::iter([Closes]).in_current_span();
                let closes = Closes;
                let closure = (move || drop(closes)).in_current_span();
                kept = Some((Closes, future, items, closure));
            });
            enter_span("elsewhere", |_| drop(kept));
        },
        "
        parent
          step n=9
          step n=9
          step n=9
        elsewhere
          step n=9
        ",
    );
}

/// Makes a span when it is woken.
struct Wakes(Mutex<Vec<u8>>);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        if let Ok(mut woken) = self.0.lock() {
            woken.push(step(7));
        }
    }
}

/// A waker's own code runs where it is woken.
#[test]
fn a_waker_runs_where_it_is_woken() {
    let (wakes, mut pending) = (Arc::new(Wakes(Mutex::default())), None);
    check(
        || {
            enter_span("waits", |_| {
                let (sender, receiver) = oneshot::channel();
                let mut receiver = Box::pin(receiver);
                let waker = Waker::from(Arc::clone(&wakes));
                let poll = receiver.as_mut().poll(&mut TaskContext::from_waker(&waker));
                assert!(poll.is_pending());
                pending = Some((sender, receiver));
            });
            enter_span("wakes", |_| {
                let (sender, _receiver) = pending.expect("what waits");
                sender.send(()).expect("who waits");
            });
        },
        "
        waits
        wakes
          step n=7
        ",
    );
}

/// `tokio::time`: a timer wakes the task, which goes on in its own span. Nothing but the timer does.
#[test]
fn a_timer_leaves_its_task_in_its_span() {
    check_async(
        parent(async || {
            let never = std::future::pending::<()>();
            let waited = tokio::time::timeout(Duration::from_millis(5), never).await;
            assert!(waited.is_err());
            step(1);
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            for n in 2..4 {
                ticks.tick().await;
                step(n);
            }
        }),
        "
        parent
          step n=1
          step n=2
          step n=3
        ",
    );
}

/// A span that exists is made current again, for a closure, a future and a stream.
#[test]
fn a_span_can_be_made_current_again() {
    check_async(
        async {
            let mut first = Span::default();
            enter_span("first", |span| first = span);
            parent(async || {
                let sync = || step(1);
                sync.in_span(&first)();
                part(2).in_span(&first).await;
                let items = stream::iter([3]).then(part).in_span(&first);
                assert_eq!(items.collect::<Vec<_>>().await, [3]);
                step(4);
            })
            .await;
        },
        "
        first
          step n=1
          part n=2
          part n=3
        parent
          step n=4
        ",
    );
}

/// Said explicitly, no span is none: what lies on the thread is not taken.
#[test]
fn work_can_be_put_into_no_span() {
    check_async(
        parent(async || {
            part(1).in_span(&None::<Span>).await;
            part(2).linked_to(&Span::default()).await;
        }),
        "
        parent
        part n=1
        part n=2
        ",
    );
}

/// A stream that is linked: the spans of its items are roots.
#[test]
fn a_stream_is_a_child_or_linked() {
    check_async(
        parent(async || {
            let mut child = Box::pin(stream::iter([1]).then(part).in_current_span());
            let linked = stream::iter([2]).then(part).linked_to_current_span();
            assert_eq!(linked.size_hint(), (1, Some(1)));
            let linked = tokio::spawn(linked.collect::<Vec<_>>());
            assert_eq!(child.next().await, Some(1));
            assert_eq!(linked.await.ok(), Some(vec![2]));
        }),
        "
        parent
          part n=1
        part n=2 ^parent
        ",
    );
}

/// Only roots are linked: what has a parent said its cause already.
#[test]
fn linked_work_links_its_roots_alone() {
    #[enter_span(root)]
    fn unrelated() {}
    check(
        || {
            let work = || {
                enter_span("first", |_| step(1));
                enter_span("second", |_| unrelated());
            };
            enter_span("cause", |_| work.linked_to_current_span()());
        },
        "
        cause
        first ^cause
          step n=1
        second ^cause
        unrelated
        ",
    );
}

/// A root that begins in linked work is that work's root, and linked, whether it says `root` or not;
/// and with `parent = None` too. A parent that is there is one.
#[test]
fn a_root_in_linked_work_is_linked() {
    #[enter_span(root)]
    fn rooted(n: u8) {
        inner(n);
    }
    #[enter_span(parent = parent)]
    fn below(parent: Option<&Span>) {}
    #[enter_span(root)]
    fn inner(_: u8) {}
    check(
        || {
            let message = enter_span("sender", |_| Envelope::new(1));
            message.clone().open_linked(rooted);
            message.clone().open_linked(|_| below(None));
            let other = enter_span("other", |span| span);
            message.open_linked(|_| below(Some(&other)));
        },
        "
        sender
        rooted ^sender
        inner
        below ^sender
        other
          below
        ",
    );
}

/// What a closure only makes is not in its span: a future that is awaited elsewhere goes by
/// what is current there. The forms for futures put it in.
#[test]
fn a_future_that_is_only_made_in_a_span_is_not_in_it() {
    check_async(
        async {
            let message = enter_span("sender", |_| Envelope::new(1));
            enter_span_async("receiver", async |_| {
                message.clone().open_child(part).await;
                message.open_child_async(part).await;
            })
            .await;
        },
        "
        sender
          part n=1
        receiver
          part n=1
        ",
    );
}

/// Plain, none of these inherits.
#[test]
fn what_starts_on_its_own_does_not_inherit() {
    let here = enter_span::span_id;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.expect("a pool of one thread");
    check_async(
        LocalSet::new().run_until(parent(async || {
            assert!(here().is_some());
            assert_eq!(tokio::spawn(async move { here() }).await.ok(), Some(None));
            let local = tokio::task::spawn_local(async move { here() });
            assert_eq!(local.await.ok(), Some(None));
            let mut tasks = JoinSet::new();
            tasks.spawn(async move { here() });
            tasks.spawn_local(async move { here() });
            tasks.spawn_blocking(here);
            assert_eq!(tasks.join_all().await, [None, None, None]);
            let blocking = tokio::task::spawn_blocking(here);
            assert_eq!(blocking.await.ok(), Some(None));
            assert_eq!(thread::spawn(here).join().ok(), Some(None));
            let scoped = thread::scope(|scope| scope.spawn(here).join().ok());
            assert_eq!(scoped, Some(None));
            assert_eq!(pool.install(here), None);
        })),
        "parent",
    );
    let (sender, receiver) = mpsc::channel();
    check(
        || {
            enter_span("sender", |_| sender.send(1).expect("a receiver"));
            enter_span("receiver", |_| step(receiver.recv().expect("a message")));
        },
        "
        sender
        receiver
          step n=1
        ",
    );
}

/// Other executors than Tokio's: local ones, and pools.
#[test]
fn a_task_of_any_executor_is_a_child_or_linked() {
    use futures::executor::{LocalPool, block_on};
    use futures::task::{LocalSpawnExt as _, SpawnExt as _};
    let mut pool = LocalPool::new();
    check(
        || {
            let spawner = pool.spawner();
            enter_span("parent", |_| {
                let child = part(1).map(drop).in_current_span();
                spawner.spawn_local(child).expect("a pool");
                let linked = part(2).map(drop).linked_to_current_span();
                spawner.spawn(linked).expect("a pool");
            });
            pool.run();
            let child = enter_span("again", |_| part(3).in_current_span());
            thread::spawn(|| block_on(child)).join().expect("a thread");
        },
        "
        parent
          part n=1
        part n=2 ^parent
        again
          part n=3
        ",
    );
}

/// `watch`: each receiver has a clone of the envelope.
#[test]
fn a_watched_value_brings_its_senders_span() {
    check_async(
        async {
            let (sender, receiver) = tokio::sync::watch::channel(Envelope::new(0));
            enter_span("sender", |_| sender.send_replace(Envelope::new(1)));
            for _ in 0..2 {
                let latest = receiver.borrow().clone();
                latest.open_child(step);
            }
        },
        "
        sender
          step n=1
          step n=1
        ",
    );
}

/// Work that is linked from linked work which has no span yet keeps the cause.
#[test]
fn a_cause_is_handed_on_until_there_is_a_span() {
    check(
        || {
            let last = || step(1);
            let next = || last.linked_to_current_span()();
            enter_span("cause", |_| next.linked_to_current_span()());
            let send = || Envelope::new(2);
            let sent = enter_span("other cause", |_| send.linked_to_current_span()());
            sent.open_linked(step);
        },
        "
        cause
        step n=1 ^cause
        other cause
        step n=2 ^other cause
        ",
    );
}

/// A future that was carried is what it was to its executor: `Send` if it was, and not otherwise.
#[test]
fn carrying_keeps_auto_traits() {
    fn send<T: Send + 'static>(_: &T) {}
    fn work() {}
    let span = Span::default();
    send(&part(1).in_current_span());
    send(&part(1).in_span(&span));
    send(&work.in_current_span());
    send(&work.in_span(&span));
    send(&work.linked_to(&span));
    send(&stream::iter([1]).in_current_span());
    send(&Envelope::new(1));
    let local = Rc::new(1);
    let mut carried = Box::pin(async move { *local }.in_current_span());
    let carried: Pin<&mut dyn Future<Output = i32>> = carried.as_mut();
    let ready = carried.now_or_never();
    assert_eq!(ready, Some(1));
}

/// What was carried can be caught when it panics, as it could be before.
#[test]
fn carrying_keeps_unwind_safety() {
    fn safe<T: std::panic::UnwindSafe>(_: &T) {}
    fn work() {}
    safe(&work.in_current_span());
    safe(&std::future::ready(1).in_current_span());
    safe(&Envelope::new(1));
    safe(&Context::current());
    safe(&enter_span::tracer!());
    let panics = || std::panic::resume_unwind(Box::new(1));
    assert!(std::panic::catch_unwind(panics.in_current_span()).is_err());
}

/// Links can be given as a list of any form.
#[test]
fn work_is_linked_to_lists() {
    check(
        || {
            let first = enter_span("first", |span| span);
            let second = enter_span("second", |span| span);
            let linked = || step(1);
            linked.linked_to(&[&first, &second])();
            linked.linked_to(&vec![first.clone(), second.clone(), first.clone()])();
            enter_span("later", |span| {
                span.add_link([first, second]);
            });
        },
        "
        first
        second
        step n=1 ^first ^second
        step n=1 ^first ^second
        later ^first ^second
        ",
    );
}

/// Polled again, a carried future or stream is as it would be alone.
#[test]
fn a_carried_stream_ends_like_its_own() {
    check_async(
        parent(async || {
            let mut items = Box::pin(stream::iter([1]).fuse().in_current_span());
            assert_eq!(items.next().await, Some(1));
            assert_eq!(items.next().await, None);
            let waker = &mut TaskContext::from_waker(Waker::noop());
            assert_eq!(items.poll_next_unpin(waker), Poll::Ready(None));
        }),
        "parent",
    );
}
