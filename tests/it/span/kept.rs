//! What a span keeps of the context: values of the application and baggage, for each way of saying a
//! parent.

use std::sync::{Arc, Mutex};
use std::thread;

use enter_span::invocation::{Carrier, Invocation, Message, Run, TraceMode};
use enter_span::prelude::*;
use enter_span::propagation::{Remote, Trust};
use enter_span::testing::Recorder;
use enter_span::{
    Envelope, OwnedSpan, Span, SpanContext, Tracer, enter_span, extract, in_span, inject,
    start_span, task,
};
use enter_span_pipeline::{Pipeline, Sampler};
use futures::{FutureExt as _, StreamExt as _, stream};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span as SdkSpan, SpanData, SpanProcessor};

use crate::pipeline::{build, in_memory, tracer};
use crate::propagation::PARENT;
use crate::support::allocations;
use crate::support::check::block_on;
use crate::support::child::is_child;

/// A value of the application's.
struct Tenant(u8);

/// What the application finds in the context: its value, and its baggage.
#[derive(Debug, PartialEq)]
struct Seen(Option<u8>, Option<String>);

/// What is seen where nothing of the application's is.
const NOTHING: Seen = Seen(None, None);

fn seen() -> Seen {
    let current = Context::current();
    let baggage = current.baggage().get("tenant");
    Seen(
        current.get().map(|Tenant(tenant)| *tenant),
        baggage.map(ToString::to_string),
    )
}

fn of(tenant: u8) -> Seen {
    Seen(Some(tenant), Some(tenant.to_string()))
}

/// Runs `work` where both are current.
fn as_tenant<R>(tenant: u8, work: impl FnOnce() -> R) -> R {
    let context = Context::current()
        .with_value(Tenant(tenant))
        .with_baggage([KeyValue::new("tenant", i64::from(tenant))]);
    let _attached = context.attach();
    work()
}

/// Runs `work` as tenant 7 in a span, with a span that started as tenant 1, in another trace.
fn recorded<R>(work: impl FnOnce(OwnedSpan) -> R) -> R {
    Recorder::new().enter(|| {
        let other = as_tenant(1, || start_span!("other", root));
        as_tenant(7, || enter_span("here", |_| work(other)))
    })
}

#[test]
fn below_the_current_span() {
    recorded(|_| {
        assert_eq!(enter_span("block", |_| seen()), of(7));
        assert_eq!(in_span!("block", || seen()), of(7));
        let future = in_span!("async", async || seen());
        assert_eq!(block_on(future), of(7));
    });
}

#[test]
fn below_a_root() {
    #[enter_span(root)]
    fn function() -> Seen {
        seen()
    }
    recorded(|_| {
        assert_eq!(function(), of(7));
        let inner = || enter_span("inner", |_| seen());
        assert_eq!(in_span!("block", root, || inner()), of(7));
    });
}

#[test]
fn below_a_parent_of_this_process() {
    #[enter_span(parent = parent)]
    fn below<P: enter_span::ToParent>(parent: P) -> (Seen, SpanContext) {
        (seen(), Span::current().span_context())
    }
    recorded(|other| {
        let expected = other.trace_id();
        let ways = [
            below(&other),
            below(&*other),
            below(Span::clone(&other)),
            below(other.span_context()),
            below(Some(&other)),
        ];
        for (seen, span) in ways {
            assert_eq!((seen, Some(span.trace_id())), (of(7), expected));
        }
        for (seen, span) in [below(None::<Span>), below(Span::default())] {
            assert_eq!(seen, of(7));
            assert_ne!(Some(span.trace_id()), enter_span::trace_id());
        }
    });
}

/// A context that is given is taken whole, with what is in it.
#[test]
fn below_a_context_that_is_given() {
    recorded(|other| {
        let given = other.context();
        assert_eq!(in_span!("parent", parent = &given, || seen()), of(1));
        let theirs = Context::from(given.clone());
        assert_eq!(in_span!("parent", parent = theirs, || seen()), of(1));
        assert_eq!(given.enter(seen), of(1));
        assert_eq!(seen.in_span(&given)(), of(1));
    });
}

/// Where it is entered, and not where it started.
#[test]
fn in_an_owned_span() {
    recorded(|other| {
        assert_eq!(other.enter(seen), of(7));
        let id = other.enter(enter_span::span_id);
        assert_eq!(id, other.span_id());
        let here = start_span("started here");
        assert_eq!(as_tenant(9, || here.enter(seen)), of(9));
    });
}

