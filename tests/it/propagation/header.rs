//! What each of the three headers may look like, and what becomes of it.

use std::collections::HashMap;

use enter_span::propagation::{Propagator, Remote, extract};
use enter_span::testing::Recorder;
use enter_span::{enter_span, in_span, inject};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

use super::{PARENT, TRACE};

type Headers = Vec<(String, Vec<u8>)>;

fn headers(all: &[(&str, &str)]) -> Headers {
    let own = |(name, value): &(&str, &str)| (String::from(*name), value.as_bytes().to_vec());
    all.iter().map(own).collect()
}

/// What a span below this remote one sends on: `traceparent` and `tracestate`.
fn sent_on(remote: &Remote) -> (String, Option<String>) {
    let mut sent = HashMap::<String, String>::new();
    drop(Recorder::new().run(|| {
        in_span!("serve", parent = remote, || enter_span("call", |_| inject(
            &mut sent
        )));
    }));
    let traceparent = sent.remove("traceparent").expect("a span is current");
    (traceparent, sent.remove("tracestate"))
}

fn tracestate_of(values: &[&str]) -> Option<String> {
    let mut all = vec![("traceparent", PARENT)];
    all.extend(values.iter().map(|value| ("tracestate", *value)));
    let remote = extract(&headers(&all));
    assert!(
        remote.is_valid(),
        "a wrong `tracestate` does not harm the trace"
    );
    sent_on(&remote).1
}

/// The ids and the flags that level 2 knows, as they came.
#[rstest]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01", 1)]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-03", 3)]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-02", 2)]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-00", 0)]
#[case("00-00000000000000000000000000000001-0000000000000001-00", 0)]
// Flags that are not known are zero.
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-ff", 3)]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-fc", 0)]
// White space around a value is none of it.
#[case(" \t00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01\t ", 1)]
// A later version is read as far as it is known.
#[case("01-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01", 1)]
#[case("cc-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01", 1)]
#[case(
    "cc-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-03-what-will-be",
    3
)]
#[case("cc-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01-", 1)]
#[case("fe-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01-\u{e4}", 1)]
fn a_traceparent_is_continued(#[case] value: &str, #[case] flags: u8) {
    let remote = extract(&headers(&[("traceparent", value)]));
    let known = value.trim();
    let context = opentelemetry::trace::SpanContext::from(remote.span_context());
    assert_eq!(context.trace_id().to_string(), known[3..35]);
    assert_eq!(context.span_id().to_string(), known[36..52]);
    assert_eq!(context.trace_flags().to_u8(), flags);
    assert!(context.is_remote());
    let sent = sent_on(&remote).0;
    assert_eq!(sent[..36], format!("00-{}-", &known[3..35]));
    assert_ne!(
        sent[36..52],
        known[36..52],
        "the parent is the span that sends"
    );
    assert_eq!(sent[52..], format!("-{flags:02x}"));
}

/// What is not as level 2 says begins a new trace.
#[rstest]
#[case("")]
#[case("---")]
#[case("00-1-1-00")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-1")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-001")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01.")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01-")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01-more")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-0.")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-0A")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f6071-01")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f607189-01")]
#[case("00-11223344556677889900aabbccddeeff-A1b2c3d4e5f60718-01")]
#[case("00-11223344556677889900aabbccddeef-a1b2c3d4e5f60718-01")]
#[case("00-11223344556677889900aabbccddeefff-a1b2c3d4e5f60718-01")]
#[case("00-11223344556677889900aabbccddeefF-a1b2c3d4e5f60718-01")]
#[case("00-+1223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01")]
#[case("00-00000000000000000000000000000000-a1b2c3d4e5f60718-01")]
#[case("00-11223344556677889900aabbccddeeff-0000000000000000-01")]
#[case("0-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01")]
#[case("000-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01")]
#[case("0.-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01")]
#[case("0A-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01")]
#[case("ff-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01")]
#[case("ff-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01-more")]
#[case("cc-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01.more")]
#[case("cc-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-0")]
#[case("00_11223344556677889900aabbccddeeff_a1b2c3d4e5f60718_01")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01\n")]
#[case("00-11223344556677889900aabbccddeeff-a1b2c3d4e5f60718-01, ")]
fn another_traceparent_begins_a_new_trace(#[case] value: &str) {
    let state = ("tracestate", "congo=1");
    let remote = extract(&headers(&[("traceparent", value), state]));
    assert!(!remote.is_valid());
    let (traceparent, tracestate) = sent_on(&remote);
    assert!(!traceparent.contains("11223344556677889900aabbccddeeff"));
    assert_eq!(
        tracestate, None,
        "what came with it is not of the new trace"
    );
}

