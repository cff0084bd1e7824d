//! What runs on behalf of whom: an actor with an alarm, and requests that overlap.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use enter_span::testing::{Recorder, Trace};
use enter_span::{Span, Value, enter_span};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;

use crate::support::check::block_on;

/// An actor's storage: one alarm. Each call makes a span, as those of an instrumented client do.
#[derive(Default)]
struct Storage {
    alarm: Mutex<Option<u32>>,
}

impl Storage {
    fn alarm(&self) -> MutexGuard<'_, Option<u32>> {
        self.alarm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[enter_span("setAlarm")]
    fn set_alarm(&self, time: u32) {
        *self.alarm() = Some(time);
    }

    #[enter_span("getAlarm")]
    fn get_alarm(&self) -> Option<u32> {
        *self.alarm()
    }
}

/// Sets the alarm, waits for it, and looks again after it has rung.
#[enter_span("fetch", root)]
async fn fetch(storage: &Storage, set: Rung, rung: Ring) -> &'static str {
    storage.set_alarm(50);
    assert_eq!(storage.get_alarm(), Some(50));
    set.ring();
    rung.await;
    assert_eq!(storage.get_alarm(), None);
    "OK"
}

/// The alarm was taken from the storage before it is delivered.
#[enter_span("alarm", root)]
async fn alarm(storage: &Storage, rung: Rung) {
    assert_eq!(storage.get_alarm(), None);
    rung.ring();
}

/// Waits until the alarm was set, takes it, and delivers it.
async fn deliver(storage: &Storage, set: Ring, rung: Rung) {
    set.await;
    assert_eq!(storage.alarm().take(), Some(50));
    alarm(storage, rung).await;
}

const TREES: &str = "
    fetch
      setAlarm
      getAlarm
      getAlarm
    alarm
      getAlarm
";

/// A bell that works under every executor.
#[derive(Clone, Default)]
struct Bell(Arc<Mutex<(bool, Option<Waker>)>>);

type Ring = Bell;
type Rung = Bell;

impl Bell {
    fn state(&self) -> MutexGuard<'_, (bool, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(self) {
        let mut state = self.state();
        state.0 = true;
        let waiting = state.1.take();
        drop(state);
        // Here, inside of whoever rings it.
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Future for Bell {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        state.1 = Some(cx.waker().clone());
        if state.0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// The two halves of the actor: what serves the request, and what delivers the alarm.
struct Actor {
    storage: Arc<Storage>,
    set: Bell,
    rung: Bell,
}

impl Actor {
    fn new() -> Self {
        Actor {
            storage: Arc::default(),
            set: Bell::default(),
            rung: Bell::default(),
        }
    }

    fn request(&self) -> impl Future<Output = ()> + Send + 'static {
        let (storage, set, rung) = (
            Arc::clone(&self.storage),
            self.set.clone(),
            self.rung.clone(),
        );
        async move { assert_eq!(fetch(&storage, set, rung).await, "OK") }
    }

    fn delivery(&self) -> impl Future<Output = ()> + Send + 'static {
        let (storage, set, rung) = (
            Arc::clone(&self.storage),
            self.set.clone(),
            self.rung.clone(),
        );
        async move { deliver(&storage, set, rung).await }
    }
}

/// One task that polls both handlers.
#[test]
fn an_actor_that_polls_its_handlers_keeps_them_apart() {
    let trace = block_on(Recorder::new().run_async(async {
        let actor = Actor::new();
        let handlers: [Pin<Box<dyn Future<Output = ()>>>; 2] =
            [Box::pin(actor.request()), Box::pin(actor.delivery())];
        let handlers: FuturesUnordered<_> = handlers.into_iter().collect();
        handlers.collect::<Vec<()>>().await;
    }));
    trace.assert_tree(TREES);
}

