//! The forms that asynchronous functions have, each with its span around the whole work.

use std::future::{Future, Ready, poll_fn, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use enter_span::testing::Recorder;
use enter_span::{enter_span, enter_span_async, in_span};
use futures::FutureExt as _;
use futures::future::{BoxFuture, LocalBoxFuture};
use tokio::task::yield_now;

use crate::support::check::{check, check_async};

/// Work inside of the function under test: it shows where it was done, also after a yield.
#[enter_span(attributes(n))]
async fn step(n: u8) -> u8 {
    yield_now().await;
    n
}

#[enter_span(attributes(n))]
async fn plain(n: u8) -> u8 {
    step(n).await;
    step(n + 1).await
}

/// `async fn` plain.
#[test]
fn an_async_fn_is_a_span_around_all_its_awaits() {
    check_async(
        plain(1),
        "
        plain n=1
          step n=1
          step n=2
        ",
    );
}

/// An `async fn` finds its parent when it is first polled, not when it is called.
#[test]
fn an_async_fn_is_the_child_of_who_awaits_it() {
    check_async(
        async {
            let work = enter_span("made", |_| step(1));
            enter_span_async("awaited", |_| work).await
        },
        "
        made
        awaited
          step n=1
        ",
    );
}

#[enter_span(attributes(n))]
fn later<'a>(n: &'a u8) -> impl Future<Output = u8> + 'a {
    let first = *n;
    async move {
        step(first).await;
        step(*n + 1).await
    }
}

/// `-> impl Future<Output = T> + 'a`.
#[test]
fn a_returned_future_is_worked_on_in_the_span() {
    check_async(
        async { later(&1).await },
        "
        later n=1
          step n=1
          step n=2
        ",
    );
}

/// `-> impl Future`: its body runs at the call, so there it starts and finds its parent.
#[test]
fn a_returned_future_is_the_child_of_who_calls() {
    check_async(
        async {
            let work = enter_span("called", |_| later(&1));
            enter_span_async("awaited", |_| work).await
        },
        "
        called
          later n=1
            step n=1
            step n=2
        awaited
        ",
    );
}

#[enter_span]
fn spelled<'a>(n: &'a mut u8) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> {
    let before = *n;
    *n += 1;
    Box::pin(async move { step(before).await + step(*n).await })
}

#[enter_span]
fn spelled_in_full(
    n: u8,
) -> ::std::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = u8>>> {
    Box::pin(step(n))
}

#[enter_span]
fn boxed(n: u8) -> BoxFuture<'static, u8> {
    let n = n + 1;
    step(n).boxed()
}

#[enter_span]
fn boxed_local(n: &u8) -> LocalBoxFuture<'_, u8> {
    step(*n).boxed_local()
}

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[enter_span(future)]
fn aliased(n: u8) -> Work<'static, u8> {
    Box::pin(step(n))
}

/// `-> Pin<Box<dyn Future + Send + 'a>>`, `BoxFuture`, alias.
#[test]
fn boxed_futures_are_worked_on_in_the_span() {
    check_async(
        async {
            assert_eq!(spelled(&mut 1).await, 3);
            assert_eq!(spelled_in_full(1).await, 1);
            assert_eq!(boxed(1).await, 2);
            assert_eq!(boxed_local(&1).await, 1);
            assert_eq!(aliased(1).await, 1);
        },
        "
        spelled
          step n=1
          step n=2
        spelled_in_full
          step n=1
        boxed
          step n=2
        boxed_local
          step n=1
        aliased
          step n=1
        ",
    );
}

#[enter_span]
fn several(n: u8) -> BoxFuture<'static, Result<u8, String>> {
    if n == 0 {
        return Box::pin(async { Err("zero".to_owned()) });
    }
    match n {
        1 => return Box::pin(async { Ok(step(1).await) }),
        2 => return ready(Ok(2)).boxed(),
        _ => {}
    }
    Box::pin(async move { Ok(step(n).await) })
}

/// several `return Box::pin(..)`.
#[test]
fn every_return_of_a_boxed_future_is_in_the_span() {
    check_async(
        async {
            for n in 0..4 {
                assert_eq!(several(n).await.is_ok(), n > 0);
            }
        },
        "
        several !String
        several
          step n=1
        several
        several
          step n=3
        ",
    );
}

fn optional(n: u8) -> Option<impl Future<Output = u8>> {
    (n > 0).then(|| in_span!("optional", attributes(n = n), async move |_| step(n).await))
}

/// a future inside a tuple, `Option` or `Result` cannot be wrapped; its work can, by hand.
#[test]
fn a_future_inside_of_another_type_takes_a_block() {
    check_async(
        async {
            assert!(optional(0).is_none());
            optional(2).expect("a future").await
        },
        "
        optional n=2
          step n=2
        ",
    );
}

/// A future by hand that is ready at its second poll.
struct Twice(bool);

