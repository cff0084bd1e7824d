//! Where a span hangs, whether it is made, and what a sampler sees.

use std::cell::Cell;

use enter_span::testing::Recorder;
use enter_span::{Context, Span, SpanContext, Value, enter_span, in_span};
use opentelemetry::trace::{
    SpanContext as OtelSpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};

use crate::support::check::check;

fn remote(flags: TraceFlags) -> OtelSpanContext {
    OtelSpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        flags,
        true,
        TraceState::NONE,
    )
}

#[enter_span(root)]
fn root() {
    child();
}

#[enter_span]
fn child() {}

#[enter_span(parent = parent)]
fn below<P: enter_span::ToParent>(parent: P) {
    child();
}

/// A root is no child of what lies on the thread, and keeps its recorder.
#[test]
fn a_root_starts_a_trace_of_its_own() {
    let trace = check(
        || enter_span("outer", |_| root()),
        "
        outer
        root
          child
        ",
    );
    let outer = trace.find("outer").span_context().trace_id();
    assert_ne!(trace.find("root").span_context().trace_id(), outer);
}

/// Every kind of parent, and the current span again afterwards.
#[test]
fn a_parent_can_be_given() {
    check(
        || {
            let mut first = (Span::default(), Context::current());
            enter_span("first", |span| first = (span.clone(), span.context()));
            enter_span("second", |_| {
                below(&first.0);
                below(first.0.span_context());
                below(&first.1);
                below(Some(opentelemetry::Context::from(first.1)));
                child();
            });
        },
        "
        first
          below
            child
          below
            child
          below
            child
          below
            child
        second
          child
        ",
    );
}

/// A remote parent gives its trace id and its decision.
#[test]
fn a_remote_parent_is_continued() {
    let trace = Recorder::new().run(|| {
        below(remote(TraceFlags::SAMPLED));
        below(remote(TraceFlags::NOT_SAMPLED));
    });
    trace.assert_tree("below\n  child");
    let below = trace.find("below");
    let trace_id = below.span_context().trace_id().to_string();
    assert_eq!(trace_id, "0af7651916cd43dd8448eb211c80319c");
    let parent = below.parent_id().expect("the remote span").to_string();
    assert_eq!(parent, "b7ad6b7169203331");
}

/// Said explicitly, the thread is not looked at: no parent is a new root.
#[test]
fn an_absent_parent_makes_a_root() {
    let trace = check(
        || {
            enter_span("thread", |_| {
                below(None::<SpanContext>);
                below(OtelSpanContext::NONE);
                below(Span::default());
            });
        },
        "
        thread
        below
          child
        below
          child
        below
          child
        ",
    );
    assert!(
        trace
            .spans()
            .iter()
            .all(|span| span.name() != "below" || span.parent_id().is_none())
    );
}

/// Links: valid ones, each once, given at the start or later.
#[test]
fn links_are_valid_and_unique() {
    #[enter_span(|span|, root, links(first, second, first, OtelSpanContext::NONE, list))]
    fn linked(first: &Span, second: Option<SpanContext>, list: &[SpanContext]) {
        span.add_link(OtelSpanContext::NONE);
        span.add_link(remote(TraceFlags::SAMPLED));
    }
    let trace = Recorder::new().run(|| {
        let (first, second) = enter_span("first", |first| {
            (first, enter_span("second", |second| second.span_context()))
        });
        linked(&first, Some(second.clone()), &[second]);
    });
    let links = trace.find("linked").links();
    let ids: Vec<_> = links.iter().map(SpanContext::span_id).collect();
    let first = trace.find("first").span_id();
    let second = trace.find("second").span_id();
    assert_eq!(ids[..2], [first, second]);
    assert_eq!(ids[2].to_string(), "b7ad6b7169203331");
    assert_eq!(ids.len(), 3);
}

/// A span that is not made is transparent: its children go to its parent.
#[test]
fn a_span_can_be_made_only_sometimes() {
    #[enter_span(|span|, when = wanted, attributes(wanted))]
    fn sometimes(wanted: bool) {
        assert_eq!(span.is_traced(), wanted);
        child();
    }
    check(
        || {
            enter_span("outer", |_| {
                sometimes(true);
                sometimes(false);
            });
        },
        "
        outer
          sometimes wanted=true
            child
          child
        ",
    );
}

fn panics<T>() -> T {
    panic!("an argument that panics")
}

/// A condition that panics does not hold, and the function runs.
#[test]
fn a_condition_that_panics_makes_no_span() {
    #[enter_span(when = panics::<bool>())]
    fn guarded() -> u8 {
        7
    }
    check(|| assert_eq!(guarded(), 7), "");
}

/// Neither does what lies on the thread become the parent where the parent panics; and what
/// panics costs what it says, and not the rest.
#[test]
fn a_parent_that_panics_makes_a_root() {
    #[enter_span(name = panics::<String>(), parent = panics::<Span>(), links(panics::<Span>()), start(k = 1))]
    fn below() {}
    check(
        || enter_span("lies here", |_| below()),
        "
        lies here
        below k=1
        ",
    );
}