/// Two tasks, on two workers.
#[test]
fn an_actor_of_two_tasks_keeps_them_apart() {
    use enter_span::prelude::*;
    let recorder = Recorder::new();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).build();
    runtime.expect("a runtime of two workers").block_on(async {
        let actor = Actor::new();
        let context = recorder.context();
        let request = tokio::spawn(actor.request().in_span(&context));
        let delivery = tokio::spawn(actor.delivery().in_span(&context));
        assert!(request.await.is_ok() && delivery.await.is_ok());
    });
    recorder.trace().assert_tree(TREES);
}

/// Local tasks on a runtime of one thread.
#[test]
fn an_actor_of_local_tasks_keeps_them_apart() {
    use enter_span::task::spawn_local_in_current_span;
    let trace = block_on(Recorder::new().run_async(LocalSet::new().run_until(async {
        let actor = Actor::new();
        let request = spawn_local_in_current_span(actor.request());
        let delivery = spawn_local_in_current_span(actor.delivery());
        assert!(request.await.is_ok() && delivery.await.is_ok());
    })));
    trace.assert_tree(TREES);
}

/// An executor whose waker polls the woken task at once, wherever it is woken.
struct Inline(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

thread_local! {
    /// How many polls are on this thread's stack now, and were at most.
    static POLLS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

impl Inline {
    fn start(future: impl Future<Output = ()> + Send + 'static) {
        Arc::new(Inline(Mutex::new(Some(Box::pin(future))))).wake();
    }

    fn task(&self) -> MutexGuard<'_, Option<Pin<Box<dyn Future<Output = ()> + Send>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        // Taken out while it is polled: woken by itself, it is not there.
        let Some(mut future) = self.task().take() else {
            return;
        };
        let (depth, deepest) = POLLS.get();
        POLLS.set((depth + 1, deepest.max(depth + 1)));
        let waker = Waker::from(Arc::clone(&self));
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        POLLS.set((depth, POLLS.get().1));
        if poll.is_pending() {
            *self.task() = Some(future);
        }
    }
}

/// The alarm's handler wakes the request, which then runs below it on the stack.
#[test]
fn a_task_that_is_polled_inside_of_its_waker_keeps_its_own_span() {
    use enter_span::prelude::*;
    let recorder = Recorder::new();
    recorder.enter(|| {
        let actor = Actor::new();
        Inline::start(actor.request().in_current_span());
        assert_eq!(POLLS.take(), (0, 1));
        Inline::start(actor.delivery().in_current_span());
        assert_eq!(POLLS.take(), (0, 2));
    });
    recorder.trace().assert_tree(TREES);
}

/// Waits for its turn, lets the other one go on, and says on its root who it is.
#[enter_span(name = name, root)]
async fn overlapping(name: &'static str, turn: Rc<Notify>, other: Rc<Notify>) {
    enter_span("body", |_| {});
    turn.notified().await;
    other.notify_one();
    look_up(name).await;
}

#[enter_span]
async fn look_up(name: &'static str) {
    tokio::task::yield_now().await;
    Span::root().set_attribute("overlapping.request", name);
}

/// Requests that overlap on one actor: each finds its own root, whichever is the newest.
#[test]
fn overlapping_requests_find_their_own_root() {
    let trace = block_on(Recorder::new().run_async(async {
        let (a, b) = (Rc::new(Notify::new()), Rc::new(Notify::new()));
        let first = overlapping("a", Rc::clone(&a), Rc::clone(&b));
        let second = async {
            a.notify_one();
            overlapping("b", Rc::clone(&b), Rc::clone(&a)).await;
        };
        tokio::join!(first, second);
    }));
    trace.assert_tree(
        "
        a overlapping.request=a
          body
          look_up
        b overlapping.request=b
          body
          look_up
        ",
    );
}

/// What is found by look-up: the innermost span, the root, nothing; never a way to end it.
#[test]
fn look_up_finds_the_innermost_span_and_the_root() {
    let ids = |span: &Span| (span.trace_id(), span.span_id());
    let trace = block_on(Recorder::new().run_async(async {
        assert_eq!(Span::current().span_id(), None);
        assert_eq!(Span::root().span_id(), None);
        enter_span::enter_span_async("handler", async |handler: Span| {
            assert_eq!(ids(&Span::current()), ids(&handler));
            assert_eq!(ids(&Span::current()), ids(&Span::current()));
            enter_span::enter_span_async("inner", async |inner: Span| {
                for _ in 0..2 {
                    assert_eq!(ids(&Span::current()), ids(&inner));
                    assert_eq!(ids(&Span::root()), ids(&handler));
                    tokio::task::yield_now().await;
                }
            })
            .await;
            assert_eq!(ids(&Span::current()), ids(&handler));
            drop(Span::root());
            assert!(handler.is_traced());
        })
        .await;
    }));
    trace.assert_tree("handler\n  inner");
}

/// The root below a remote parent is the first span of this process; below spans that others made,
/// the one that ours hang on; and in a trace that foreign code starts inside of ours, its own.
#[test]
fn the_root_is_this_processs_part_of_the_trace() {
    use opentelemetry::Context as OtelContext;
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    let recorder = Recorder::new();
    let tracer = recorder.tracer_provider().tracer("theirs");
    let mark = |name: &'static str| {
        enter_span("inner", |_| {
            Span::root().set_attribute("root of", name);
        });
    };
    recorder.enter(|| {
        let remote = OtelContext::new().with_remote_span_context(remote());
        #[enter_span("served", parent = parent)]
        fn served(parent: &OtelContext, work: impl Fn()) {
            work();
        }
        served(&remote, || enter_span("below", |_| mark("remote")));
        let theirs = OtelContext::current_with_span(tracer.start("theirs"));
        let attached = theirs.attach();
        enter_span("ours", |_| {
            mark("foreign");
            let unrelated = tracer.start_with_context("unrelated", &OtelContext::new());
            let _attached = OtelContext::current_with_span(unrelated).attach();
            mark("other trace");
        });
        drop(attached);
    });
    let trace = recorder.trace();
    let marked = |name: &str| trace.find(name).attribute("root of");
    assert_eq!(marked("served"), Some(Value::from("remote")));
    assert_eq!(marked("theirs"), Some(Value::from("foreign")));
    assert_eq!(marked("unrelated"), Some(Value::from("other trace")));
}

