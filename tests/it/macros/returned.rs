//! What a function returns and works on later: in its span, warned about, or neither.
//!
//! The list in the docs of the attribute is compared with the functions below, each of which the compiler
//! checks: whatever is warned about carries an expectation, and nothing else may be.

#![deny(deprecated, unfulfilled_lint_expectations)]

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use enter_span::{enter_span, in_span};
use futures::stream;
use futures::{FutureExt as _, Stream, StreamExt as _};

use crate::support::check::{check, check_async};

/// Work: it shows where it was done.
#[enter_span]
async fn child() -> u8 {
    tokio::task::yield_now().await;
    1
}

fn children() -> impl Stream<Item = u8> {
    stream::once(child())
}

/// A future with a name of its own.
struct Work(Pin<Box<dyn Future<Output = u8>>>);

impl Work {
    fn new() -> Self {
        Work(Box::pin(child()))
    }
}

impl Future for Work {
    type Output = u8;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
        self.0.as_mut().poll(cx)
    }
}

/// A stream with a name of its own.
struct Rows(Pin<Box<dyn Stream<Item = u8>>>);

impl Rows {
    fn new() -> Self {
        Rows(Box::pin(children()))
    }
}

impl Stream for Rows {
    type Item = u8;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
        self.0.as_mut().poll_next(cx)
    }
}

/// What becomes a future when it is awaited.
struct Request;

impl IntoFuture for Request {
    type Output = u8;
    type IntoFuture = Work;

    #[enter_span(call_only)]
    fn into_future(self) -> Work {
        Work::new()
    }
}

/// A trait of the application's, of which no name tells that it is a future.
trait Job: Future<Output = u8> {}

impl<F: Future<Output = u8>> Job for F {}

/// Functions, each after what the docs say that it returns.
macro_rules! listed {
    ($($name:literal $item:item)*) => {
        pub(super) const LISTED: &[&str] = &[$($name),*];
        $($item)*
    };
}

mod wrapped {
    use futures::future::{BoxFuture, FusedFuture, LocalBoxFuture, TryFuture};
    use futures::stream::{BoxStream, FusedStream, LocalBoxStream, TryStream};

    use super::*;

    type Later = Pin<Box<dyn Future<Output = u8> + Send>>;
    type Numbers = Box<dyn Stream<Item = u8> + Send>;

    listed! {
        "impl Future"
        #[enter_span]
        pub(super) fn opaque() -> impl Future<Output = u8> {
            child()
        }

        "impl FusedFuture"
        #[enter_span]
        pub(super) fn fused() -> impl FusedFuture<Output = u8> {
            child().fuse()
        }

        "impl TryFuture"
        #[enter_span]
        pub(super) fn fallible() -> impl TryFuture<Ok = u8, Error = String> {
            async { Err(child().await.to_string()) }
        }

        "impl IntoFuture"
        #[enter_span]
        pub(super) fn convertible() -> impl IntoFuture<Output = u8> {
            Request
        }

        "Pin<Box<dyn Future>>"
        #[enter_span]
        pub(super) fn pinned() -> Pin<Box<dyn Future<Output = u8>>> {
            Box::pin(child())
        }

        "Box<dyn Future>"
        #[enter_span]
        pub(super) fn boxed() -> Box<dyn Future<Output = u8> + Unpin + Send> {
            Box::new(Box::pin(child()))
        }

        "BoxFuture"
        #[enter_span]
        pub(super) fn box_future() -> BoxFuture<'static, u8> {
            child().boxed()
        }

