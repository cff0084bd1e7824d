//! Whole runs: the start, and what follows.

use std::collections::VecDeque;

use enter_span::invocation::{Invocation, Message, Run, TraceMode};
use enter_span::propagation::{Remote, extract, inject};
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{enter_span, in_span};

use super::{id_of, links};

type Queue = VecDeque<String>;

/// An order that is tried three times.
fn run_in(mode: TraceMode) -> Trace {
    #[enter_span(invocation = invocation, attributes(attempt))]
    fn charge(invocation: &Invocation, attempt: u32, queue: &mut Queue) {
        if attempt < 3 {
            in_span!("enqueue", kind = producer, || {
                queue.push_back(invocation.next_message().to_string());
            });
        }
    }
    let mut queue = Queue::new();
    Recorder::new().run(|| {
        let run = Run::new().with_mode(mode);
        run.start("order", |_, message| queue.push_back(message.to_string()));
        for attempt in 1.. {
            let Some(message) = queue.pop_front() else {
                break;
            };
            let message: Message = message.parse().expect("a message");
            charge(
                &Invocation::of(&message).with_mode(mode),
                attempt,
                &mut queue,
            );
        }
    })
}

fn attempts(trace: &Trace) -> Vec<&RecordedSpan> {
    let spans = trace.spans().iter();
    spans.filter(|span| span.name() == "charge").collect()
}

/// Linked, every invocation is a trace of its own, and all point at the one origin: a star.
#[test]
fn linked_runs_are_a_star() {
    let trace = run_in(TraceMode::Linked);
    let order = trace.find("order");
    assert_eq!(order.kind(), "producer");
    assert_eq!(
        order.attribute("enter_span.trace.mode"),
        Some("linked".into())
    );
    let attempts = attempts(&trace);
    assert_eq!(attempts.len(), 3);
    let sends: Vec<_> = trace
        .spans()
        .iter()
        .filter(|s| s.name() == "enqueue")
        .collect();
    assert_eq!(links(attempts[0]), [id_of(order)]);
    assert_eq!(links(attempts[1]), [id_of(sends[0]), id_of(order)]);
    assert_eq!(links(attempts[2]), [id_of(sends[1]), id_of(order)]);
    let mut traces: Vec<_> = attempts
        .iter()
        .map(|s| s.span_context().trace_id().to_string())
        .collect();
    traces.push(order.span_context().trace_id().to_string());
    traces.sort();
    traces.dedup();
    assert_eq!(traces.len(), 4);
}

/// The same program by hand, without invocations.
fn run_by_hand() -> Trace {
    #[enter_span(kind = consumer, parent = sender, attributes(attempt))]
    fn charge(sender: &Remote, attempt: u32, queue: &mut VecDeque<Vec<(String, String)>>) {
        if attempt < 3 {
            in_span!("enqueue", kind = producer, || {
                let mut message = Vec::new();
                inject(&mut message);
                queue.push_back(message);
            });
        }
    }
    let mut queue = VecDeque::new();
    Recorder::new().run(|| {
        in_span!("order", kind = producer, || {
            let mut message = Vec::new();
            inject(&mut message);
            queue.push_back(message);
        });
        for attempt in 1.. {
            let Some(message) = queue.pop_front() else {
                break;
            };
            charge(&extract(&message), attempt, &mut queue);
        }
    })
}

/// What can be seen of a trace without its ids: each span with the place of its parent.
fn shape(trace: &Trace) -> Vec<String> {
    let spans = trace.spans();
    let first = spans[0].span_context().trace_id();
    let seen = spans.iter().map(|span| {
        let parent = span.parent_id();
        let parent = parent.and_then(|id| spans.iter().position(|other| other.span_id() == id));
        let mut keys = span.keys();
        keys.retain(|key| !key.starts_with("enter_span.trace.") && !key.starts_with("code."));
        let same = span.span_context().trace_id() == first;
        format!(
            "{} {} below {parent:?} in the trace: {same} {keys:?} {} links",
            span.name(),
            span.kind(),
            span.links().len(),
        )
    });
    seen.collect()
}

/// Continuous is, span for span, what a program without invocations records.
#[test]
fn continuous_is_what_there_was_before() {
    let trace = run_in(TraceMode::Continuous);
    assert_eq!(trace.spans().len(), 6);
    assert_eq!(shape(&trace), shape(&run_by_hand()));
}

/// A run that is started where nothing is current has an origin.
#[test]
fn a_start_is_an_origin() {
    let mut origin = None;
    let trace = Recorder::new().run(|| {
        Invocation::start("start", |_, message| {
            origin = Some(message.origin().clone())
        });
    });
    let remote = origin.expect("an origin").remote().span_context();
    assert_eq!(remote.span_id(), trace.find("start").span_id());
}

#[tokio::test]
async fn a_start_can_be_async() {
    let recorder = Recorder::new();
    let trace = recorder
        .run_async(async {
            let sent = Run::new().start_async("start", |span, message| async move {
                tokio::task::yield_now().await;
                assert!(span.is_traced());
                message
            });
            assert!(sent.await.origin().remote().is_valid());
        })
        .await;
    assert_eq!(trace.find("start").kind(), "producer");
}