/// A span that is started has the context of its start.
#[test]
fn of_a_started_span() {
    recorded(|other| {
        let spans = [
            start_span("function"),
            start_span!("macro"),
            start_span!("root", root),
            start_span!("below", parent = &other),
        ];
        for span in spans {
            assert_eq!(as_tenant(9, || span.context().enter(seen)), of(7));
        }
    });
}

/// What is carried elsewhere keeps what was current where it was handed over.
#[test]
fn in_a_closure_that_is_carried() {
    let (current, handle, owned, none) = recorded(|other| {
        (
            seen.in_current_span(),
            seen.in_span(&*other),
            seen.in_span(&other),
            seen.in_span(&None::<Span>),
        )
    });
    let works: [Box<dyn FnOnce() -> Seen + Send>; 4] = [
        Box::new(current),
        Box::new(handle),
        Box::new(owned),
        Box::new(none),
    ];
    for work in works {
        let there = thread::spawn(|| as_tenant(9, work)).join();
        assert_eq!(there.expect("a thread that ends well"), of(7));
    }
}

#[test]
fn in_a_future_that_is_carried() {
    let futures = recorded(|other| {
        [
            async { seen() }.in_current_span().boxed(),
            async { seen() }.in_span(&*other).boxed(),
            async { seen() }.in_span(&other).boxed(),
        ]
    });
    for future in futures {
        assert_eq!(as_tenant(9, || block_on(future)), of(7));
    }
}

#[test]
fn in_a_stream_that_is_carried() {
    let items = || stream::iter([()]).map(|()| seen());
    let streams = recorded(|other| {
        [
            items().in_current_span().boxed(),
            items().in_span(&*other).boxed(),
            items().in_span(&other).boxed(),
        ]
    });
    for mut stream in streams {
        assert_eq!(as_tenant(9, || block_on(stream.next())), Some(of(7)));
    }
}

#[test]
fn in_a_span_that_work_owns() {
    let started = || start_span!("owned", root);
    let (closure, future, mut stream) = recorded(|other| {
        let future = async { seen() }.in_owned_span(started());
        let items = stream::iter([()]).map(|()| seen());
        (
            seen.in_owned_span(other),
            future.boxed(),
            items.in_owned_span(started()).boxed(),
        )
    });
    as_tenant(9, || {
        assert_eq!(closure(), of(7));
        assert_eq!(block_on(future), of(7));
        assert_eq!(block_on(stream.next()), Some(of(7)));
    });
}

/// The span of an async function starts when it is first polled.
#[test]
fn where_an_async_function_is_polled() {
    #[enter_span(root)]
    async fn function() -> Seen {
        seen()
    }
    #[enter_span(root)]
    fn returned() -> impl Future<Output = Seen> {
        async { seen() }
    }
    recorded(|_| {
        let (polled, called) = (function(), returned());
        as_tenant(9, || {
            assert_eq!(block_on(polled), of(9));
            assert_eq!(block_on(called), of(7));
        });
    });
}

#[tokio::test]
async fn in_tasks() {
    let (child, blocking, linked) = recorded(|_| {
        (
            task::spawn_in_current_span(async { seen() }),
            task::spawn_blocking_in_current_span(seen),
            task::spawn_linked(async { seen() }),
        )
    });
    assert_eq!(child.await.expect("a task"), of(7));
    assert_eq!(blocking.await.expect("a task"), of(7));
    assert_eq!(linked.await.expect("a task"), NOTHING);
}

#[test]
fn in_an_envelope() {
    let [child, linked] = recorded(|_| [(); 2].map(Envelope::new));
    as_tenant(9, || {
        assert_eq!(child.open_child(|()| seen()), of(7));
        assert_eq!(linked.open_linked(|()| seen()), NOTHING);
    });
}

/// Linked work outlives its cause, and takes nothing of it along.
#[test]
fn linked_work_starts_from_nothing() {
    recorded(|other| {
        assert_eq!(seen.linked_to_current_span()(), NOTHING);
        assert_eq!(seen.linked_to(&other)(), NOTHING);
        let root = || in_span!("root", root, || seen());
        assert_eq!(root.linked_to(&other)(), NOTHING);
        let future = async { seen() };
        assert_eq!(block_on(future.linked_to_current_span()), NOTHING);
    });
}