        "LocalBoxFuture"
        #[enter_span]
        pub(super) fn local_box_future() -> LocalBoxFuture<'static, u8> {
            child().boxed_local()
        }

        "impl Stream"
        #[enter_span]
        pub(super) fn rows() -> impl Stream<Item = u8> {
            children()
        }

        "impl FusedStream"
        #[enter_span]
        pub(super) fn fused_rows() -> impl FusedStream<Item = u8> {
            children().fuse()
        }

        "impl TryStream"
        #[enter_span]
        pub(super) fn fallible_rows() -> impl TryStream<Ok = u8, Error = String> {
            children().map(Ok)
        }

        "Pin<Box<dyn Stream>>"
        #[enter_span]
        pub(super) fn pinned_rows() -> Pin<Box<dyn Stream<Item = u8> + Sync + Unpin>> {
            Box::pin(stream::empty())
        }

        "Box<dyn Stream>"
        #[enter_span]
        pub(super) fn boxed_rows() -> Box<dyn Stream<Item = u8> + Unpin> {
            Box::new(Box::pin(children()))
        }

        "BoxStream"
        #[enter_span]
        pub(super) fn box_stream() -> BoxStream<'static, u8> {
            children().boxed()
        }

        "LocalBoxStream"
        #[enter_span]
        pub(super) fn local_box_stream() -> LocalBoxStream<'static, u8> {
            children().boxed_local()
        }

        "future"
        #[enter_span(future)]
        pub(super) fn aliased() -> Later {
            Box::pin(child())
        }

        "stream"
        #[enter_span(stream)]
        pub(super) fn aliased_rows() -> Numbers {
            Box::new(children())
        }
    }

    #[enter_span]
    pub(super) async fn opaque_later() -> impl Future<Output = u8> {
        child()
    }

    #[enter_span]
    pub(super) async fn rows_later() -> impl Stream<Item = u8> {
        child().await;
        children()
    }

    #[enter_span]
    pub(super) async fn boxed_later() -> BoxFuture<'static, Result<u8, String>> {
        async { Err(child().await.to_string()) }.boxed()
    }

    #[enter_span(future)]
    pub(super) async fn aliased_later() -> Later {
        Box::pin(child())
    }

    #[enter_span(stream)]
    pub(super) async fn aliased_rows_later() -> Numbers {
        Box::new(children())
    }

    #[enter_span]
    pub(super) async fn convertible_later() -> impl IntoFuture<Output = u8> {
        Work::new()
    }
}

mod warned {
    use std::future::{Ready, ready};

    use futures::future::{BoxFuture, FusedFuture};

    use super::*;

    type Later = Pin<Box<dyn Future<Output = u8>>>;
    type Result<T> = BoxFuture<'static, std::result::Result<T, String>>;

    listed! {
        "struct"
        #[enter_span]
        #[expect(deprecated, reason = "the warning under test")]
        pub(super) fn by_hand() -> Work {
            Work::new()
        }

        "F: Future"
        #[enter_span]
        #[expect(deprecated, reason = "the warning under test")]
        pub(super) fn generic<F: Future>(work: F) -> F {
            work
        }

        "Self"
        #[expect(deprecated, reason = "the warning under test")]
        #[enter_span]
        impl Work {
            pub(super) fn renewed(self) -> Self {
                self
            }
        }

        "&mut F"
        #[enter_span]
        #[expect(deprecated, reason = "the warning under test")]
        pub(super) fn borrowed(work: &mut Work) -> &mut Work {
            work
        }

        "Ready"
        #[enter_span]
        #[expect(deprecated, reason = "the warning under test")]
        pub(super) fn at_once() -> Ready<u8> {
            ready(1)
        }

        "Pin<Box<dyn FusedFuture>>"
        #[enter_span]
        #[expect(deprecated, reason = "the warning under test")]
        pub(super) fn fused() -> Pin<Box<dyn FusedFuture<Output = u8>>> {
            Box::pin(child().fuse())
        }

        "impl Job"
        #[enter_span]
        #[expect(deprecated, reason = "the warning under test")]
        pub(super) fn job() -> impl Job {
            child()
        }
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) fn aliased() -> Later {
        Box::pin(child())
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) fn under_a_known_name() -> Result<u8> {
        async { Ok(child().await) }.boxed()
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) fn rows() -> Rows {
        Rows::new()
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) fn request() -> Request {
        Request
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) async fn by_hand_later() -> Work {
        Work::new()
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) async fn rows_later() -> Rows {
        Rows::new()
    }