/// Two of them, also of one value, say nothing.
#[test]
fn a_second_traceparent_begins_a_new_trace() {
    let twice = headers(&[("traceparent", PARENT), ("Traceparent", PARENT)]);
    assert!(!extract(&twice).is_valid());
    let other = headers(&[("traceparent", PARENT), ("trace-parent", PARENT)]);
    assert!(extract(&other).is_valid());
}

/// Without a parent there is no state.
#[test]
fn a_tracestate_alone_is_nothing() {
    let remote = extract(&headers(&[("tracestate", "congo=1")]));
    assert!(!remote.is_valid());
    assert_eq!(sent_on(&remote).1, None);
}

/// The random flag is that of the trace, for all that is below.
#[test]
fn the_random_flag_is_kept() {
    for (flags, kept) in [("02", "02"), ("03", "03"), ("00", "00"), ("01", "01")] {
        let value = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
        let remote = extract(&headers(&[("traceparent", &value)]));
        assert_eq!(sent_on(&remote).0[53..], *kept);
    }
}

/// What level 2 allows is sent on to the letter, also where OpenTelemetry's type refuses or rewrites it.
#[rstest]
#[case("congo=t61rcWkgMzE")]
#[case("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")]
#[case("0a_-*/@z=1")]
#[case("foo@=1,bar=2")]
#[case("foo@@bar=1,bar=2")]
#[case("foo@bar@baz=1,bar=2")]
#[case("t@vvvvvvvvvvvvvvvvvvvvvvvvvvvvvv=1")]
#[case("foo=1 \t , \tbar=2")]
#[case("foo=1,,bar=2,")]
#[case("foo=  leading,bar=in the middle")]
#[case("foo=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~")]
// The same key again is not ours to take away.
#[case("foo=1,foo=1")]
#[case("foo=1,bar=2,foo=3")]
fn a_tracestate_is_sent_on_as_it_came(#[case] value: &str) {
    assert_eq!(tracestate_of(&[value]).as_deref(), Some(value));
}

/// Of lengths up to the limit, and of members up to the limit.
#[test]
fn a_tracestate_may_be_as_large_as_it_may() {
    let member = |key: usize| format!("{:z<256}={:v<256}", format!("k{key}"), key);
    let members: Vec<String> = (0..32).map(member).collect();
    let whole = members.join(",");
    assert_eq!(tracestate_of(&[&whole]).as_deref(), Some(&*whole));
    let each: Vec<&str> = members.iter().map(|member| &**member).collect();
    assert_eq!(tracestate_of(&each).as_deref(), Some(&*whole));
    let one_more = [&whole, ",x=1"].concat();
    assert_eq!(tracestate_of(&[&one_more]), None);
}

/// Empty members are no pairs, but what is sent has no more members than it may.
#[test]
fn empty_members_take_no_place() {
    let many = [",".repeat(100).as_str(), "foo@@=1", &" ,".repeat(100)].concat();
    assert_eq!(tracestate_of(&[&many]).as_deref(), Some("foo@@=1"));
}

/// Several headers are one list, in their order, and those that are empty add nothing.
#[rstest]
#[case(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], Some("foo=1,bar=2,rojo=1,congo=2,baz=3"))]
#[case(&["foo=1", ""], Some("foo=1"))]
#[case(&["", "foo=1"], Some("foo=1"))]
#[case(&["foo=1", " \t", "a@@=2"], Some("foo=1,a@@=2"))]
#[case(&[""], None)]
#[case(&[" , ,"], None)]
#[case(&["foo=1", "FOO=2"], None)]
fn several_are_one(#[case] values: &[&str], #[case] sent: Option<&str>) {
    assert_eq!(tracestate_of(values).as_deref(), sent);
}

