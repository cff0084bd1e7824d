//! What leaves the process, and for whom.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use enter_span::prelude::*;
use enter_span::propagation::{
    Destinations, Outgoing, Propagator, Variables, inject_to, set_propagator,
};
use enter_span::testing::Recorder;
use enter_span::{Span, Tracer, enter_span, extract, in_span, inject};
use enter_span_pipeline::{Pipeline, Sampler};
use http::HeaderMap;
use opentelemetry::baggage::{Baggage, BaggageExt as _, KeyValueMetadata};
use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample};
use rstest::rstest;

use super::{PARENT, TRACE};
use crate::pipeline::{build, in_memory, tracer};
use crate::support::child::is_child;

type Headers = HashMap<String, String>;

fn injected() -> Headers {
    let mut headers = Headers::new();
    inject(&mut headers);
    headers
}

fn of(span: &Span) -> String {
    let (trace, id) = (span.trace_id(), span.span_id());
    let (trace, id) = (trace.expect("a trace"), id.expect("a span"));
    format!("00-{trace}-{id}-01")
}

/// The current span, in full, and nothing else.
#[test]
fn the_current_span_is_written() {
    drop(Recorder::new().run(|| {
        enter_span("client", |span| {
            let expected = [("traceparent".to_owned(), of(&span))];
            assert_eq!(injected(), expected.into());
        });
    }));
}

/// Without a span nothing is written, and what is there stays.
#[test]
fn without_a_span_nothing_is_written() {
    assert_eq!(injected(), Headers::new());
    let mut headers = HeaderMap::new();
    for name in ["traceparent", "tracestate", "baggage"] {
        headers.append(name, http::HeaderValue::from_static("theirs"));
        headers.append(name, http::HeaderValue::from_static("twice"));
    }
    let before = headers.clone();
    inject(&mut headers);
    assert_eq!(headers, before);
}

/// What is there is replaced, once, whatever it was; and `tracestate` with it, as it is of
/// another trace.
#[test]
fn what_is_there_is_replaced_once() {
    let mut headers = HeaderMap::new();
    for name in ["traceparent", "tracestate", "other"] {
        headers.append(name, http::HeaderValue::from_static("theirs"));
        headers.append(name, http::HeaderValue::from_static("twice"));
    }
    drop(Recorder::new().run(|| {
        enter_span("client", |span| {
            inject(&mut headers);
            inject(&mut headers);
            let traceparent: Vec<_> = headers.get_all("traceparent").iter().collect();
            assert_eq!(traceparent, [&of(&span)]);
        });
    }));
    assert_eq!(headers.get("tracestate"), None);
    assert_eq!(headers.get_all("other").iter().count(), 2);
}

/// The server's parent is the client's span, and not its caller.
#[test]
fn the_receiver_is_below_the_client() {
    #[enter_span(kind = client)]
    fn send(wire: &mpsc::Sender<Headers>) {
        wire.send(injected()).expect("the server runs");
    }
    #[enter_span(kind = server, parent = extract(request))]
    fn serve(request: &Headers) {}
    let recorder = Recorder::new();
    let trace = recorder.run(|| {
        let (wire, requests) = mpsc::channel::<Headers>();
        let below = recorder.context();
        let server =
            thread::spawn((move || requests.iter().for_each(|one| serve(&one))).in_span(&below));
        enter_span("caller", |_| send(&wire));
        drop(wire);
        server.join().expect("a server that ends well");
    });
    trace.assert_tree(
        "
        caller
          send [client]
            serve [server]
    ",
    );
}

/// A trace that is not sampled says so, also below a remote parent.
#[test]
fn a_trace_that_is_not_sampled_says_so() {
    let recorder = Recorder::new().with_sampler(|_| false);
    drop(recorder.run(|| {
        enter_span("client", |_| {
            assert!(injected()["traceparent"].ends_with("-00"))
        });
    }));
    let remote = [("traceparent", format!("00-{TRACE}-b7ad6b7169203331-00"))];
    let trace = Recorder::new().run(|| {
        in_span!("serve", parent = extract(&remote), || {
            let sent = &injected()["traceparent"];
            assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"));
        });
    });
    assert!(trace.spans().is_empty());
}

/// Our own trace ids are random, and say so.
#[test]
fn a_trace_of_the_pipeline_is_random() {
    let pipeline = build(Pipeline::builder().with_exporter(in_memory()));
    tracer(&pipeline).enter_span("client", |_| {
        assert!(injected()["traceparent"].ends_with("-03"));
    });
}

