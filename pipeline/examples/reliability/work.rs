//! What the threads do: spans of every form, and which were made.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender};
use std::task::{Context, Poll, Waker};

use enter_span::{Span, Tracer, enter_span};

/// The spans that a thread has made.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) ids: Vec<u64>,
    /// Leaves that have given no handle: their ids are not known.
    pub(crate) leaves: u64,
}

impl Made {
    fn note(&mut self, span: &Span) {
        let id = span.span_id().expect("a span");
        self.ids.push(u64::from_be_bytes(id.to_bytes()));
    }

    pub(crate) fn add(&mut self, mut other: Made) {
        self.ids.append(&mut other.ids);
        self.leaves += other.leaves;
    }
}

#[enter_span]
fn outer(made: &mut Made) {
    made.note(&Span::current());
    inner(made);
    leaf();
    made.leaves += 1;
}

#[enter_span(attributes(count = made.ids.len()))]
fn inner(made: &mut Made) {
    made.note(&Span::current());
}

#[enter_span(leaf)]
fn leaf() {}

/// Starts on one thread, and ends on another.
#[enter_span]
async fn moving(mut made: Made) -> Made {
    made.note(&Span::current());
    pause().await;
    inner(&mut made);
    made
}

async fn pause() {
    let mut is_over = false;
    let once = |_: &mut Context<'_>| {
        if std::mem::replace(&mut is_over, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    };
    poll_fn(once).await;
}

pub(crate) type Moving = Pin<Box<dyn Future<Output = Made> + Send>>;

fn poll(moving: &mut Moving) -> Poll<Made> {
    moving
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

fn finish(mut moving: Moving) -> Made {
    match poll(&mut moving) {
        Poll::Ready(made) => made,
        Poll::Pending => unreachable!("it pauses once"),
    }
}

fn turn(made: &mut Made, number: u64, next: &Sender<Moving>) {
    outer(made);
    if number.is_multiple_of(8) {
        let mut moving: Moving = Box::pin(moving(Made::default()));
        assert!(poll(&mut moving).is_pending());
        next.send(moving).expect("a thread that receives");
    }
}

/// So many turns of one thread, in a ring of threads; below a span of this tracer, if there is one.
pub(crate) fn work(
    turns: u64,
    tracer: Option<&Tracer>,
    next: Sender<Moving>,
    own: &Receiver<Moving>,
) -> Made {
    let mut made = Made::default();
    for number in 0..turns {
        match tracer {
            None => turn(&mut made, number, &next),
            Some(tracer) => tracer.enter_span("top", |span| {
                made.note(&span);
                turn(&mut made, number, &next);
            }),
        }
        own.try_iter().for_each(|moving| made.add(finish(moving)));
    }
    drop(next);
    own.iter().for_each(|moving| made.add(finish(moving)));
    made
}
