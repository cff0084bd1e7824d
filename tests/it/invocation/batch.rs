//! Several messages in one invocation.

use enter_span::invocation::{Carrier, Invocation, Message, TraceMode};
use enter_span::testing::Recorder;
use enter_span::{enter_span, in_span};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;

use super::{assert_says, id_of, links};

fn traceparent(trace: u8, span: u8) -> String {
    format!("00-{trace:032x}-{span:016x}-01")
}

fn message(delivery: u8, origin: u8) -> Message {
    let carrier = |trace| {
        let baggage = format!("tenant={trace}");
        Carrier::from_iter([("traceparent", traceparent(trace, 1)), ("baggage", baggage)])
    };
    Message::new(carrier(delivery), carrier(origin))
}

fn id(trace: u8) -> String {
    format!("{trace:032x}-{:016x}", 1)
}

/// All deliveries and origins are linked, each once; whose baggage it were nobody could say.
#[test]
fn a_batch_is_linked_to_all() {
    let messages = [message(1, 9), message(2, 9), message(3, 8)];
    let batch = Invocation::of_batch(&messages).with_mode(TraceMode::Linked);
    let trace = Recorder::new().run(|| {
        in_span!("batch", invocation = &batch, || {
            assert!(Context::current().baggage().is_empty());
        });
    });
    let span = trace.find("batch");
    assert_eq!(span.parent_id(), None);
    assert_eq!(links(span), [id(1), id(9), id(2), id(3), id(8)]);
    assert_says(span, "linked", true);
}

/// Continuous, it can be below only one, and is below what is current.
#[test]
fn a_continuous_batch_is_below_the_local_context() {
    let messages = [message(1, 9), message(2, 8)];
    let batch = Invocation::of_batch(&messages).with_mode(TraceMode::Continuous);
    let trace = Recorder::new().run(|| {
        enter_span("poll", |_| in_span!("batch", invocation = &batch, || {}));
    });
    let span = trace.find("batch");
    assert_eq!(span.parent_id(), Some(trace.find("poll").span_id()));
    assert_eq!(links(span), [id(1), id(9), id(2), id(8)]);
}

/// What a batch sends on is of the batch; what one of its messages does is of that message.
#[test]
fn each_message_hands_its_own_origin_on() {
    let messages = [message(1, 9), message(2, 8)];
    let batch = Invocation::of_batch(&messages).with_mode(TraceMode::Linked);
    let mut sent = Vec::new();
    let trace = Recorder::new().run(|| {
        in_span!("batch", invocation = &batch, || {
            sent.push(batch.next_message());
            for message in &messages {
                let one = Invocation::of(message).with_mode(TraceMode::Linked);
                sent.push(one.next_message());
            }
        });
    });
    let [of_batch, first, second] = &*sent else {
        panic!("three messages, and not {sent:?}");
    };
    let origin = of_batch.origin().remote().span_context();
    let origin = format!("{}-{}", origin.trace_id(), origin.span_id());
    assert_eq!(origin, id_of(trace.find("batch")));
    for (next, trace) in [(first, 9), (second, 8)] {
        let origin = next.origin().remote().span_context();
        assert_eq!(origin.trace_id().to_string(), format!("{trace:032x}"));
    }
}