/// Says on the root who found it.
fn mark(key: &'static str, by: &'static str) {
    Span::root().set_attribute(key, by);
}

/// A context that other code captured, and attached on another thread, knows its root there.
#[test]
fn the_root_is_found_in_contexts_that_others_carry() {
    use opentelemetry::Context as OtelContext;
    let trace = Recorder::new().run(|| {
        enter_span("root", |_| {
            enter_span("child", |_| {
                let carried = OtelContext::current();
                let elsewhere = std::thread::spawn(move || {
                    let _attached = carried.attach();
                    enter_span("elsewhere", |_| mark("by", "elsewhere"));
                    Span::root().set_attribute("also", true);
                });
                elsewhere.join().expect("no panic");
            });
        });
    });
    let root = trace.find("root");
    assert_eq!(root.attribute("by"), Some(Value::from("elsewhere")));
    assert_eq!(root.attribute("also"), Some(Value::from(true)));
}

/// Two of ours hang on one foreign span: it is the root of both, also when one of them has ended.
#[test]
fn a_foreign_root_is_known_until_the_last_of_ours_ends() {
    use opentelemetry::Context as OtelContext;
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    let recorder = Recorder::new();
    let tracer = recorder.tracer_provider().tracer("theirs");
    recorder.enter(|| {
        let theirs = OtelContext::current_with_span(tracer.start("theirs"));
        let _attached = theirs.attach();
        let first = enter_span::start_span("first");
        let second = enter_span::start_span("second");
        drop(first);
        second.enter(|| enter_span("below", |_| mark("from", "below")));
    });
    let trace = recorder.trace();
    let from = trace.find("theirs").attribute("from");
    assert_eq!(from, Some(Value::from("below")));
}

