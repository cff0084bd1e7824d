//! Carriers and messages as text and as maps.

use enter_span::invocation::{Carrier, Message};
use proptest::prelude::*;

use super::{delivered, linked, origin};
use crate::allocations;
use crate::propagation::PARENT;

/// The documented format, to the letter.
#[test]
fn a_carrier_is_one_line() {
    let carrier = Carrier::from_iter([
        ("traceparent", PARENT),
        ("tracestate", "a=1,b=2"),
        ("odd key&", "50 %\n"),
    ]);
    let line = format!("traceparent={PARENT}&tracestate=a%3D1,b%3D2&odd%20key%26=50%20%25%0A");
    assert_eq!(carrier.to_string(), line);
    assert_eq!(line.parse(), Ok(carrier));
    assert_eq!(Carrier::default().to_string(), "");
}

#[test]
fn a_message_is_one_line() {
    let delivery = Carrier::from_iter([("traceparent", PARENT), ("baggage", "a=1")]);
    let message = Message::new(delivery, origin());
    let line = format!("traceparent={PARENT}&baggage=a%3D1&enter-span-origin-traceparent={PARENT}");
    assert_eq!(message.to_string(), line);
    assert_eq!(line.parse(), Ok(message));
}

/// A column may hold anything.
#[test]
fn what_is_no_such_line_is_empty() {
    for line in [
        "no pairs", "a=%", "a=%4", "a=%zz", "a=%+1", "=&", "a=%ff", "%ff=1",
    ] {
        let carrier: Carrier = line.parse().expect("it never fails");
        let is_empty = carrier
            .iter()
            .all(|(name, value)| name.is_empty() && value.is_empty());
        assert!(is_empty, "{line}: {carrier}");
    }
}

#[test]
fn what_is_too_much_is_nothing() {
    let many = (0..65).map(|index| (format!("k{index}"), "v"));
    assert!(Carrier::from_iter(many).is_empty());
    let enough = (0..64).map(|index| (format!("k{index}"), "v"));
    assert_eq!(Carrier::from_iter(enough).iter().count(), 64);
    assert!(Carrier::from_iter([("traceparent", "x".repeat(1 << 20))]).is_empty());
    let headers: Vec<(&str, String)> = vec![
        ("baggage", "x".repeat(1 << 20)),
        ("traceparent", PARENT.to_owned()),
    ];
    assert!(Message::read(&headers).delivery().is_empty());
}

/// Values are nobody's business, in logs least of all.
#[test]
fn a_carrier_is_shown_without_its_values() {
    let message = Message::new(Carrier::from_iter([("baggage", "secret=1")]), origin());
    let shown = format!("{message:?}");
    assert!(
        shown.contains("baggage") && shown.contains("traceparent"),
        "{shown}"
    );
    assert!(
        !shown.contains("secret") && !shown.contains("b7ad"),
        "{shown}"
    );
}

/// There and back, a carrier takes one allocation for each header at most.
#[test]
fn a_carrier_allocates_once_for_a_header() {
    let headers = [
        ("traceparent", PARENT),
        ("tracestate", "congo=t61rcWkgMzE"),
        ("x-odd", "of no use in headers"),
    ];
    for count in 1..=2 {
        let mut carrier = Carrier::default();
        let read = allocations::count(|| carrier = Carrier::read(&headers[..count]));
        assert_eq!(read, 1);
        let next = linked(&delivered(carrier)).next_message();
        let mut sent: Vec<(&str, String)> = Vec::with_capacity(count);
        assert_eq!(allocations::count(|| next.write(&mut sent)), count);
        assert_eq!(sent.len(), count);
    }
    let mut carrier = Carrier::default();
    let made = allocations::count(|| carrier = headers.into_iter().collect());
    assert_eq!((made, carrier.iter().count()), (1, 3));
}

/// Serde has it as a map of texts, as JSON and as any other format.
#[test]
fn a_message_is_a_map() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Job {
        id: u32,
        #[serde(default)]
        trace: Message,
    }
    let trace = Message::new(Carrier::from_iter([("x-odd", "ü")]), origin());
    let job = Job {
        id: 7,
        trace: trace.clone(),
    };
    let json = serde_json::to_string(&job).expect("JSON");
    let expected =
        format!(r#"{{"id":7,"trace":{{"x-odd":"ü","enter-span-origin-traceparent":"{PARENT}"}}}}"#);
    assert_eq!(json, expected);
    let read: Job = serde_json::from_str(&json).expect("a job");
    assert_eq!(read.trace, trace);
    let read: Job = serde_json::from_str(r#"{"id":7}"#).expect("a job");
    assert_eq!(read.trace, Message::default());
    let carrier: Carrier = serde_json::from_str(r#"{"traceparent":"garbage"}"#).expect("a map");
    assert!(!carrier.remote().is_valid());
}

proptest! {
    #[test]
    fn every_carrier_round_trips(entries in prop::collection::vec((".*", ".*"), 0..8)) {
        let carrier = Carrier::from_iter(entries);
        let line = carrier.to_string();
        prop_assert!(line.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(line.parse(), Ok(carrier.clone()));
        // A name of one carrier that has the prefix of the other is a name of that one.
        let delivery = Carrier::from_iter(carrier.iter().filter(|(name, _)| {
            !name.to_ascii_lowercase().starts_with("enter-span-origin-")
        }));
        let message = Message::new(delivery, carrier);
        prop_assert_eq!(message.to_string().parse(), Ok(message));
    }

    #[test]
    fn any_text_can_be_read(line in ".*") {
        let carrier: Carrier = line.parse().expect("it never fails");
        let again: Carrier = carrier.to_string().parse().expect("it never fails");
        prop_assert_eq!(again, carrier);
    }
}
