//! Nothing is installed: nothing is evaluated, nothing is allocated, nothing is said.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use enter_span::prelude::*;
use enter_span::{
    Context as OurContext, Envelope, Key, Span, ToAttribute, Tracer, Value, enter_span,
    enter_span_async, in_span, start_span,
};

use crate::support::allocations;
use crate::support::child::is_child;

fn evaluated() -> u64 {
    unreachable!("an argument is evaluated while the process is off")
}

#[enter_span(
    |span|,
    name = evaluated().to_string(),
    parent = { evaluated(); None::<Span> },
    links({ evaluated(); None::<Span> }),
    start(first = evaluated()),
    attributes(id, second = evaluated(), third = ?evaluated(), SIZE = evaluated(), ..{ evaluated(); }),
    ret(fourth = |_| evaluated())
)]
fn annotated(id: u64) -> Result<u64, String> {
    span.set_attribute_with("fifth", evaluated);
    assert!(!span.is_traced());
    Ok(black_box(id))
}

#[enter_span(attributes(id, second = evaluated()), leaf)]
async fn annotated_async(id: u64) -> u64 {
    tokio::task::yield_now().await;
    black_box(id)
}

#[enter_span(when = { evaluated(); true })]
fn future() -> impl Future<Output = u8> {
    async { 7 }
}

const SIZE: Key<u64> = Key::new("size");

#[enter_span(current, when = { evaluated(); true }, attributes(SIZE = evaluated()), ret(n = |_| evaluated()))]
fn current() -> u8 {
    8
}

struct Facts;

impl ToAttribute for Facts {
    fn to_attribute(&self) -> Option<Value> {
        evaluated().to_attribute()
    }
}

static TRACER: Tracer = enter_span::tracer!();

#[enter_span(tracer = { evaluated(); &TRACER }, ends_children)]
fn with_tracer() -> u8 {
    6
}

/// What carries a span, where there is none.
fn carried() {
    let context = OurContext::current();
    let (work, more) = (|| 1, || 2);
    assert_eq!(
        work.in_current_span()() + more.linked_to_current_span()(),
        3
    );
    assert_eq!(context.enter(|| 3), 3);
    assert_eq!(Envelope::new(4).open_child(|n| n), 4);
    assert_eq!(Envelope::new(5).open_linked(|n| n), 5);
    assert_eq!(poll_to_the_end(async { 6 }.in_current_span()), 6);
    assert_eq!(poll_to_the_end(async { 7 }.linked_to_current_span()), 7);
    let span = start_span!("owned", attributes(first = evaluated()), leaf);
    assert_eq!(span.enter(|| 8), 8);
    assert_eq!(poll_to_the_end(async { 9 }.in_span(&span)), 9);
    span.end();
    let work = || 10;
    assert_eq!(work.in_owned_span(start_span("owned"))(), 10);
    assert_eq!(TRACER.enter_span("tracer", |_| 11) + with_tracer(), 17);
    assert!(Span::root().trace_id().is_none());
    assert!(enter_span::open_spans().is_empty());
}

fn poll_to_the_end<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

fn everything() {
    assert_eq!(annotated(1), Ok(1));
    assert_eq!(poll_to_the_end(async { future().await }), 7);
    assert_eq!(enter_span("block", |span| span.is_traced() as u8), 0);
    let value = in_span!("block", attributes(first = evaluated()), |_| 3);
    assert_eq!(value, 3);
    let future = in_span!("block", attributes(first = evaluated()), async |_| 4);
    assert_eq!(poll_to_the_end(future), 4);
    let future = enter_span_async("block", |_| async { 5 });
    assert_eq!(poll_to_the_end(future), 5);
    assert_eq!(current(), 8);
    Span::current().set_attributes([("facts", Facts)]);
    Span::current().add_event("facts", (("facts", Facts), (SIZE, 1)));
    assert!(Span::current().trace_id().is_none());
    assert!(!enter_span::is_enabled());
    assert!(!enter_span::is_traced());
}

/// Off, a span allocates nothing and evaluates none of its arguments.
#[test]
fn nothing_is_allocated_or_evaluated() {
    if is_child("span::off::nothing_is_allocated_or_evaluated") {
        assert_eq!(allocations::count(everything), 0);
        // OpenTelemetry's own stack, which a thread has from its first look at it.
        drop(OurContext::current());
        assert_eq!(allocations::count(carried), 0);
        let yielding = || {
            poll_to_the_end(async {
                // Outside of a runtime this only wakes, and is ready at the next poll.
                annotated_async(1).await
            });
        };
        assert_eq!(allocations::count(yielding), 0);
    }
}

#[enter_span(attributes(id))]
fn child(id: u64) -> u64 {
    black_box(id)
}

/// In a trace that is not sampled, and in one that is, a span allocates a bounded number of
/// times. (An OpenTelemetry provider is asked for each span, and its sampler is shown the place in
/// source: so it is not zero without the trace being recorded.)
#[test]
fn allocations_are_bounded_while_on() {
    let allocations = |sampled: bool| {
        let recorder = enter_span::testing::Recorder::new().with_sampler(move |_| sampled);
        recorder.enter(|| {
            enter_span("root", |_| {
                child(0);
                allocations::count(|| {
                    child(1);
                })
            })
        })
    };
    assert!(allocations(false) <= 2, "{}", allocations(false));
    assert!(allocations(true) <= 12, "{}", allocations(true));
}