#[test]
fn below_a_tracer_with_a_provider() {
    let provider = SdkTracerProvider::builder().build();
    let tracer = Tracer::new(provider, "own");
    recorded(|other| {
        assert_eq!(tracer.enter_span("below", |_| seen()), of(7));
        let root = in_span!("root", tracer = tracer, root, || seen());
        assert_eq!(root, of(7));
        let below = in_span!("below", tracer = tracer, parent = &other, || seen());
        assert_eq!(below, of(7));
    });
}

/// What came from another process has its own baggage, and nothing of this one's.
#[test]
fn below_another_process() {
    let theirs = Seen(None, Some("3".to_owned()));
    let request = [("traceparent", PARENT), ("baggage", "tenant=3")];
    let caller = extract(&request);
    let below = |parent: Remote| in_span!("serve", parent = parent, || seen());
    recorded(|_| {
        assert_eq!(below(caller.clone()), theirs);
        assert_eq!(seen.in_span(&caller)(), theirs);
        assert_eq!(below(caller.clone().with_trust(Trust::Link)), NOTHING);
        assert_eq!(below(caller.clone().with_trust(Trust::Ignore)), NOTHING);
        assert_eq!(below(extract(&[("baggage", "tenant=3")])), theirs);
        assert_eq!(below(extract(&[("other", "1")])), NOTHING);
        let carrier = Carrier::from_iter(request);
        assert_eq!(in_span!("serve", parent = carrier, || seen()), theirs);
        let identity = caller.span_context();
        assert_eq!(in_span!("serve", parent = identity, || seen()), NOTHING);
    });
}

#[test]
fn below_an_invocation() {
    let theirs = Seen(None, Some("3".to_owned()));
    let both = Seen(Some(7), Some("3".to_owned()));
    let origin = [("traceparent", PARENT), ("baggage", "tenant=3")];
    let message = Message::new(Carrier::default(), Carrier::from_iter(origin));
    let seen_in = |invocation: Invocation| in_span!("inv", invocation = invocation, || seen());
    recorded(|_| {
        for mode in [TraceMode::Linked, TraceMode::Continuous] {
            let invocation = Invocation::of(&message).with_mode(mode);
            assert_eq!(seen_in(invocation), theirs);
        }
        let linked = Invocation::of(&message).with_mode(TraceMode::Linked);
        assert_eq!(seen_in(linked.under_local_context()), both);
        assert_eq!(Run::new().start("run", |_, _| seen()), of(7));
    });
}

/// Where no span is made, or none is recorded.
#[test]
fn where_nothing_is_recorded() {
    let off = Pipeline::builder().with_sampler(Sampler::AlwaysOff);
    let off = build(off.with_exporter(in_memory()));
    let muted = Pipeline::builder().with_muted_scope("it");
    let muted = build(muted.with_exporter(in_memory()));
    recorded(|other| {
        for tracer in [tracer(&off), tracer(&muted)] {
            let root = in_span!("root", tracer = tracer, root, || seen());
            assert_eq!(root, of(7));
            let below = in_span!("below", tracer = tracer, parent = &other, || seen());
            assert_eq!(below, of(7));
            let owned = start_span!("owned", tracer = tracer, root);
            assert_eq!(as_tenant(9, || owned.enter(seen)), of(9));
            assert_eq!(as_tenant(9, || seen.in_span(&owned))(), of(9));
        }
        assert_eq!(in_span!("no span", when = false, root, || seen()), of(7));
        let leaf = start_span!("leaf", leaf, root);
        assert_eq!(as_tenant(9, || leaf.enter(seen)), of(9));
        assert_eq!(as_tenant(9, || seen.in_span(&leaf))(), of(9));
    });
}

