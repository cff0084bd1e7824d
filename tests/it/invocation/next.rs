//! What is sent on.

use std::collections::{BTreeMap, HashMap};

use enter_span::invocation::{Carrier, Invocation, Message, NextMessage};
use enter_span::testing::{Recorder, Trace};
use enter_span::{enter_span, in_span};

use super::{continuous, delivered, id_of, linked, origin};
use crate::propagation::PARENT;

/// The next message of an invocation, from inside of its span `inv`, and its trace.
fn next_of(invocation: &Invocation) -> (NextMessage, Trace) {
    let mut next = None;
    let trace = Recorder::new().run(|| {
        in_span!("inv", invocation = invocation, || {
            next = Some(invocation.next_message());
        });
    });
    (next.expect("a message"), trace)
}

#[track_caller]
fn assert_is(carrier: &Carrier, trace: &Trace) {
    let remote = carrier.remote().span_context();
    let id = format!("{}-{}", remote.trace_id(), remote.span_id());
    assert_eq!(id, id_of(trace.find("inv")));
}

/// Linked, the origin goes on as it came, byte for byte: with its flags, its trace state and a key
/// that nobody knows.
#[test]
fn linked_hands_the_origin_on_to_the_letter() {
    let came = Carrier::from_iter([
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
        ),
        ("tracestate", "congo = odd,,  rojo=1 "),
        ("x-vendor", "as it is; ü"),
    ]);
    let (next, trace) = next_of(&linked(&delivered(came.clone())));
    assert_eq!(next.origin(), &came);
    assert_is(next.delivery(), &trace);
}

/// Without an origin the first invocation becomes one.
#[test]
fn linked_without_an_origin_begins_one() {
    for carrier in [
        Carrier::default(),
        Carrier::from_iter([("traceparent", "garbage")]),
        Carrier::from_iter([("baggage", "tenant=shop")]),
    ] {
        let (next, trace) = next_of(&linked(&delivered(carrier)));
        assert_is(next.origin(), &trace);
        assert_is(next.delivery(), &trace);
    }
}

/// Continuous, it is always the one that sends.
#[test]
fn continuous_hands_itself_on() {
    let (next, trace) = next_of(&continuous(&delivered(origin())));
    assert_is(next.origin(), &trace);
    assert_is(next.delivery(), &trace);
}

/// A producer's span below the invocation is the delivery.
#[test]
fn the_delivery_is_the_span_that_sends() {
    let mut sent = None;
    let invocation = linked(&delivered(origin()));
    let trace = Recorder::new().run(|| {
        in_span!("inv", invocation = &invocation, || {
            in_span!("send", kind = producer, || {
                let current = Invocation::current().expect("the invocation");
                sent = Some(current.next_message());
            });
        });
    });
    let next = sent.expect("a message");
    let delivery = next.delivery().remote().span_context();
    assert_eq!(delivery.span_id(), trace.find("send").span_id());
    assert_eq!(next.origin(), &origin());
}

/// A process that is off hands on what came.
#[test]
fn off_the_origin_goes_on() {
    #[enter_span(invocation = invocation)]
    fn work(invocation: &Invocation) -> NextMessage {
        assert!(Invocation::current().is_none());
        invocation.next_message()
    }
    if crate::support::child::is_child("invocation::next::off_the_origin_goes_on") {
        let next = work(&linked(&delivered(origin())));
        assert_eq!(next.origin(), &origin());
        assert!(next.delivery().is_empty());
        let next = work(&continuous(&delivered(origin())));
        assert_eq!(next.origin(), &origin());
        // One that names only who sent it goes on with that.
        let next = work(&linked(&Message::new(origin(), Carrier::default())));
        assert_eq!(next.origin(), &origin());
    }
}

/// What is written to headers is read from them; what was there under the names is replaced once.
#[test]
fn a_message_travels_in_headers() {
    let (next, _) = next_of(&linked(&delivered(origin())));
    let mut headers = HashMap::<String, String>::new();
    headers.insert("Traceparent".to_owned(), "stale".to_owned());
    headers.insert(
        "enter-span-origin-tracestate".to_owned(),
        "stale=1".to_owned(),
    );
    next.write(&mut headers);
    let read = Message::read(&headers);
    assert_eq!(
        (read.delivery(), read.origin()),
        (next.delivery(), next.origin())
    );
    let names: BTreeMap<_, _> = headers.iter().collect();
    let expected = ["enter-span-origin-traceparent", "traceparent"];
    assert_eq!(names.into_keys().collect::<Vec<_>>(), expected);
    assert_eq!(headers["enter-span-origin-traceparent"], PARENT);
}

/// Where there is nothing to tell, what is there stays.
#[test]
fn an_empty_message_touches_no_header() {
    let next = linked(&Message::default()).next_message();
    let before = [
        ("traceparent", PARENT),
        ("baggage", "a=1"),
        ("tracestate", "b=2"),
    ];
    let mut headers: HashMap<String, String> = before
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    next.write(&mut headers);
    assert_eq!(headers.len(), 3);
    for (name, value) in before {
        assert_eq!(headers[name], value);
    }
}

/// Headers that were received and are sent on: who sent them is not who sends them now.
#[test]
fn what_was_received_is_replaced_as_a_whole() {
    let received = [
        ("traceparent", PARENT),
        ("baggage", "tenant=shop"),
        ("enter-span-origin-traceparent", PARENT),
        ("enter-span-origin-tracestate", "a=1"),
        ("enter-span-origin-baggage", "tenant=shop"),
        ("content-type", "text"),
    ];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut headers = HashMap::<String, String>::from(received.map(own));
    // Where nothing is traced, there is an origin, and nobody who sends.
    let next = linked(&Message::read(&headers)).next_message();
    next.write(&mut headers);
    let expected = HashMap::<String, String>::from(
        [received[2], received[3], received[4], received[5]].map(own),
    );
    assert_eq!(headers, expected);
}

/// A child process reads what its parent has written for it.
#[test]
fn a_message_travels_in_the_environment() {
    let test = "invocation::next::a_message_travels_in_the_environment";
    let next = linked(&delivered(origin())).next_message();
    let mut command = std::process::Command::new("unused");
    next.write(&mut command);
    let set = |name: &std::ffi::OsStr| Some(name.to_str()?.to_owned());
    let variables: Vec<(String, std::ffi::OsString)> = command
        .get_envs()
        .filter_map(|(name, value)| Some((set(name)?, value?.to_owned())))
        .collect();
    let borrowed: Vec<(&str, &std::ffi::OsString)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    if crate::support::child::is_child_with(test, &borrowed) {
        let message = Message::read(&enter_span::propagation::Variables::of_process());
        assert_eq!(message.origin(), &origin());
    }
}