impl Twice {
    #[enter_span]
    fn poll_once(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
        if self.0 {
            return Poll::Ready(1);
        }
        self.get_mut().0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Future for Twice {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
        self.poll_once(cx)
    }
}

#[enter_span(call_only)]
fn at_once(n: u8) -> Ready<u8> {
    ready(n)
}

/// `Ready` and functions returning `Poll<T>`: a span for each call.
#[test]
fn a_poll_function_is_a_span_for_each_poll() {
    check_async(
        async { Twice(false).await + at_once(1).await },
        "
        poll_once
        poll_once
        at_once
        ",
    );
}

/// a future by hand, returned or awaited, is a future like any other.
#[test]
fn a_future_by_hand_is_worked_on_in_the_span() {
    #[enter_span]
    fn by_hand() -> impl Future<Output = u8> {
        Twice(false)
    }
    check_async(
        async { by_hand().await },
        "
        by_hand
          poll_once
          poll_once
        ",
    );
}

#[enter_span]
async fn applies<F>(f: F) -> u8
where
    F: AsyncFn(&u8) -> u8,
{
    f(&1).await + f(&2).await
}

/// async closures and `AsyncFn` bounds.
#[test]
fn async_closures_are_called_in_the_span() {
    check_async(
        async {
            let offset = 1;
            applies(async |n: &u8| step(*n + offset).await).await
        },
        "
        applies
          step n=2
          step n=3
        ",
    );
}

/// the closure of a block may be async, and may borrow from the handle across an await.
#[test]
fn an_async_closure_borrows_from_its_span() {
    check_async(
        async {
            let text = String::from("kept");
            in_span!("macro", async |span| {
                let span = &span;
                yield_now().await;
                span.set_attribute("text", text.as_str());
            })
            .await;
            enter_span_async("function", async |span| {
                let span = &span;
                yield_now().await;
                span.set_attribute("text", text.as_str());
            })
            .await;
            in_span!("future", |span| async {
                let span = span;
                yield_now().await;
                span.set_attribute("text", text.as_str());
            })
            .await;
        },
        "
        macro text=kept
        function text=kept
        future text=kept
        ",
    );
}

/// The expansion of `async_trait` before 0.1.43: the body in a function of its own.
struct Old;

impl Old {
    #[enter_span(attributes(n))]
    fn call<'life0, 'async_trait>(
        &'life0 self,
        n: u8,
    ) -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        async fn __call(_self: &Old, n: u8) -> u8 {
            step(n).await
        }
        Box::pin(__call(self, n))
    }
}

/// `async_trait`, old expansion (inner fn, `_self`).
#[test]
fn the_old_expansion_of_async_trait_is_a_future_in_its_span() {
    check_async(
        async { Old.call(1).await },
        "
        call n=1
          step n=1
        ",
    );
}

#[async_trait]
trait Store {
    async fn load(&self, id: u8) -> Result<u8, String>;

    async fn pair(&self, mut id: u8, (left, _): (u8, &str)) -> u8 {
        id += left;
        step(id).await
    }

    #[enter_span(attributes(id))]
    async fn provided(&self, id: u8) -> u8 {
        step(id).await
    }

    async fn made() -> Self
    where
        Self: Sized;
}

struct Memory(u8);

#[async_trait]
impl Store for Memory {
    #[enter_span(attributes(id, own = self.0))]
    async fn load(&self, id: u8) -> Result<u8, String> {
        if id == 0 {
            return Err(format!("no {id}"));
        }
        Ok(step(id + self.0).await)
    }

    #[enter_span(attributes(id))]
    async fn pair(&self, mut id: u8, (left, _): (u8, &str)) -> u8 {
        id += left;
        step(id).await
    }

    #[enter_span]
    async fn made() -> Self {
        Self(step(5).await)
    }
}

/// `async_trait`, new expansion; the attribute on the methods of an `impl`.
#[test]
fn methods_below_async_trait_are_spans_around_their_work() {
    check_async(
        async {
            let store = Memory(1);
            assert!(store.load(0).await.is_err());
            assert_eq!(store.load(2).await, Ok(3));
            assert_eq!(store.pair(1, (2, "")).await, 3);
            assert_eq!(Memory::made().await.0, 5);
        },
        "
        load id=0 own=1 !String
        load id=2 own=1
          step n=3
        pair id=1
          step n=3
        made
          step n=5
        ",
    );
}

/// a trait method with a default body, also as a trait object.
#[test]
fn a_default_body_is_a_span() {
    check_async(
        async {
            let store: Box<dyn Store + Sync> = Box::new(Memory(1));
            store.provided(4).await
        },
        "
        provided id=4
          step n=4
        ",
    );
}

#[async_trait]
trait Run {
    async fn run(&self, n: u8) -> u8;
}

struct Above;

#[enter_span]
#[async_trait]
impl Run for Above {
    async fn run(&self, n: u8) -> u8 {
        step(n).await
    }
}

struct Below;

#[async_trait]
#[enter_span]
impl Run for Below {
    #[enter_span(attributes(n))]
    async fn run(&self, n: u8) -> u8 {
        step(n).await
    }
}

struct Local(std::rc::Rc<u8>);