/// One member that is wrong, and all are thrown away.
#[rstest]
#[case("foo")]
#[case("foo =1")]
#[case("FOO=1")]
#[case("foo.bar=1")]
#[case("@foo=1")]
#[case("_foo=1")]
#[case("=1")]
#[case("foo=")]
#[case("foo=  ")]
#[case("foo=bar=baz")]
#[case("foo=b\tar")]
#[case("foo=b\nar")]
#[case("foo=b\u{7f}ar")]
#[case("foo=\u{e4}")]
#[case("f\u{e4}=1")]
#[case("foo=1;bar=2;baz=3=4")]
fn a_wrong_member_costs_all(#[case] member: &str) {
    for list in [
        member.to_owned(),
        format!("congo=1,{member}"),
        format!("{member},congo=1"),
    ] {
        assert_eq!(tracestate_of(&[&list]), None, "{list:?}");
    }
}

/// Of a key and of a value, one character too many.
#[test]
fn a_long_member_costs_all() {
    for member in [["k".repeat(257), "v".into()], ["k".into(), "v".repeat(257)]] {
        assert_eq!(tracestate_of(&["foo=1", &member.join("=")]), None);
    }
}

/// A megabyte, and bytes that are no text, are nothing, and harm nothing.
#[test]
fn garbage_is_nothing() {
    let large = vec![b'a'; 1 << 20];
    let wide = vec![b' '; 1 << 20];
    for garbage in [large, wide, b"\xff\xfe\x00,=;%".repeat(100_000)] {
        for name in ["traceparent", "tracestate", "baggage"] {
            let mut all = headers(&[("traceparent", PARENT)]);
            all.retain(|_| name != "traceparent");
            all.push((name.to_owned(), garbage.clone()));
            let remote = extract(&all);
            assert_eq!(remote.is_valid(), name != "traceparent");
            assert_eq!(sent_on(&remote).1, None);
            assert_eq!(remote.baggage("a"), None);
        }
    }
}

/// The values that came are in no `Debug` text.
#[test]
fn values_are_not_shown() {
    let all = headers(&[
        ("traceparent", PARENT),
        ("tracestate", "congo@@=secret-state"),
        ("baggage", "user=secret-user"),
    ]);
    let shown = format!("{:?}", extract(&all));
    assert!(
        !shown.contains("secret") && shown.contains(TRACE),
        "{shown}"
    );
}

/// The entries of the baggage, decoded.
#[rstest]
#[case("key1=value1", "key1", Some("value1"))]
#[case(
    "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
    "key2",
    Some("value2")
)]
#[case("serverNode=DF%2028", "serverNode", Some("DF 28"))]
#[case("k=a=b==", "k", Some("a=b=="))]
#[case("k=%E2%82%AC", "k", Some("€"))]
#[case("k=%e2%82%ac", "k", Some("€"))]
#[case("k=", "k", Some(""))]
#[case("k=1,k=2", "k", Some("2"))]
// What is no UTF-8 is replaced; a percent sign that begins nothing is one.
#[case("k=%ff", "k", Some("\u{fffd}"))]
#[case("k=100%", "k", Some("100%"))]
#[case("k=%+1", "k", Some("%+1"))]
// One that is wrong is left out, and the others are not.
#[case("wrong,k=1", "k", Some("1"))]
#[case("k=1,a b=2", "a b", None)]
#[case("k=a b", "k", None)]
#[case("k=\"1\"", "k", None)]
#[case("k=1;=2", "k", None)]
#[case("=1", "", None)]
fn baggage_is_read(#[case] value: &str, #[case] key: &str, #[case] expected: Option<&str>) {
    let remote = extract(&headers(&[("baggage", value)]));
    assert_eq!(remote.baggage(key), expected);
    assert!(!remote.is_valid(), "baggage alone is no span");
}