    #[enter_span(err = ignore)]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) async fn unread() -> Work {
        Work::new()
    }

    #[enter_span]
    #[expect(deprecated, reason = "the warning under test")]
    #[expect(
        clippy::async_yields_async,
        reason = "a future in a future is under test"
    )]
    pub(super) fn in_another_future() -> impl Future<Output = Work> {
        async { Work::new() }
    }

    #[enter_span(err = ignore)]
    #[track_caller]
    #[expect(deprecated, reason = "the warning under test")]
    pub(super) fn tracked() -> Work {
        Work::new()
    }
}

mod neither {
    use tokio::sync::futures::Notified;
    use tokio::sync::{Notify, oneshot};
    use tokio::task::{self, JoinHandle};
    use tokio::time::{self, Sleep};

    use super::*;

    type Perhaps = Option<Work>;

    listed! {
        "JoinHandle"
        #[enter_span]
        pub(super) fn spawned() -> JoinHandle<u8> {
            task::spawn(async { 1 })
        }

        "oneshot::Receiver"
        #[enter_span]
        pub(super) fn answer() -> oneshot::Receiver<u8> {
            oneshot::channel().1
        }

        "Notified"
        #[enter_span]
        pub(super) fn notified(notify: &Notify) -> Notified<'_> {
            notify.notified()
        }

        "Sleep"
        #[enter_span]
        pub(super) async fn timer() -> Pin<Box<Sleep>> {
            Box::pin(time::sleep(time::Duration::ZERO))
        }

        "call_only"
        #[enter_span(call_only)]
        pub(super) fn meant<F: Future>(work: F) -> F {
            work
        }

        "Option"
        #[enter_span]
        pub(super) fn perhaps() -> Perhaps {
            Some(Work::new())
        }

        "Vec"
        #[enter_span]
        pub(super) fn several() -> Vec<Work> {
            vec![Work::new()]
        }

        "impl Iterator"
        #[enter_span]
        pub(super) fn items() -> impl Iterator<Item = Work> {
            std::iter::once_with(Work::new)
        }

        "impl Fn"
        #[enter_span]
        pub(super) fn later() -> impl Fn() -> Work {
            Work::new
        }
    }

    #[enter_span(call_only)]
    pub(super) fn opaque() -> impl Future<Output = u8> {
        child()
    }

    #[enter_span(call_only)]
    pub(super) async fn rows_later() -> impl Stream<Item = u8> {
        children()
    }

    #[enter_span(call_only)]
    pub(super) fn in_a_tuple() -> (u8, impl Future<Output = u8>) {
        (1, child())
    }
}

/// What the docs of the attribute list, in the rows whose last column begins so.
fn documented(fate: &str) -> Vec<&'static str> {
    const DOCS: &str = include_str!("../../../runtime/src/lib.rs");
    let (_, table) = DOCS.split_once("/// | returned, ").expect("the table");
    let (table, _) = table.split_once("///\n").expect("an end of it");
    let rows = table.lines().filter_map(|line| {
        let (types, told) = line.strip_suffix(" |")?.rsplit_once(" | ")?;
        told.starts_with(fate).then_some(types)
    });
    rows.flat_map(|types| types.split('`').skip(1).step_by(2))
        .collect()
}

/// The docs and the functions above name the same types.
#[test]
fn the_list_in_the_docs_is_true() {
    assert_eq!(documented("in the span"), wrapped::LISTED);
    assert_eq!(documented("a warning"), warned::LISTED);
    assert_eq!(documented("not in the span"), neither::LISTED);
}