/// What we keep in the context ourselves goes by the span: who its root is, what its roots are linked to,
/// the invocation around it, the state that came with it.
#[test]
fn what_is_ours_goes_with_the_span() {
    let state = || {
        let mut headers = Vec::<(String, String)>::new();
        inject(&mut headers);
        let state = headers.into_iter().find(|(name, _)| name == "tracestate");
        state.map(|(_, state)| state)
    };
    let request = [("traceparent", PARENT), ("tracestate", "a@@b=1")];
    let message = Message::default();
    let trace = Recorder::new().run(|| {
        let (mut other, mut inner) = (None, None);
        let invocation = Invocation::of(&message).with_id("run", "other");
        let invocation = invocation.under_local_context();
        in_span!("other", parent = extract(&request), |span| {
            other = Some(span);
            in_span!("inv", invocation = &invocation, |span| {
                inner = Some(span);
            });
        });
        let (other, inner) = (other.expect("a span"), inner.expect("a span"));
        let work = || {
            let run = Invocation::current().map(|one| format!("{one:?}").contains("other"));
            (Span::root().span_id(), state(), run)
        };
        let expected = (other.span_id(), Some("a@@b=1".to_owned()), Some(true));
        let cause = || {
            let here = in_span!("here", |span| {
                assert_eq!(in_span!("below", parent = &inner, || work()), expected);
                assert_eq!(work.in_span(&inner)(), expected);
                assert_eq!(work(), (span.span_id(), None, None));
                in_span!("root", root, |root| {
                    assert_eq!(work(), (root.span_id(), None, None));
                });
                span
            });
            in_span!("other root", root, || work.in_span(&here)())
        };
        let linked = enter_span("cause", |_| cause.linked_to_current_span());
        assert_eq!(linked().1, None);
    });
    let links = |name: &str| trace.find(name).links().len();
    // Those that start where no span is are linked, and nothing else is.
    assert_eq!((links("here"), links("other root")), (1, 1));
    assert_eq!((links("root"), links("below")), (0, 0));
}

/// A scope that ends its children ends those that start below its span, and not what another span is the
/// parent of.
#[test]
fn a_scope_ends_what_is_below_its_span() {
    Recorder::new().enter(|| {
        let other = start_span("other");
        let (elsewhere, below, root, inside) = in_span!("scope", ends_children, || {
            let elsewhere = (|| start_span("elsewhere")).in_span(&other)();
            let below = start_span!("below", parent = &other);
            (
                elsewhere,
                below,
                start_span!("root", root),
                other.enter(|| start_span("inside")),
            )
        });
        for span in [&elsewhere, &below, &root, &inside] {
            assert!(span.is_traced());
        }
        let scope = start_span!("scope", ends_children);
        let outside = in_span!(
            "outside",
            root,
            || (|| start_span("below")).in_span(&scope)()
        );
        scope.end();
        assert!(!outside.is_traced());
    });
}

/// An error whose text is a span's work.
#[derive(Debug)]
struct Works;

impl std::fmt::Display for Works {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let work = || enter_span("work", |_| seen());
        let Seen(tenant, _) = work.in_span(&Span::current())();
        write!(formatter, "{tenant:?}")
    }
}

impl std::error::Error for Works {}

/// OpenTelemetry asks for an error's text under a lock of the span. What works there may be put into it.
#[test]
fn an_error_may_be_told_by_work_in_its_span() {
    let tell = || Context::current().span().record_error(&Works);
    recorded(|other| {
        tell();
        tell.in_span(&other)();
        other.enter(tell);
    });
}

/// A recorder is kept, and so is one's own provider: by the span where that has one, else by what is
/// current.
#[test]
fn who_records_is_kept() {
    let (recorder, other) = (Recorder::new(), Recorder::new());
    let span = recorder.enter(|| start_span("span"));
    other.enter(|| {
        enter_span("here", |_| {
            in_span!("below", parent = &span, || ());
            (|| enter_span("in", |_| ())).in_span(&span)();
            span.enter(|| enter_span("entered", |_| ()));
            in_span!("root", root, || ());
            in_span!("identity", parent = span.span_context(), || ());
        });
    });
    drop(span);
    recorder
        .trace()
        .assert_tree("span\n  below\n  in\n  entered");
    let names: Vec<_> = other
        .trace()
        .spans()
        .iter()
        .map(|s| s.name().to_owned())
        .collect();
    assert_eq!(names, ["here", "root", "identity"]);
}

/// Where nothing is to be recorded, another parent changes nothing.
#[test]
fn silence_is_kept() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let span = start_span("span");
        let _silent = Context::enter_telemetry_suppressed_scope();
        let is_silent = || Context::current().is_telemetry_suppressed();
        assert!(is_silent.in_span(&span)());
        assert!(is_silent.in_span(&None::<Span>)());
        assert!(span.enter(is_silent));
        assert!(is_silent.linked_to(&span)());
        in_span!("root", root, || enter_span("child", |_| ()));
    });
    recorder.trace().assert_tree("span");
}