/// A service that calls itself has two roots in one trace, and what is below each finds its own.
#[test]
fn each_part_of_a_trace_finds_its_own_root() {
    let trace = Recorder::new().run(|| {
        enter_span("client", |_| {
            let mut headers = Vec::<(String, String)>::new();
            enter_span::inject(&mut headers);
            let caller = enter_span::extract(&headers);
            enter_span::in_span!("server", parent = caller, |_| {
                enter_span("handler", |_| mark("is", "server"));
            });
            enter_span("after", |_| mark("is", "client"));
        });
    });
    let is = |name: &str| trace.find(name).attribute("is");
    assert_eq!(is("server"), Some(Value::from("server")));
    assert_eq!(is("client"), Some(Value::from("client")));
}

/// More siblings than a thread remembers spans: each of them knows its root.
#[test]
fn all_of_many_siblings_know_their_root() {
    Recorder::new().enter(|| {
        enter_span("root", |root: Span| {
            for _ in 0..1_000 {
                enter_span("child", |_| {
                    assert_eq!(Span::root().span_id(), root.span_id());
                });
            }
        });
    });
}

/// What an error shows starts a span, and asks for the root.
#[derive(Debug)]
struct Loud;

impl std::fmt::Display for Loud {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let root = enter_span("shown", |_| Span::root().span_id());
        write!(formatter, "{}", root.is_some())
    }
}

impl std::error::Error for Loud {}

/// OpenTelemetry shows an error under the lock of the span. A span that starts there takes no such lock.
#[test]
fn a_span_may_start_while_the_span_above_is_locked() {
    use opentelemetry::Context as OtelContext;
    use opentelemetry::trace::TraceContextExt as _;
    let trace = Recorder::new().run(|| {
        enter_span("root", |_| {
            OtelContext::current().span().record_error(&Loud);
            enter_span("child", |_| {
                OtelContext::current().span().record_error(&Loud);
            });
        });
    });
    let parents = trace.find_all("shown").map(|span| span.parent_id());
    let expected = ["root", "child"].map(|name| Some(trace.find(name).span_id()));
    assert_eq!(parents.collect::<Vec<_>>(), expected);
}

fn remote() -> opentelemetry::trace::SpanContext {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

/// An actor keeps a future that never ends: the requests' traces do not wait for it.
#[test]
fn what_an_actor_keeps_pending_holds_no_request() {
    let recorder = Recorder::new();
    let kept = RefCell::new(VecDeque::new());
    block_on(async {
        let actor = async |path: &'static str| {
            enter_span::in_span!("request", root, attributes(path), async |_| {
                if path == "/orphan" {
                    let (never, pending) = oneshot::channel::<()>();
                    let work = enter_span::enter_span_async("hangs", async |_| pending.await);
                    let mut work = Box::pin(work);
                    assert!(futures::poll!(&mut work).is_pending());
                    kept.borrow_mut().push_back((never, work));
                }
            })
            .await;
        };
        recorder
            .enter_async(async {
                actor("/orphan").await;
                actor("/ping").await;
            })
            .await;
    });
    let trace: Trace = recorder.trace();
    trace.assert_tree(
        "
        request path=/orphan
          hangs (open)
        request path=/ping
        ",
    );
    drop(kept);
    assert!(recorder.trace().find("hangs").is_ended());
}

/// Traces that foreign code starts one below the other keep nothing of each other.
#[test]
fn a_chain_of_foreign_traces_keeps_nothing_of_those_before() {
    use opentelemetry::Context as OtelContext;
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    let recorder = Recorder::new();
    let tracer = recorder.tracer_provider().tracer("theirs");
    recorder.enter(|| {
        let mut context = OtelContext::current();
        for _ in 0..20_000 {
            let theirs = tracer.start_with_context("theirs", &OtelContext::new());
            let below = context.with_span(theirs);
            let ours = enter_span::start_span!("ours", parent = below);
            context = ours.context().into();
        }
        // Its destructor has one trace to drop, and not all that were.
        drop(context);
    });
    assert_eq!(recorder.trace().spans().len(), 40_000);
}
