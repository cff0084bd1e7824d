//! Streams and sinks: one span for the whole life of a stream, one for each item of a sink.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use enter_span::enter_span;
use enter_span::testing::Recorder;
use futures::stream::{self, BoxStream, LocalBoxStream};
use futures::{FutureExt as _, Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::task::yield_now;

use crate::support::check::{block_on, check_async};

/// What a stream does for one item.
#[enter_span(attributes(n))]
async fn produce(n: u8) -> u8 {
    yield_now().await;
    n
}

/// What the consumer does with one.
#[enter_span(attributes(n))]
async fn consume(n: u8) {
    yield_now().await;
}

#[enter_span(attributes(count))]
fn opaque(count: u8) -> impl Stream<Item = u8> {
    stream::iter(1..=count).then(produce)
}

#[enter_span]
fn boxed<'a>(list: &'a [u8]) -> BoxStream<'a, u8> {
    stream::iter(list).then(|&n| produce(n)).boxed()
}

#[enter_span]
fn boxed_local(list: &[u8]) -> LocalBoxStream<'_, u8> {
    stream::iter(list).then(|&n| produce(n)).boxed_local()
}

#[enter_span]
fn spelled(count: u8) -> Pin<Box<dyn Stream<Item = u8> + Send>> {
    if count == 0 {
        return Box::pin(stream::empty());
    }
    Box::pin(stream::iter(1..=count).then(produce))
}

type Numbers = Pin<Box<dyn Stream<Item = u8> + Send + Sync>>;

#[enter_span(stream)]
fn aliased(count: u8) -> Numbers {
    Box::pin(stream::iter(0..count))
}

/// `impl Stream`. exhausted; what the consumer does is not in the stream's span.
#[test]
fn a_stream_is_one_span_around_what_it_does_itself() {
    let trace = check_async(
        async {
            let mut numbers = std::pin::pin!(opaque(2));
            while let Some(n) = numbers.next().await {
                consume(n).await;
            }
        },
        "
        opaque count=2
          produce n=1
          produce n=2
        consume n=1
        consume n=2
        ",
    );
    assert_eq!(trace.spans().len(), 5);
}

/// `BoxStream`, a spelled `Pin<Box<dyn Stream>>` and an alias.
#[test]
fn boxed_streams_are_in_the_span_until_their_end() {
    check_async(
        async {
            assert_eq!(boxed(&[1]).collect::<Vec<_>>().await, [1]);
            assert_eq!(boxed_local(&[2]).collect::<Vec<_>>().await, [2]);
            assert_eq!(spelled(0).count().await, 0);
            assert_eq!(spelled(1).count().await, 1);
            assert_eq!(aliased(3).count().await, 3);
        },
        "
        boxed
          produce n=1
        boxed_local
          produce n=2
        spelled
        spelled
          produce n=1
        aliased
        ",
    );
}

/// Dropped early.
#[test]
fn a_stream_that_is_dropped_early_is_cancelled() {
    check_async(
        async {
            let mut numbers = Box::pin(opaque(3));
            assert_eq!(numbers.next().await, Some(1));
            drop(numbers);
            consume(1).await;
        },
        "
        opaque count=3 ~cancelled
          produce n=1
        consume n=1
        ",
    );
}

/// a stream that is never polled did start: its body ran at the call.
#[test]
fn a_stream_that_is_never_polled_is_cancelled() {
    check_async(async { drop(opaque(3)) }, "opaque count=3 ~cancelled");
}

/// An item that is dropped in the middle of its making goes with the stream.
#[test]
fn an_item_that_was_not_finished_is_cancelled_inside_of_its_stream() {
    check_async(
        async {
            let mut numbers = Box::pin(opaque(3));
            assert_eq!(numbers.next().now_or_never(), None);
        },
        "
        opaque count=3 ~cancelled
          produce n=1 ~cancelled
        ",
    );
}

/// It yields across a spawn, and the span follows it to the other task.
#[test]
fn a_stream_takes_its_span_to_another_task() {
    let recorder = Recorder::new();
    block_on(async {
        let mut numbers = recorder.enter(|| opaque(2).boxed());
        assert_eq!(numbers.next().await, Some(1));
        let rest = tokio::spawn(numbers.collect::<Vec<_>>());
        assert_eq!(rest.await.ok(), Some(vec![2]));
    });
    recorder.trace().assert_tree(
        "
        opaque count=2
          produce n=1
          produce n=2
        ",
    );
}

#[enter_span]
fn failing() -> impl Stream<Item = Result<u8, String>> {
    stream::iter([Ok(1), Err("bad".to_owned()), Ok(2)])
}

/// An error item and more items after it: the stream itself did not fail.
#[test]
fn an_item_that_is_an_error_does_not_end_the_stream() {
    check_async(
        async { assert_eq!(failing().filter_map(async |n| n.ok()).count().await, 2) },
        "failing",
    );
}

/// `impl Stream`: it says how many items are left, as the one inside of it.
#[test]
fn a_stream_keeps_its_size_hint() {
    #[enter_span]
    fn sized() -> impl Stream<Item = u8> {
        stream::iter([1, 2])
    }
    check_async(
        async { assert_eq!(sized().size_hint(), (2, Some(2))) },
        "sized ~cancelled",
    );
}

/// `impl Stream`: a panic while an item is made passes, and the stream's span tells of it.
#[test]
fn a_stream_that_panics_tells_of_it() {
    #[enter_span]
    fn panics() -> impl Stream<Item = u8> {
        stream::iter([1]).map(|_| std::panic::panic_any(7))
    }
    check_async(
        async {
            let next = std::panic::AssertUnwindSafe(async { panics().next().await });
            let payload = next.catch_unwind().await.expect_err("a panic");
            assert_eq!(payload.downcast_ref(), Some(&7));
        },
        "panics !panic",
    );
}

/// A sink that counts.
#[derive(Default)]
struct Counting(usize);

impl Sink<u8> for Counting {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[enter_span(attributes(item))]
    fn start_send(mut self: Pin<&mut Self>, item: u8) -> Result<(), Infallible> {
        self.0 += usize::from(item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[enter_span]
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

/// sinks: the methods of one are functions like any other, so each item has its span.
#[test]
fn a_sink_has_a_span_for_each_item() {
    check_async(
        async {
            let mut sink = Counting::default();
            sink.send_all(&mut stream::iter([Ok(1), Ok(2)])).await.ok();
            sink.close().await.ok();
            assert_eq!(sink.0, 3);
        },
        "
        start_send item=1
        start_send item=2
        poll_close
        ",
    );
}

/// A response whose body is streamed: its span ends with the body, not with the head.
#[test]
fn a_streamed_response_lasts_until_its_body_ends() {
    #[enter_span(kind = server)]
    fn respond() -> impl Stream<Item = u8> {
        stream::iter([1, 2]).then(produce)
    }
    let recorder = Recorder::new();
    block_on(async {
        let mut body = Box::pin(recorder.enter(respond));
        assert_eq!(body.next().await, Some(1));
        assert!(!recorder.trace().find("respond").is_ended());
        assert_eq!(body.next().await, Some(2));
        assert!(!recorder.trace().find("respond").is_ended());
        assert_eq!(body.next().await, None);
    });
    recorder.trace().assert_tree(
        "
        respond [server]
          produce n=1
          produce n=2
        ",
    );
}
