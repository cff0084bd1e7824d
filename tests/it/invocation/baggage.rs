//! What an invocation restores of the baggage, and what it lets out.

use std::collections::BTreeMap;

use enter_span::invocation::{Carrier, Invocation, Message, NextMessage, Run};
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

/// The application's entries and ours are both there, and ours wins.
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

/// Baggage alone is no origin, and is restored.
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

fn value(carrier: &Carrier) -> Option<String> {
    let mut baggage = carrier.iter().filter(|(name, _)| *name == "baggage");
    baggage.next().map(|(_, value)| value.to_owned())
}

/// What is sent on from inside of this invocation.
fn next_of(invocation: &Invocation) -> NextMessage {
    let mut next = None;
    Recorder::new().run(|| {
        in_span!("inv", invocation = invocation, || next =
            Some(invocation.next_message()));
    });
    next.expect("a message")
}

/// What came with the origin goes on to the letter, hop by hop; so each of them restores it.
#[test]
fn an_origins_baggage_goes_on() {
    let came = origin_with("tenant=shop;ttl=1, secret=1 ,order.id=old");
    let mut message = delivered(came.clone());
    for _ in 0..3 {
        let next = next_of(&linked(&message).with_id("order.id", "4711"));
        assert_eq!(next.origin(), &came);
        message = next.to_string().parse().expect("a message");
        Recorder::new().run(|| {
            in_span!("work", invocation = linked(&message), || {
                let expected = [("order.id", "4711"), ("secret", "1"), ("tenant", "shop")];
                assert_eq!(baggage(), entries(expected));
            });
        });
    }
}

/// For those who must: it can stay here, and nothing else is changed.
#[test]
fn an_origins_baggage_can_be_left_out() {
    let came = origin_with("tenant=shop");
    let invocation = linked(&delivered(came.clone())).with_id("order.id", "4711");
    let next = next_of(&invocation.without_origin_baggage());
    assert_eq!(
        next.origin(),
        &Carrier::from_iter([("traceparent", PARENT)])
    );
    assert_eq!(value(next.delivery()).as_deref(), Some("order.id=4711"));
    // Also where nothing is traced, and what came goes on, whichever it is.
    let off = |message: &Message| linked(message).without_origin_baggage().next_message();
    for message in [
        delivered(came.clone()),
        Message::new(came, Carrier::default()),
    ] {
        assert_eq!(value(off(&message).origin()), None);
        assert!(!off(&message).origin().is_empty());
    }
}

/// This process's baggage leaves only by named keys.
#[test]
fn baggage_leaves_by_named_keys() {
    if !crate::support::child::is_child("invocation::baggage::baggage_leaves_by_named_keys") {
        return;
    }
    let came = origin_with("tenant=shop;ttl=1, secret=1 ,order.id=old");
    let sent = || next_of(&linked(&delivered(came.clone())).with_id("order.id", "4711"));
    // The run's id is named.
    let next = sent();
    assert_eq!(value(next.delivery()).as_deref(), Some("order.id=4711"));

    set_propagator(Propagator::new().with_baggage_keys(["tenant"]));
    let next = sent();
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

/// A run that has several names has all of them: each an attribute, and an entry of the baggage.
#[test]
fn a_run_has_several_ids() {
    let mut sent = String::new();
    let ids = [
        ("run.id", "r7"),
        ("workflow.name", "import"),
        ("run.id", "r8"),
    ];
    let trace = Recorder::new().run(|| {
        let run = ids
            .iter()
            .fold(Run::new(), |run, (key, id)| run.with_id(*key, *id));
        run.start("start", |_, message| sent = message.to_string());
        let message: Message = sent.parse().expect("a message");
        in_span!("work", invocation = Invocation::of(&message), || {
            let all = entries([("run.id", "r8"), ("workflow.name", "import")]);
            assert_eq!(baggage(), all);
        });
        let invocation = Invocation::of(&message).with_id("part", "1");
        let invocation = invocation.with_id("run.id", "r9");
        in_span!("part", invocation = &invocation, || {
            let all = [("part", "1"), ("run.id", "r9"), ("workflow.name", "import")];
            assert_eq!(baggage(), entries(all));
            sent = invocation.next_message().delivery().to_string();
        });
    });
    let told =
        |span: &str| ["run.id", "workflow.name", "part"].map(|key| trace.find(span).attribute(key));
    assert_eq!(
        told("start"),
        [Some("r8".into()), Some("import".into()), None]
    );
    assert_eq!(told("part"), [Some("r9".into()), None, Some("1".into())]);
    assert_eq!(told("work"), [None, None, None]);
    assert!(sent.ends_with("&baggage=part%3D1,run.id%3Dr9"), "{sent}");
}