/// Below a remote span, what it said is sent on by the pipeline, the SDK and the recorder alike: at any
/// depth, and on other threads; and not in another trace.
#[test]
fn a_state_is_that_of_its_trace() {
    let request = [
        ("traceparent", format!("00-{TRACE}-b7ad6b7169203331-03")),
        ("tracestate", "a@@b=1 ,c=2".to_owned()),
    ];
    let check = || {
        in_span!("serve", parent = extract(&request), || {
            enter_span("inner", |_| {
                let here = injected();
                assert_eq!(here["tracestate"], "a@@b=1 ,c=2");
                assert!(here["traceparent"].ends_with("-03"));
                let there = thread::spawn(injected.in_current_span()).join();
                assert_eq!(
                    there.expect("a thread that ends well")["tracestate"],
                    "a@@b=1 ,c=2"
                );
                in_span!("new", root, || assert_eq!(
                    injected().get("tracestate"),
                    None
                ));
                let linked = thread::spawn(
                    (|| enter_span("linked", |_| injected())).linked_to_current_span(),
                );
                let linked = linked.join().expect("a thread that ends well");
                assert_eq!(linked.get("tracestate"), None);
            });
        });
    };
    drop(Recorder::new().run(check));
    let sdk = SdkTracerProvider::builder().build();
    Tracer::new(sdk, "it").enter_span("sdk", |_| check());
    let pipeline = build(Pipeline::builder().with_exporter(in_memory()));
    tracer(&pipeline).enter_span("pipeline", |_| check());
}

/// Puts a member into the state, changes one and takes one away.
#[derive(Clone, Debug)]
struct Changes;

impl ShouldSample for Changes {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let state = parent.map(|parent| parent.span().span_context().trace_state().clone());
        let mut state = state.unwrap_or(TraceState::NONE);
        if name == "changes" {
            state = state.insert("c", "3").expect("a valid member");
            state = state.insert("new", "4").expect("a valid member");
            state = state.delete("gone").expect("a valid key");
        }
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: state,
        }
    }
}

/// What a sampler changes stands first, and the rest keeps its order, also what OpenTelemetry's type
/// cannot hold.
#[rstest]
#[case("a@@b=1 ,c=2,gone=5,z=9", "new=4,c=3,a@@b=1,z=9")]
#[case("c=2,gone=5,z=9", "new=4,c=3,z=9")]
#[case("", "new=4,c=3")]
fn what_is_changed_stands_first(#[case] came: &str, #[case] sent: &str) {
    let request = [("traceparent", PARENT), ("tracestate", came)];
    let builder = Pipeline::builder().with_sampler(Sampler::Custom(Box::new(Changes)));
    let pipeline = build(builder.with_exporter(in_memory()));
    tracer(&pipeline).enter_span("outer", |_| {
        in_span!("changes", parent = extract(&request), || {
            assert_eq!(injected()["tracestate"], sent);
            enter_span("child", |_| assert_eq!(injected()["tracestate"], sent));
        });
    });
}

/// What local code puts into a state and nobody may send is left out.
#[test]
fn a_state_cannot_forge_headers() {
    let state = TraceState::from_key_value([("ok", "1"), ("bad", "a\r\nevil: 1"), ("e", "ä")]);
    let state = state.expect("OpenTelemetry takes it");
    let span = opentelemetry::trace::SpanContext::new(
        TraceId::from(1),
        opentelemetry::trace::SpanId::from(2),
        Default::default(),
        true,
        state,
    );
    let context = Context::new().with_remote_span_context(span);
    let mut headers = Headers::new();
    Propagator::new().inject_context_of(&context.into(), &mut headers);
    assert_eq!(headers["tracestate"], "ok=1");
}