/// A span that is current elsewhere than where it started is the same span: to us, and to other
/// OpenTelemetry code; also another provider's.
#[test]
fn the_span_is_the_same_one() {
    let exporter = in_memory();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    let theirs = provider.build().tracer("theirs");
    let recorder = Recorder::new();
    recorder.enter(|| {
        let own = start_span("own");
        let own_context = Context::from(own.context());
        let foreign = Context::current().with_span(theirs.start("foreign"));
        let handle = {
            let _attached = foreign.clone().attach();
            Span::current()
        };
        let write = || {
            assert!(Span::current().is_traced());
            Span::current().set_attribute("ours", 1);
            let current = Context::current();
            let span = current.span();
            span.set_attribute(KeyValue::new("theirs", 2));
            span.add_event("event", Vec::new());
            span.set_status(opentelemetry::trace::Status::error("told"));
            span.update_name("renamed");
            span.add_link(own_context.span().span_context().clone(), Vec::new());
            Span::current().span_context()
        };
        as_tenant(7, || {
            assert_eq!(write.in_span(&*own)(), own.span_context());
            assert_eq!(write.in_span(&handle)(), handle.span_context());
            let ends = || Context::current().span().end();
            ends.in_span(&handle)();
            assert!(!handle.is_traced());
            // It says the same, and nothing is told to it any more.
            (|| assert!(!Span::current().is_traced())).in_span(&handle)();
            let after = (|| Span::current().span_context()).in_span(&handle)();
            assert_eq!(after, handle.span_context());
        });
    });
    recorder
        .trace()
        .assert_tree("renamed ours=1 theirs=2 ! ^renamed");
    let [foreign] = &exporter.get_finished_spans().expect("spans")[..] else {
        panic!("one span");
    };
    assert_eq!(foreign.name, "renamed");
    let keys: Vec<_> = foreign.attributes.iter().map(|a| a.key.as_str()).collect();
    assert_eq!(keys, ["ours", "theirs"]);
    assert_eq!((foreign.events.len(), foreign.links.len()), (1, 1));
}

/// A span that goes from hand to hand, each time by the handle that was found there, leaves nothing behind.
#[test]
fn a_span_that_goes_round_holds_no_more() {
    if !is_child("span::kept::a_span_that_goes_round_holds_no_more") {
        return;
    }
    const HANDS: usize = 200_000;
    let pipeline = build(Pipeline::builder().with_exporter(in_memory()));
    tracer(&pipeline).enter_span("here", |_| {
        let other = in_span!("other", root, |_| start_span!("goes round"));
        let mut span = Span::clone(&other);
        let mut round = |hands: usize| {
            for _ in 0..hands {
                span = (|| Span::current()).in_span(&span)();
            }
        };
        round(100);
        let held = allocations::held_after(|| round(HANDS));
        assert!(held < HANDS, "{held} bytes");
        assert_eq!(span.span_id(), other.span_id());
    });
}

/// Reads the baggage where a span starts, as processors do that copy it to attributes.
#[derive(Debug)]
struct Reads(Arc<Mutex<Vec<String>>>);

impl SpanProcessor for Reads {
    fn on_start(&self, _: &mut SdkSpan, context: &Context) {
        let tenant = context.baggage().get("tenant").map(ToString::to_string);
        self.0.lock().expect("a list").extend(tenant);
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// A provider is shown the baggage, too; of a root also where another span is current.
#[test]
fn a_processor_sees_it() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let provider = SdkTracerProvider::builder().with_span_processor(Reads(Arc::clone(&seen)));
    let tracer = Tracer::new(provider.build(), "own");
    as_tenant(7, || {
        let other = as_tenant(1, || start_span!("other", tracer = tracer));
        tracer.enter_span("here", |_| {
            in_span!("root", root, || ());
            in_span!("below", parent = &other, || ());
        });
    });
    assert_eq!(*seen.lock().expect("a list"), ["1", "7", "7", "7"]);
}

/// The SDK's own sampler takes a context whose span is not valid for one that is not sampled. A root is a
/// root to it all the same, also where work is in no span.
#[test]
fn a_root_is_one_to_any_sampler() {
    let exporter = in_memory();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    let tracer = Tracer::new(provider.build(), "own");
    as_tenant(7, || {
        tracer.enter_span("here", |_| {
            assert_eq!(in_span!("root", root, || seen()), of(7));
            assert_eq!(in_span!("none", parent = None::<Span>, || seen()), of(7));
            let work = || enter_span("in no span", |_| seen());
            assert_eq!(work.in_span(&None::<Span>)(), of(7));
        });
    });
    let spans = exporter.get_finished_spans().expect("spans");
    let roots = spans
        .iter()
        .filter(|span| span.parent_span_id == SpanId::INVALID);
    let names: Vec<_> = roots.map(|span| &*span.name).collect();
    assert_eq!(names, ["root", "none", "in no span", "here"]);
}