#[test]
fn futures_that_can_be_are_in_the_span() {
    use futures::TryFutureExt;

    check_async(
        async {
            assert_eq!(wrapped::opaque().await, 1);
            assert_eq!(wrapped::fused().await, 1);
            assert!(
                TryFutureExt::into_future(wrapped::fallible())
                    .await
                    .is_err()
            );
            assert_eq!(wrapped::convertible().await, 1);
            assert_eq!(wrapped::pinned().await, 1);
            assert_eq!(wrapped::boxed().await, 1);
            assert_eq!(wrapped::box_future().await, 1);
            assert_eq!(wrapped::local_box_future().await, 1);
            assert_eq!(wrapped::aliased().await, 1);
        },
        "
        opaque
          child
        fused
          child
        fallible !String
          child
        convertible
          into_future
          child
        pinned
          child
        boxed
          child
        box_future
          child
        local_box_future
          child
        aliased
          child
        ",
    );
}

#[test]
fn streams_that_can_be_are_in_the_span() {
    use futures::TryStreamExt as _;

    check_async(
        async {
            assert_eq!(wrapped::rows().count().await, 1);
            assert_eq!(wrapped::fused_rows().count().await, 1);
            let fallible: Result<Vec<u8>, _> = wrapped::fallible_rows().try_collect().await;
            assert_eq!(fallible, Ok(vec![1]));
            assert_eq!(wrapped::pinned_rows().count().await, 0);
            assert_eq!(wrapped::boxed_rows().count().await, 1);
            assert_eq!(wrapped::box_stream().count().await, 1);
            assert_eq!(wrapped::local_box_stream().count().await, 1);
            assert_eq!(Box::into_pin(wrapped::aliased_rows()).count().await, 1);
        },
        "
        rows
          child
        fused_rows
          child
        fallible_rows
          child
        pinned_rows
        boxed_rows
          child
        box_stream
          child
        local_box_stream
          child
        aliased_rows
          child
        ",
    );
}

/// The span of an `async fn` goes on with what it gives, and tells how that went.
#[test]
fn what_an_async_fn_gives_is_in_its_span() {
    check_async(
        async {
            assert_eq!(wrapped::opaque_later().await.await, 1);
            assert_eq!(wrapped::rows_later().await.count().await, 1);
            assert!(wrapped::boxed_later().await.await.is_err());
            assert_eq!(wrapped::aliased_later().await.await, 1);
            let rows = wrapped::aliased_rows_later().await;
            assert_eq!(Box::into_pin(rows).count().await, 1);
            assert_eq!(wrapped::convertible_later().await.await, 1);
            drop(wrapped::rows_later().await);
        },
        "
        opaque_later
          child
        rows_later
          child
          child
        boxed_later !String
          child
        aliased_later
          child
        aliased_rows_later
          child
        convertible_later
          child
        rows_later ~cancelled
          child
        ",
    );
}

/// Their spans end with the call, and what they do later is not below them.
#[test]
fn what_is_warned_about_or_meant_is_not_in_the_span() {
    check_async(
        async {
            assert_eq!(warned::by_hand().await, 1);
            assert_eq!(warned::generic(child()).await, 1);
            let mut work = Work::new().renewed();
            assert_eq!(warned::borrowed(&mut work).await, 1);
            assert_eq!(warned::at_once().await, 1);
            assert_eq!(warned::fused().await, 1);
            assert_eq!(warned::job().await, 1);
            assert_eq!(neither::meant(child()).await, 1);
            assert_eq!(neither::opaque().await, 1);
            assert_eq!(neither::in_a_tuple().1.await, 1);
        },
        "
        by_hand
        child
        generic
        child
        Work::renewed
        borrowed
        child
        at_once
        fused
        child
        job
        child
        meant
        child
        opaque
        child
        in_a_tuple
        child
        ",
    );
}

