//! Any carrier, both ways.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use enter_span::invocation::Run;
use enter_span::propagation::{Incoming, Outgoing, Propagator};
use enter_span::testing::Recorder;
use enter_span::{enter_span, extract, in_span, inject};
use http::HeaderMap;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::{Context, KeyValue};
use tonic::metadata::MetadataMap;

use super::PARENT;

/// What is read from one carrier goes on in another: replaced once, whatever the case of the names, and
/// the rest stays.
#[track_caller]
fn check<C: Incoming + Outgoing + Debug>(mut carrier: C) {
    carrier.set("traceparent", PARENT.to_owned());
    carrier.set("tracestate", "a@@=1 ,b=2".to_owned());
    carrier.set("other", "stays".to_owned());
    let remote = extract(&carrier);
    drop(Recorder::new().run(|| {
        in_span!("serve", parent = remote, || {
            enter_span("call", |span| {
                inject(&mut carrier);
                inject(&mut carrier);
                let one = |name| {
                    let values: Vec<_> = carrier.values_of(name).map(<[u8]>::to_vec).collect();
                    let text = values.concat();
                    (values.len(), String::from_utf8(text).expect("text"))
                };
                let id = span.span_id().expect("a span");
                let expected = format!("{}-{id}-01", &PARENT[..35]);
                assert_eq!(one("traceparent"), (1, expected));
                assert_eq!(one("tracestate"), (1, "a@@=1 ,b=2".to_owned()));
                assert_eq!(one("other"), (1, "stays".to_owned()));
            });
        });
    }));
    carrier.unset("traceparent");
    assert_eq!(carrier.values_of("traceparent").count(), 0);
    check_reused(carrier);
}

/// One carrier for two messages, of two customers: the second says nothing of the first.
#[track_caller]
fn check_reused<C: Incoming + Outgoing>(mut carrier: C) {
    let names = [
        "traceparent",
        "tracestate",
        "baggage",
        "enter-span-origin-traceparent",
        "enter-span-origin-tracestate",
        "enter-span-origin-baggage",
    ];
    let text_of = |carrier: &C, name| {
        let values: Vec<_> = carrier.values_of(name).map(<[u8]>::to_vec).collect();
        (!values.is_empty()).then(|| String::from_utf8(values.concat()).expect("text"))
    };
    for name in names {
        carrier.set(name, "theirs=1".to_owned());
    }
    let send = |run: Run, carrier: &mut C| {
        drop(Recorder::new().run(|| run.start("send", |_, message| message.write(carrier))));
    };
    send(Run::new().with_id("customer.id", "anna"), &mut carrier);
    for name in ["baggage", "enter-span-origin-baggage"] {
        let baggage = text_of(&carrier, name);
        assert_eq!(baggage.as_deref(), Some("customer.id=anna"));
    }
    send(Run::new(), &mut carrier);
    let set = names
        .into_iter()
        .filter(|name| text_of(&carrier, name).is_some());
    let expected = ["traceparent", "enter-span-origin-traceparent"];
    assert_eq!(set.collect::<Vec<_>>(), expected);
    assert_eq!(text_of(&carrier, "other").as_deref(), Some("stays"));

    let by_key = Propagator::new().with_baggage_keys(["customer.id"]);
    let anna = [KeyValue::new("customer.id", "anna")];
    drop(Recorder::new().run(|| {
        enter_span("call", |_| {
            {
                let _anna = Context::current().with_baggage(anna).attach();
                by_key.inject(&mut carrier);
            }
            let baggage = text_of(&carrier, "baggage");
            assert_eq!(baggage.as_deref(), Some("customer.id=anna"));
            by_key.inject(&mut carrier);
            assert_eq!(text_of(&carrier, "baggage"), None);
        });
    }));
}

/// Maps and lists of text.
#[test]
fn text_carries() {
    let twice = [("TraceParent", "theirs"), ("TRACEPARENT", "twice")];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    check(HashMap::<String, String>::from(twice.map(own)));
    check(BTreeMap::<String, String>::from(twice.map(own)));
    check(Vec::<(String, String)>::from(twice.map(own)));
}

/// Maps and lists of bytes.
#[test]
fn bytes_carry() {
    let twice = [("TraceParent", "theirs"), ("TRACEPARENT", "twice")];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
    check(HashMap::<String, Vec<u8>>::from(twice.map(own)));
    check(BTreeMap::<String, Vec<u8>>::from(twice.map(own)));
    check(Vec::<(String, Vec<u8>)>::from(twice.map(own)));
}

/// The headers of HTTP, with repeated names, and the metadata of gRPC.
#[test]
fn headers_carry() {
    let mut headers = HeaderMap::new();
    headers.append("traceparent", http::HeaderValue::from_static("theirs"));
    headers.append("traceparent", http::HeaderValue::from_static("twice"));
    check(headers.clone());
    check(MetadataMap::from_headers(headers));
}

/// Values that are no text are no panic, and names that are no names neither.
#[test]
fn what_does_not_fit_is_left_out() {
    let mut headers = HeaderMap::new();
    headers.insert(
        "traceparent",
        http::HeaderValue::from_bytes(b"\xff\xfe").expect("bytes"),
    );
    assert!(!extract(&headers).is_valid());
    Outgoing::set(&mut headers, "no name", "x".to_owned());
    Outgoing::set(&mut headers, "name", "no\nvalue".to_owned());
    Outgoing::unset(&mut headers, "no name");
    assert_eq!(headers.len(), 1);
}

/// Several `tracestate` of one request are one list.
#[test]
fn repeated_headers_are_one_list() {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", http::HeaderValue::from_static(PARENT));
    headers.append("tracestate", http::HeaderValue::from_static("a=1,b=2"));
    headers.append("tracestate", http::HeaderValue::from_static(""));
    headers.append("tracestate", http::HeaderValue::from_static("c=3"));
    let mut sent = HeaderMap::new();
    drop(Recorder::new().run(|| {
        in_span!("serve", parent = extract(&headers), || inject(&mut sent));
    }));
    assert_eq!(sent["tracestate"], "a=1,b=2,c=3");
}

/// A carrier of the user's own takes a few lines.
#[test]
fn a_carrier_of_ones_own() {
    #[derive(Debug, Default)]
    struct Message(Vec<(String, String)>);
    impl Incoming for Message {
        fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
            let named = self.0.iter().filter(move |(known, _)| known == name);
            named.map(|(_, value)| value.as_bytes())
        }
    }
    impl Outgoing for Message {
        fn set(&mut self, name: &'static str, value: String) {
            self.unset(name);
            self.0.push((name.to_owned(), value));
        }
        fn unset(&mut self, name: &'static str) {
            self.0.retain(|(known, _)| known != name);
        }
    }
    check(Message::default());
    let mut boxed: Box<dyn Outgoing> = Box::new(Message::default());
    inject(&mut *boxed);
}
