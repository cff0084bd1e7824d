//! Carriers and messages as text and as maps.

use enter_span::invocation::{Carrier, Message};
use proptest::prelude::*;

use super::{delivered, linked, origin};
use crate::propagation::PARENT;
use crate::support::allocations;

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

/// What is sent, in one line, is what is read; a column may have added white space.
#[test]
fn a_message_is_one_line() {
    let came = Message::new(Carrier::default(), origin());
    let next = linked(&came).next_message();
    let line = format!("enter-span-origin-traceparent={PARENT}");
    assert_eq!(next.to_string(), line);
    for line in [line.clone(), format!(" {line}\n")] {
        assert_eq!(line.parse(), Ok(came.clone()));
    }
    let line = format!("traceparent={PARENT}&baggage=a%3D1&{line}");
    let delivery = Carrier::from_iter([("traceparent", PARENT), ("baggage", "a=1")]);
    assert_eq!(line.parse(), Ok(Message::new(delivery, origin())));
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

#[derive(serde::Serialize, serde::Deserialize)]
struct Job<T> {
    id: u32,
    #[serde(default)]
    trace: T,
}

/// Serde has it as a map of texts, in a format for people and in one that writes lengths first.
#[test]
fn a_message_is_a_map() {
    let origin = Carrier::from_iter([("traceparent", PARENT), ("x-odd", "ü")]);
    let next = linked(&delivered(origin)).next_message();
    let job = Job { id: 7, trace: next };
    let json = serde_json::to_string(&job).expect("JSON");
    let expected = format!(
        r#"{{"id":7,"trace":{{"enter-span-origin-traceparent":"{PARENT}","enter-span-origin-x-odd":"ü"}}}}"#
    );
    assert_eq!(json, expected);
    let read: Job<Message> = serde_json::from_str(&json).expect("a job");
    assert_eq!(read.trace.origin(), job.trace.origin());
    let bytes = postcard::to_allocvec(&job).expect("bytes");
    let read: Job<Message> = postcard::from_bytes(&bytes).expect("a job");
    assert_eq!((read.id, read.trace.origin()), (7, job.trace.origin()));
}

/// What is no map of texts does not cost the job that it came with.
#[test]
fn a_job_survives_its_trace() {
    let traces = [
        "null",
        "[]",
        "[1,{}]",
        r#""x""#,
        "1",
        "-1.5",
        "true",
        r#"{"traceparent":null,"a":1,"b":[{}],"c":{"d":[]},"e":false}"#,
    ];
    for trace in traces {
        let job = format!(r#"{{"id":7,"trace":{trace}}}"#);
        let read: Job<Message> = serde_json::from_str(&job).expect(trace);
        assert_eq!((read.id, read.trace), (7, Message::default()), "{trace}");
        let read: Job<Carrier> = serde_json::from_str(&job).expect(trace);
        assert!(read.trace.is_empty(), "{trace}");
    }
    let read: Job<Message> = serde_json::from_str(r#"{"id":7}"#).expect("a job");
    assert_eq!(read.trace, Message::default());
}

/// However much stands before it, the origin is found.
#[test]
fn foreign_entries_do_not_hide_the_origin() {
    let foreign = (0..500).map(|index| (format!("k{index}"), "v"));
    let origin_entry = ("enter-span-origin-traceparent".to_owned(), PARENT);
    let entries: Vec<_> = foreign.chain([origin_entry]).collect();
    let message: Message = entries.iter().cloned().collect();
    assert_eq!(message, Message::new(Carrier::default(), origin()));
    let map: serde_json::Map<_, _> = entries
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let read: Message = serde_json::from_value(map.into()).expect("a map");
    assert_eq!(read, message);
}

proptest! {
    #[test]
    fn every_carrier_round_trips(entries in prop::collection::vec((".*", ".*"), 0..8)) {
        let carrier = Carrier::from_iter(entries);
        let line = carrier.to_string();
        prop_assert!(line.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(line.parse(), Ok(carrier.clone()));
    }

    #[test]
    fn any_text_can_be_read(line in ".*") {
        let carrier: Carrier = line.parse().expect("it never fails");
        let again: Carrier = carrier.to_string().parse().expect("it never fails");
        prop_assert_eq!(again, carrier);
    }
}