/// Several headers are one list, of 64 members and 8192 bytes at most; a member that is cut is left out.
#[test]
fn baggage_is_bounded() {
    let two = extract(&headers(&[("baggage", "a=1"), ("Baggage", "b=2")]));
    assert_eq!((two.baggage("a"), two.baggage("b")), (Some("1"), Some("2")));
    let many: Vec<String> = (0..70).map(|number| format!("k{number}=1")).collect();
    let many = extract(&headers(&[("baggage", &many.join(","))]));
    assert_eq!(
        (many.baggage("k63"), many.baggage("k64")),
        (Some("1"), None)
    );
    let fits = format!("a={}", "x".repeat(8190));
    assert!(
        extract(&headers(&[("baggage", &fits)]))
            .baggage("a")
            .is_some()
    );
    assert_eq!(
        extract(&headers(&[("baggage", &format!("{fits}x"))])).baggage("a"),
        None
    );
    let cut = extract(&headers(&[("baggage", &format!("b=1,{fits}"))]));
    assert_eq!((cut.baggage("b"), cut.baggage("a")), (Some("1"), None));
}

proptest! {
    #![proptest_config(crate::span::random::unrecorded(1000))]

    /// Arbitrary bytes under the three names never panic, and what is accepted comes through a second
    /// process as it came through the first.
    #[test]
    fn what_is_accepted_goes_round(
        parent in prop_oneof![Just(PARENT.as_bytes().to_vec()), vec(any::<u8>(), 0..60)],
        states in vec(prop_oneof![
            vec(any::<u8>(), 0..40),
            "[a-c@ ,=\t]{0,12}".prop_map(String::into_bytes),
            "([a-z][a-z@]{0,3}=[ -+:-<a-z]{0,4}[a-z][ ]?,?){0,4}".prop_map(String::into_bytes),
        ], 0..4),
        baggage in vec(prop_oneof![
            vec(any::<u8>(), 0..40),
            "([a-z]{1,2} ?= ?(%[0-9a-f]{2}|[a-z]){0,4}(;[a-z])?,?){0,4}".prop_map(String::into_bytes),
        ], 0..4),
    ) {
        let mut all = vec![("traceparent".to_owned(), parent)];
        all.extend(states.into_iter().map(|value| ("tracestate".to_owned(), value)));
        all.extend(baggage.into_iter().map(|value| ("baggage".to_owned(), value)));
        let names: Vec<String> = ('a'..='z').map(String::from).collect();
        let propagator = Propagator::new().with_baggage_keys(names.clone());
        let pass = |all: &Headers| {
            let extracted = propagator.extract(all);
            let mut sent = Headers::new();
            propagator.inject_context_of(&extracted.context(), &mut sent);
            (extracted, sent)
        };
        let (first, sent) = pass(&all);
        let (second, again) = pass(&sent);
        prop_assert_eq!(&sent, &again);
        prop_assert_eq!(first.span_context(), second.span_context());
        if first.is_valid() {
            for name in &names {
                prop_assert_eq!(first.baggage(name), second.baggage(name));
            }
        }
    }
}

/// As OpenTelemetry's own kind of propagator it keeps what was there if nothing usable came.
#[test]
fn it_is_a_propagator_of_opentelemetrys() {
    let propagator = Propagator::new();
    let carrier: HashMap<String, String> = [
        ("traceparent".to_owned(), PARENT.to_owned()),
        ("tracestate".to_owned(), "a@@=1 ,b=2".to_owned()),
        ("baggage".to_owned(), "tenant=shop".to_owned()),
    ]
    .into();
    let context = propagator.extract_with_context(&opentelemetry::Context::new(), &carrier);
    assert_eq!(context.span().span_context().trace_id().to_string(), TRACE);
    let mut sent = HashMap::<String, String>::new();
    propagator.inject_context(&context, &mut sent);
    assert_eq!(sent["traceparent"], PARENT);
    assert_eq!(sent["tracestate"], "a@@=1 ,b=2");
    assert_eq!(sent.get("baggage"), None, "no key was named");
    let nothing = HashMap::<String, String>::new();
    let kept = propagator.extract_with_context(&context, &nothing);
    assert_eq!(kept.span().span_context(), context.span().span_context());
    let names: Vec<&str> = propagator.fields().collect();
    assert_eq!(names, ["traceparent", "tracestate", "baggage"]);
    let half = Propagator::new().without_trace_context();
    assert_eq!(half.fields().collect::<Vec<_>>(), ["baggage"]);
}