/// Names: literal, computed from arguments, given in a block.
#[test]
fn a_name_can_be_computed() {
    #[enter_span(name = format!("GET {route}"))]
    fn handler(route: &str) {}
    #[enter_span(name = *names.first().unwrap_or(&"none"))]
    fn first_of(names: &[&str]) {}
    #[enter_span(name = panics::<String>())]
    fn unnamed() {}
    check(
        || {
            handler("/users/{id}");
            first_of(&["a", "b"]);
            unnamed();
            in_span!(name = String::from("block"), |_| ());
        },
        "
        GET /users/{id}
        a
        unnamed
        block
        ",
    );
}

/// Kinds, in every form.
#[test]
fn a_span_has_a_kind() {
    #[enter_span(kind = server)]
    fn serve() {}
    #[enter_span(kind = producer)]
    fn produce() {}
    #[enter_span(kind = internal)]
    fn internal() {}
    check(
        || {
            serve();
            produce();
            internal();
            in_span!("call", kind = client, |_| ());
            in_span!("consume", kind = consumer, |_| ());
        },
        "
        serve [server]
        produce [producer]
        internal
        call [client]
        consume [consumer]
        ",
    );
}

/// Sampled and unsampled roots on one thread; each subtree follows its own.
#[test]
fn each_subtree_follows_its_own_root() {
    let recorder = Recorder::new().with_sampler(|root| root != "unsampled");
    let trace = recorder.run(|| {
        let mut unsampled = Context::current();
        enter_span("unsampled", |_| {
            unsampled = Context::current();
            child();
            enter_span("between", |_| ());
        });
        enter_span("sampled", |_| {
            child();
            below(&unsampled);
            child();
        });
    });
    trace.assert_tree(
        "
        sampled
          child
          child
        ",
    );
}

/// In a trace that is not sampled nothing is evaluated, and headers say so.
#[test]
fn nothing_is_evaluated_in_a_trace_that_is_not_sampled() {
    thread_local!(static EVALUATED: Cell<u32> = const { Cell::new(0) });
    #[enter_span(|span|, attributes(n = { EVALUATED.set(EVALUATED.get() + 1); 1 }), ret(n = |_| { EVALUATED.set(9); 1 }))]
    fn unsampled() -> u8 {
        assert!(!span.is_traced());
        let current = opentelemetry::Context::current();
        let identity = current.span().span_context().clone();
        assert!(identity.is_valid() && !identity.is_sampled());
        inner();
        1
    }
    #[enter_span(attributes(n = { EVALUATED.set(EVALUATED.get() + 1); 1 }))]
    fn inner() {
        assert!(!Span::current().span_context().is_sampled());
    }
    let trace = Recorder::new().with_sampler(|_| false).run(unsampled);
    assert!(trace.spans().is_empty());
    assert_eq!(EVALUATED.get(), 0);
}

/// What stands in `start(..)` is there when the sampler decides, and it is kept.
#[test]
fn start_attributes_are_set_at_the_start() {
    #[enter_span(|span|, start(tenant = tenant, attempt), attributes(late = 1))]
    fn sampled(tenant: &str, attempt: u8) {
        span.set_attribute("tenant", "changed");
    }
    let trace = check(
        || sampled("acme", 2),
        "sampled tenant=acme attempt=2 late=1",
    );
    assert_eq!(
        trace.find("sampled").attribute("tenant"),
        Some(Value::from("acme"))
    );
}

/// A leaf is timed and exported, has attributes and outcome, and is never current.
#[test]
fn a_leaf_is_never_current() {
    #[enter_span(|span|, leaf, attributes(id))]
    fn leaf(id: u8) -> Result<(), String> {
        assert!(span.is_traced());
        assert_ne!(Span::current().span_id(), span.span_id());
        span.set_attribute("set", true);
        Err("failed".to_owned())
    }
    check(
        || enter_span("outer", |_| leaf(3)),
        "
        outer
          leaf id=3 set=true !String
        ",
    );
}

/// The code attributes say where a span was made, without naming a folder of the machine.
#[test]
fn the_place_in_source_is_told() {
    #[enter_span]
    fn placed() -> u32 {
        line!() - 1
    }
    let mut line = 0;
    let trace = Recorder::new().run(|| line = placed());
    let span = trace.find("placed");
    assert_eq!(
        span.attribute("code.function.name"),
        Some(Value::from("it::span::relations::placed"))
    );
    assert_eq!(
        span.attribute("code.file.path"),
        Some(Value::from("it/span/relations.rs"))
    );
    assert_eq!(span.attribute("code.line.number"), Some(Value::from(line)));
    assert_eq!(span.library(), ("enter-span-tests", Some("0.1.0")));
}