#[test]
fn what_is_warned_about_by_type_works_as_ever() {
    check_async(
        async {
            drop(warned::aliased());
            drop(warned::under_a_known_name());
            drop(warned::rows());
            warned::request().await;
            drop(warned::by_hand_later().await);
            drop(warned::rows_later().await);
            drop(warned::unread().await);
            drop(warned::in_another_future().await);
            drop(warned::tracked());
            drop(neither::rows_later().await);
            drop(neither::timer().await);
            drop((neither::answer(), neither::perhaps(), neither::several()));
            drop((neither::items(), neither::later()));
            drop(neither::notified(&tokio::sync::Notify::new()));
            assert_eq!(neither::spawned().await.ok(), Some(1));
        },
        "
        aliased
        under_a_known_name
        rows
        request
        into_future
        child
        by_hand_later
        rows_later
        unread
        in_another_future
        tracked
        rows_later
        timer
        answer
        perhaps
        several
        items
        later
        notified
        spawned
        ",
    );
}

/// A box keeps its type, whatever that asks for beside the work.
macro_rules! boxes {
    ($($name:ident: $($bound:ident)*;)*) => {$(
        mod $name {
            use super::*;

            #[enter_span]
            pub(super) fn pinned() -> Pin<Box<dyn Future<Output = u8> $(+ $bound)*>> {
                Box::pin(Box::pin(async { 1 }))
            }

            #[enter_span]
            pub(super) fn boxed() -> Box<dyn Future<Output = u8> $(+ $bound)*> {
                Box::new(Box::pin(async { 1 }))
            }

            #[enter_span]
            pub(super) fn pinned_rows() -> Pin<Box<dyn Stream<Item = u8> $(+ $bound)*>> {
                Box::pin(stream::iter([1]))
            }

            #[enter_span]
            pub(super) fn boxed_rows() -> Box<dyn Stream<Item = u8> $(+ $bound)*> {
                Box::new(stream::iter([1]))
            }
        }
    )*

    /// boxes of all kinds.
    #[test]
    fn a_box_keeps_its_type() {
        let boxes = || async {
            $(
                assert_eq!($name::pinned().await, 1);
                assert_eq!(Box::into_pin($name::boxed()).await, 1);
                assert_eq!($name::pinned_rows().count().await, 1);
                assert_eq!(Box::into_pin($name::boxed_rows()).count().await, 1);
            )*
        };
        let each = ["pinned", "boxed", "pinned_rows", "boxed_rows"];
        check_async(boxes(), &each.repeat(8).join("\n"));
    }};
}

boxes! {
    none: ;
    send: Send;
    sync: Sync;
    both: Send Sync;
    unpin: Unpin;
    unpin_send: Unpin Send;
    unpin_sync: Unpin Sync;
    all: Unpin Send Sync;
}

/// A fused future and stream say when they are over, through the span.
#[test]
fn what_is_fused_says_when_it_is_over() {
    use futures::future::FusedFuture as _;
    use futures::stream::FusedStream as _;

    check_async(
        async {
            let mut work = Box::pin(wrapped::fused());
            assert!(!work.is_terminated());
            work.as_mut().await;
            assert!(work.is_terminated());
            let mut rows = Box::pin(wrapped::fused_rows());
            assert!(!rows.is_terminated());
            while rows.next().await.is_some() {}
            assert!(rows.is_terminated());
        },
        "
        fused
          child
        fused_rows
          child
        ",
    );
}

/// A block gives what it likes, so all that can be polled is put into its span.
#[test]
fn what_a_block_gives_is_in_its_span() {
    check_async(
        async {
            assert_eq!(in_span!("future", |_| Work::new()).await, 1);
            assert_eq!(in_span!("stream", |_| Rows::new()).count().await, 1);
            #[expect(
                clippy::async_yields_async,
                reason = "a future that is given is under test"
            )]
            let made = in_span!("async", async |_| Work::new()).await;
            assert_eq!(made.await, 1);
            let rows = in_span!("rows", async |_| Rows::new()).await;
            assert_eq!(rows.count().await, 1);
        },
        "
        future
          child
        stream
          child
        async
          child
        rows
          child
        ",
    );
}