#[async_trait(?Send)]
trait RunLocal {
    async fn run(&self) -> u8;
}

#[async_trait(?Send)]
impl RunLocal for Local {
    #[enter_span]
    async fn run(&self) -> u8 {
        let own = std::rc::Rc::clone(&self.0);
        step(*own).await
    }
}

/// the attribute above and below `#[async_trait]`, on the `impl`.
#[test]
fn the_order_beside_async_trait_does_not_matter() {
    check_async(
        async {
            Above.run(1).await;
            Below.run(2).await;
            Local(3.into()).run().await;
        },
        "
        Above::run
          step n=1
        Below::run n=2
          step n=2
        run
          step n=3
        ",
    );
}

#[trait_variant::make(SendWorker: Send)]
trait Worker {
    async fn work(&self, n: u8) -> u8;

    fn later(&self, n: u8) -> impl Future<Output = u8>;
}

struct Native;

impl SendWorker for Native {
    #[enter_span(attributes(n))]
    async fn work(&self, n: u8) -> u8 {
        step(n).await
    }

    #[enter_span(attributes(n))]
    fn later(&self, n: u8) -> impl Future<Output = u8> + Send {
        step(n)
    }
}

trait Spawned {
    #[enter_span]
    async fn provided(&self) -> u8 {
        step(9).await
    }
}

impl Spawned for Native {}

/// Only a future that is known to be `Send` gets through here.
async fn through_a_bound<W: SendWorker + Sync>(worker: &W) -> u8 {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    assert_send(worker.work(1)).await + assert_send(worker.later(2)).await
}

/// AFIT, RPITIT, `#[trait_variant]`.
#[test]
fn methods_of_native_async_traits_are_spans() {
    check_async(
        async {
            assert_eq!(through_a_bound(&Native).await, 3);
            assert_eq!(Worker::work(&Native, 4).await, 4);
            assert_eq!(Worker::later(&Native, 5).await, 5);
            assert_eq!(Spawned::provided(&Native).await, 9);
        },
        "
        work n=1
          step n=1
        later n=2
          step n=2
        work n=4
          step n=4
        later n=5
          step n=5
        provided
          step n=9
        ",
    );
}

/// polled after Ready: the span stays one, and the future is asked as without us.
#[test]
fn a_future_that_is_polled_after_its_end_opens_no_second_span() {
    #[enter_span]
    fn always() -> impl Future<Output = u8> {
        poll_fn(|_| Poll::Ready(1))
    }
    check(
        || {
            let mut work = Box::pin(always());
            let mut cx = Context::from_waker(Waker::noop());
            assert_eq!(work.as_mut().poll(&mut cx), Poll::Ready(1));
            assert_eq!(work.as_mut().poll(&mut cx), Poll::Ready(1));
        },
        "always",
    );
}

/// polled after Ready: an `async fn` panics as it does without us, outside of any span.
#[test]
fn an_async_fn_that_is_polled_after_its_end_panics_as_ever() {
    check(
        || {
            let mut work = Box::pin(plain(1));
            let ended = loop {
                if let Some(value) = work.as_mut().now_or_never() {
                    break value;
                }
            };
            assert_eq!(ended, 2);
            let again = std::panic::AssertUnwindSafe(|| work.as_mut().now_or_never());
            assert!(std::panic::catch_unwind(again).is_err());
        },
        "
        plain n=1
          step n=1
          step n=2
        ",
    );
}

/// polled on another thread: the span stays current wherever its future is polled.
#[test]
fn a_future_takes_its_span_to_another_thread() {
    let recorder = Recorder::new();
    let mut work = Box::pin(plain(1));
    recorder.enter(|| assert_eq!(work.as_mut().now_or_never(), None));
    let elsewhere = std::thread::spawn(move || {
        let value = futures::executor::block_on(work);
        (value, enter_span::span_id())
    });
    assert_eq!(elsewhere.join().ok(), Some((2, None)));
    recorder.trace().assert_tree(
        "
        plain n=1
          step n=1
          step n=2
        ",
    );
}

/// what is off at the call is returned untouched.
#[test]
fn a_future_that_was_made_outside_of_a_recorder_stays_unrecorded() {
    let made = later(&1);
    check_async(
        made,
        "
        step n=1
        step n=2
        ",
    );
}

/// TW19e: hand-written futures are awaited; values that are no futures, and iterators, are not, and
/// the span of what makes an iterator ends before anything is taken from it.
#[test]
fn what_is_no_future_ends_its_span_at_once() {
    check_async(
        async {
            let made = enter_span::enter_span_async("hand-written", |_| Twice(false)).await;
            assert_eq!(made, 1);
            assert_eq!(enter_span::enter_span("nothing", |_| None::<()>), None);
            let numbers = enter_span::enter_span("iterator", |_| {
                (1..3).map(|n| enter_span::enter_span("item", move |_| n))
            });
            assert_eq!(numbers.sum::<i32>(), 3);
        },
        "
        hand-written
          poll_once
          poll_once
        nothing
        iterator
        item
        item
        ",
    );
}