/// Baggage leaves by the keys that were named, in their order.
#[test]
fn baggage_leaves_by_its_keys() {
    let entry = |key: &'static str, value: &'static str, metadata: &'static str| {
        KeyValueMetadata::new(key, value, metadata)
    };
    let baggage: Baggage = [
        entry("secret", "1", ""),
        entry("tenant", "Käse & Söhne, 100%", ""),
        entry("region", "eu", "ttl=3;shared"),
        entry("forged", "1", "a\r\nevil: 1"),
    ]
    .into_iter()
    .collect();
    drop(Recorder::new().run(|| {
        enter_span("client", |span| {
            let context = Context::from(span.context()).with_baggage(baggage);
            let sent = |propagator: Propagator| {
                let mut headers: Headers = [("Baggage".to_owned(), "mine=1".to_owned())].into();
                propagator.inject_context_of(&context.clone().into(), &mut headers);
                headers.remove("traceparent").expect("a span");
                headers
            };
            // What is there was for another request.
            assert_eq!(sent(Propagator::new()), Headers::new());
            let by_no_key = Propagator::new().with_baggage_keys(["none"]);
            assert_eq!(sent(by_no_key), Headers::new());
            let untouched: Headers = [("Baggage".to_owned(), "mine=1".to_owned())].into();
            let keys = ["region", "tenant", "none", "forged"];
            let by_keys = Propagator::new().with_baggage_keys(keys);
            let expected =
                "region=eu;ttl=3;shared,tenant=K%C3%A4se%20&%20S%C3%B6hne%2C%20100%25,forged=1";
            let expected: Headers = [("baggage".to_owned(), expected.to_owned())].into();
            assert_eq!(sent(by_keys.clone()), expected);
            assert_eq!(sent(by_keys.without_baggage()), untouched);
        });
    }));
}

/// Without a span baggage stays too, unless the propagator is for nothing else.
#[test]
fn baggage_goes_with_a_span() {
    let context = Context::new().with_baggage([KeyValue::new("tenant", "shop")]);
    let sent = |propagator: Propagator| {
        let mut headers = Headers::new();
        propagator.inject_context_of(&context.clone().into(), &mut headers);
        headers
    };
    let both = Propagator::new().with_baggage_keys(["tenant"]);
    assert_eq!(sent(both.clone()), Headers::new());
    let alone = sent(both.without_trace_context());
    assert_eq!(
        alone,
        [("baggage".to_owned(), "tenant=shop".to_owned())].into()
    );
}

/// At most 64 members of 8192 bytes; what does not fit is left out whole, and smaller ones still go.
#[test]
fn baggage_that_leaves_is_bounded() {
    let sent = |entries: Vec<KeyValue>| {
        let keys: Vec<String> = entries.iter().map(|entry| entry.key.to_string()).collect();
        let context = Context::new().with_baggage(entries);
        let propagator = Propagator::new()
            .without_trace_context()
            .with_baggage_keys(keys);
        let mut headers = Headers::new();
        propagator.inject_context_of(&context.into(), &mut headers);
        headers.remove("baggage").unwrap_or_default()
    };
    let many = (0..64).map(|number| KeyValue::new(format!("k{number}"), "v"));
    assert_eq!(sent(many.collect()).split(',').count(), 64);
    // Encoded it is three times as long.
    let large = KeyValue::new("large", " ".repeat(3000));
    let fits = KeyValue::new("fits", "v".repeat(100));
    assert_eq!(sent(vec![large, fits]), format!("fits={}", "v".repeat(100)));
}

/// What the caller sent is current below its span, with what is added.
#[test]
fn baggage_is_restored_below_a_remote_span() {
    let request = [("traceparent", PARENT), ("baggage", "tenant=shop,theirs=1")];
    drop(Recorder::new().run(|| {
        in_span!("serve", parent = extract(&request), || {
            enter_span("inner", |_| {
                let propagator = Propagator::new().with_baggage_keys(["tenant"]);
                let mut headers = Headers::new();
                propagator.inject(&mut headers);
                assert_eq!(headers["baggage"], "tenant=shop");
            });
        });
        assert!(Context::current().baggage().is_empty());
    }));
}

/// Which hosts are told is the application's choice.
#[rstest]
#[case("api.internal", true)]
#[case("API.Internal", true)]
#[case("api.internal.", true)]
#[case("api.internal:8443", true)]
#[case("api.internal.attacker.test", false)]
#[case("orders.shop.example", true)]
#[case("a.b.shop.example:80", true)]
#[case("shop.example", false)]
#[case("evilshop.example", false)]
#[case(".shop.example", false)]
#[case("[::1]:8080", true)]
#[case("[::1]", true)]
#[case("::1", false)]
#[case("", false)]
#[case("é.shop.example", true)]
fn hosts_are_chosen(#[case] host: &str, #[case] is_told: bool) {
    let hosts = Destinations::hosts(["api.internal", "*.shop.example", "[::1]"]);
    assert_eq!(hosts.include(host), is_told);
    let propagator = Propagator::new().with_destinations(hosts);
    drop(Recorder::new().run(|| {
        enter_span("client", |_| {
            let mut headers = Headers::new();
            propagator.inject_to(host, &mut headers);
            assert_eq!(!headers.is_empty(), is_told);
        });
    }));
    assert!(Destinations::all().include(host) && !Destinations::none().include(host));
    let panics = Destinations::when(|_| std::panic::resume_unwind(Box::new("a predicate")));
    assert!(!panics.include(host));
}