/// Where it is a handle, or where the call is meant, it is given as it is.
#[test]
fn a_block_may_give_a_future_as_it_is() {
    check_async(
        async {
            let task = in_span!("spawn", |_| tokio::spawn(async { 1 }));
            assert!(!task.is_finished());
            #[expect(
                clippy::async_yields_async,
                reason = "a future that is given is under test"
            )]
            let task = in_span!("spawn later", async |_| task).await;
            task.abort();
            let Work(work) = in_span!("meant", call_only, |_| Work::new());
            #[expect(
                clippy::async_yields_async,
                reason = "a future that is given is under test"
            )]
            let Work(_) = in_span!("meant later", call_only, async |_| Work(work)).await;
            #[expect(deprecated, reason = "the warning under test")]
            let request = in_span!("request", |_| Request);
            assert_eq!(request.await, 1);
        },
        "
        spawn
        spawn later
        meant
        meant later
        request
        into_future
        child
        ",
    );
}

/// Nothing that is read of a value settles a type that the function leaves open.
mod open_types {
    use std::collections::HashMap;
    use std::fmt::{Debug, Display};

    use super::*;

    #[enter_span]
    fn number() -> impl Display {
        1
    }

    #[enter_span]
    fn fraction() -> impl Into<f64> {
        0.5
    }

    #[enter_span]
    fn text() -> impl Into<String> {
        "text"
    }

    #[enter_span]
    fn array() -> impl IntoIterator<Item = u16> {
        [1_u8, 2].map(Into::into)
    }

    #[enter_span]
    fn list() -> Vec<impl Display> {
        vec![1]
    }

    #[enter_span]
    fn perhaps() -> Option<impl Display> {
        Some(1).filter(|n| *n > 0)
    }

    #[enter_span]
    fn pair() -> (impl Display, Option<u8>) {
        (1, None)
    }

    #[enter_span]
    fn nothing() -> impl Debug {
        None::<u8>
    }

    #[enter_span]
    fn table() -> HashMap<&'static str, Box<dyn Fn(u8) -> u8>> {
        HashMap::from_iter([("reversed", Box::new(u8::reverse_bits) as _)])
    }

    #[enter_span]
    fn object() -> Box<dyn Iterator<Item = u8>> {
        Box::new([1].into_iter())
    }

    #[enter_span]
    async fn number_later() -> impl Display {
        1
    }

    #[enter_span]
    async fn parsed_later() -> Result<u8, Box<dyn std::error::Error>> {
        Ok("1".parse()?)
    }

    #[enter_span]
    fn collected() -> impl Future<Output = Vec<u8>> {
        async { (1..3).collect() }
    }

    #[enter_span]
    fn undone() -> impl Debug {
        if true {
            panic!("not done");
        }
    }

    #[test]
    fn stay_open() {
        check_async(
            async {
                assert_eq!(number().to_string(), "1");
                assert!(fraction().into() < 1.0);
                assert_eq!(text().into(), "text");
                assert_eq!(array().into_iter().sum::<u16>(), 3);
                assert_eq!(list().len(), 1);
                assert!(perhaps().is_some());
                assert!(pair().1.is_none());
                assert_eq!(format!("{:?}", nothing()), "None");
                assert_eq!(table()["reversed"](1), 128);
                assert_eq!(object().count(), 1);
                assert_eq!(number_later().await.to_string(), "1");
                assert_eq!(parsed_later().await.ok(), Some(1));
                assert_eq!(collected().await, [1, 2]);
                let undone = std::panic::catch_unwind(|| drop(undone()));
                assert!(undone.is_err());
            },
            "
            number
            fraction
            text
            array
            list
            perhaps
            pair
            nothing
            table
            object
            number_later
            parsed_later
            collected
            undone !panic
            ",
        );
    }
}

/// A span whose value does its work later ends before that.
#[test]
fn the_function_does_not_see_what_its_value_is() {
    check(
        || {
            let work = enter_span::enter_span("fetch", |_| child());
            assert_eq!(futures::executor::block_on(work), 1);
        },
        "
        fetch
        child
        ",
    );
}
