//! What an invocation restores of the baggage, and what it lets out.

use std::collections::BTreeMap;

use enter_span::invocation::{Carrier, Invocation, Message, Run};
use enter_span::propagation::{Propagator, set_propagator};
use enter_span::testing::Recorder;
use enter_span::{enter_span, in_span};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::{Context, KeyValue};

use super::{continuous, delivered, linked};
use crate::propagation::PARENT;

/// What is in the baggage where this is called.
fn baggage() -> BTreeMap<String, String> {
    let current = Context::current();
    let entries = current.baggage().into_iter();
    entries
        .map(|(key, (value, _))| (key.to_string(), value.to_string()))
        .collect()
}

fn entries<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    let entries = entries.into_iter();
    entries
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn origin_with(baggage: &str) -> Carrier {
    Carrier::from_iter([("traceparent", PARENT), ("baggage", baggage)])
}

/// V23, V24, TV-X5: the application's entries and ours are both there, and ours wins.
#[test]
fn baggage_is_restored_and_merged() {
    let message = delivered(origin_with("tenant=shop,order.id=old"));
    for invocation in [linked(&message), continuous(&message)] {
        let invocation = invocation.with_id("order.id", "4711");
        let trace = Recorder::new().run(|| {
            in_span!("inv", invocation = &invocation, || {
                assert_eq!(
                    baggage(),
                    entries([("order.id", "4711"), ("tenant", "shop")])
                );
            });
            assert!(baggage().is_empty(), "it is over with the span");
        });
        let id = trace.find("inv").attribute("order.id");
        assert_eq!(id, Some("4711".into()));
    }
}

/// TV-X2: baggage alone is no origin, and is restored.
#[test]
fn baggage_without_a_span_is_restored() {
    let message = delivered(Carrier::from_iter([("baggage", "tenant=shop")]));
    for invocation in [linked(&message), continuous(&message)] {
        Recorder::new().run(|| {
            in_span!("inv", invocation = invocation, || {
                assert_eq!(baggage(), entries([("tenant", "shop")]));
            });
        });
    }
}

/// A new root has nothing of what lies on the thread; one below it has.
#[test]
fn local_baggage_is_kept_only_below_a_local_context() {
    let message = delivered(origin_with("tenant=shop"));
    let local = Context::current_with_baggage([KeyValue::new("local", "1")]);
    Recorder::new().run(|| {
        let _local = Context::current()
            .with_baggage(
                local
                    .baggage()
                    .into_iter()
                    .map(|(key, (value, _))| KeyValue::new(key.clone(), value.clone())),
            )
            .attach();
        enter_span("delivery", |_| {
            in_span!("root", invocation = linked(&message), || {
                assert_eq!(baggage(), entries([("tenant", "shop")]));
            });
            let under = linked(&message).under_local_context();
            in_span!("under", invocation = under, || {
                assert_eq!(baggage(), entries([("local", "1"), ("tenant", "shop")]));
            });
        });
    });
}

/// V25: baggage leaves only by named keys, in what is made and in what is handed on.
#[test]
fn baggage_leaves_by_named_keys() {
    if !crate::child::is_child("invocation::baggage::baggage_leaves_by_named_keys") {
        return;
    }
    let came = origin_with("tenant=shop;ttl=1, secret=1 ,order.id=old");
    let sent = || {
        let invocation = linked(&delivered(came.clone())).with_id("order.id", "4711");
        let mut next = None;
        Recorder::new().run(|| {
            in_span!("inv", invocation = &invocation, || next =
                Some(invocation.next_message()));
        });
        next.expect("a message")
    };
    let value = |carrier: &Carrier| {
        let mut baggage = carrier.iter().filter(|(name, _)| *name == "baggage");
        baggage.next().map(|(_, value)| value.to_owned())
    };
    // The run's id is named.
    let next = sent();
    assert_eq!(value(next.origin()).as_deref(), Some("order.id=old"));
    assert_eq!(value(next.delivery()).as_deref(), Some("order.id=4711"));

    set_propagator(Propagator::new().with_baggage_keys(["tenant"]));
    let next = sent();
    let expected = "tenant=shop;ttl=1,order.id=old";
    assert_eq!(value(next.origin()).as_deref(), Some(expected));
    let expected = "tenant=shop;ttl=1,order.id=4711";
    assert_eq!(value(next.delivery()).as_deref(), Some(expected));
}

/// The id travels from the start of the run to whoever reads the message.
#[test]
fn the_id_of_a_run_travels() {
    let mut sent = String::new();
    Recorder::new().run(|| {
        Run::new()
            .with_id("order.id", "4711")
            .start("order", |_, message| {
                sent = message.to_string();
            });
    });
    let message: Message = sent.parse().expect("a message");
    Recorder::new().run(|| {
        in_span!("work", invocation = Invocation::of(&message), || {
            assert_eq!(baggage(), entries([("order.id", "4711")]));
        });
    });
}