/// The process's choice holds for the functions, and for code that uses OpenTelemetry's global one.
#[test]
fn a_propagator_is_set_for_the_process() {
    if !is_child("propagation::injection::a_propagator_is_set_for_the_process") {
        return;
    }
    let destinations = Destinations::hosts(["ours"]);
    let propagator = Propagator::new().with_baggage_keys(["tenant"]);
    set_propagator(propagator.with_destinations(destinations));
    let request = [("traceparent", PARENT), ("baggage", "tenant=shop,theirs=1")];
    drop(Recorder::new().run(|| {
        in_span!("serve", parent = extract(&request), || {
            let mut ours = Headers::new();
            inject_to("ours", &mut ours);
            assert_eq!(ours["baggage"], "tenant=shop");
            let mut theirs = Headers::new();
            inject_to("theirs", &mut theirs);
            assert_eq!(theirs, Headers::new());
            let mut global = Headers::new();
            global::get_text_map_propagator(|propagator| propagator.inject(&mut global));
            assert_eq!(global, ours);
        });
    }));
}

/// What the pipeline installs is what the functions use.
#[test]
fn the_pipeline_sets_what_the_functions_use() {
    if !is_child("propagation::injection::the_pipeline_sets_what_the_functions_use") {
        return;
    }
    let sent = || {
        let headers = Recorder::new().enter(|| enter_span("client", |_| injected()));
        headers.len()
    };
    let builder = |value: &'static str| {
        let get = move |name: &str| (name == "OTEL_PROPAGATORS").then(|| value.to_owned());
        Pipeline::builder()
            .with_exporter(in_memory())
            .with_environment(get)
            .with_warnings(|_| ())
    };
    let install = |builder: enter_span_pipeline::PipelineBuilder| {
        drop(builder.install().expect("the only one"));
    };
    assert_eq!(sent(), 1);
    install(builder("none").without_propagator());
    assert_eq!(sent(), 1);
    install(builder("none"));
    assert_eq!(sent(), 0);
    install(builder("tracecontext"));
    assert_eq!(sent(), 1);
    // What is there stays.
    install(builder("none"));
    assert_eq!(sent(), 1);
    install(builder("").with_propagator(Propagator::new().without_trace_context()));
    assert_eq!(sent(), 0);
    install(builder("baggage,tracecontext"));
    assert_eq!(sent(), 1);
}

/// The variables of a process that was started are its parent, and what is not told is not inherited.
#[test]
fn a_process_is_below_its_starter() {
    let mut headers = Vec::<(String, String)>::new();
    let mut command = std::process::Command::new("true");
    drop(Recorder::new().run(|| {
        enter_span("starter", |_| {
            inject(&mut headers);
            inject(&mut command);
        });
    }));
    let set: Vec<_> = command.get_envs().collect();
    let parent = (
        std::ffi::OsStr::new("TRACEPARENT"),
        Some(std::ffi::OsStr::new(&headers[0].1)),
    );
    let nothing = |name| (std::ffi::OsStr::new(name), None);
    assert_eq!(set, [nothing("BAGGAGE"), parent, nothing("TRACESTATE")]);
    Outgoing::set(
        &mut command,
        "enter-span-origin-traceparent",
        "x".to_owned(),
    );
    let known = command
        .get_envs()
        .any(|one| one.0 == "ENTER_SPAN_ORIGIN_TRACEPARENT");
    assert!(known, "a name is made one of the environment");
}

/// What a process was started with is read from its environment.
#[test]
fn a_process_finds_its_starter() {
    let variables = [
        ("TRACEPARENT", PARENT),
        ("TRACESTATE", "a=1"),
        ("BAGGAGE", "tenant=shop"),
    ];
    let test = "propagation::injection::a_process_finds_its_starter";
    if !crate::support::child::is_child_with(test, &variables) {
        return;
    }
    let variables = Variables::of_process();
    assert!(!format!("{variables:?}").contains(TRACE));
    let starter = extract(&variables);
    assert_eq!(starter.span_context().trace_id().to_string(), TRACE);
    assert_eq!(starter.baggage("tenant"), Some("shop"));
    drop(Recorder::new().run(|| {
        in_span!("job", parent = starter, || assert_eq!(
            injected()["tracestate"],
            "a=1"
        ));
    }));
}
