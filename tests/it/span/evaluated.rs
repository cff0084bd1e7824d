//! What is evaluated for a span that is not recorded: nothing that the sampler need not see.

use std::cell::RefCell;
use std::hint::black_box;

use enter_span::invocation::{Invocation, Message};
use enter_span::{Key, Span, SpanContext, Tracer, enter_span, extract, in_span};
use enter_span_pipeline::{Pipeline, Sampler};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext as OtelSpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{Sampler as SdkSampler, SdkTracerProvider};

use crate::pipeline::{AGES, build, finished, in_memory, tracer};
use crate::support::allocations;
use crate::support::child::is_child;

thread_local!(static EVALUATED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

/// Notes that an expression is evaluated, and gives its value.
fn note<T>(what: &'static str, value: T) -> T {
    EVALUATED.with_borrow_mut(|evaluated| evaluated.push(what));
    value
}

/// What is evaluated meanwhile.
fn evaluated<R>(work: impl FnOnce() -> R) -> Vec<&'static str> {
    EVALUATED.take();
    work();
    EVALUATED.take()
}

const KEY: Key<u64> = Key::new("key");

/// All that a span can be told when it starts, and the recorded one's value.
#[enter_span(
    tracer = tracer,
    name = note("name", "work"),
    links(note("links", None::<SpanContext>)),
    start(early = note("start", 1)),
    attributes(late = note("attributes", 2), KEY = note("key", 3)),
    ret(value = |_| note("ret", 4))
)]
fn work(tracer: &Tracer) -> bool {
    enter_span::is_traced()
}

const ALL: [&str; 6] = ["name", "links", "start", "attributes", "key", "ret"];

/// What a sampler is shown.
const SHOWN: [&str; 3] = ["name", "links", "start"];

fn with_sampler(sampler: Sampler) -> (Pipeline, Tracer) {
    let pipeline = build(
        Pipeline::builder()
            .with_sampler(sampler)
            .with_exporter(in_memory()),
    );
    let tracer = tracer(&pipeline);
    (pipeline, tracer)
}

fn remote(flags: TraceFlags) -> Context {
    let (trace, span) = (TraceId::from(1), SpanId::from(2));
    let span = OtelSpanContext::new(trace, span, flags, true, TraceState::NONE);
    Context::new().with_remote_span_context(span)
}

/// A root that is sampled out, by a sampler that goes by its place alone.
#[test]
fn nothing_at_a_root_that_is_sampled_out() {
    for sampler in [
        Sampler::AlwaysOff,
        Sampler::ParentBasedAlwaysOff,
        Sampler::ParentBasedRatio(0.0),
        Sampler::Ratio(0.0),
    ] {
        let (_pipeline, tracer) = with_sampler(sampler);
        assert_eq!(evaluated(|| assert!(!work(&tracer))), [""; 0]);
        let root = || {
            in_span!(
                "root",
                tracer = tracer,
                root,
                start(k = note("start", 1)),
                || ()
            )
        };
        assert_eq!(evaluated(root), [""; 0]);
        // Neither below it.
        let below = || tracer.enter_span("root", |_| work(&tracer));
        assert_eq!(evaluated(below), [""; 0]);
    }
}

/// A caller that has sampled its trace out.
#[test]
fn nothing_below_a_caller_that_is_sampled_out() {
    for sampler in [
        Sampler::ParentBasedAlwaysOn,
        Sampler::ParentBasedRatio(1.0),
        Sampler::AlwaysOff,
    ] {
        let (_pipeline, tracer) = with_sampler(sampler);
        let _caller = remote(TraceFlags::NOT_SAMPLED).attach();
        assert_eq!(evaluated(|| assert!(!work(&tracer))), [""; 0]);
    }
}

/// One that is sampled is told all, once.
#[test]
fn all_for_a_span_that_is_recorded() {
    for sampler in [
        Sampler::ParentBasedAlwaysOn,
        Sampler::ParentBasedAlwaysOff,
        Sampler::ParentBasedRatio(0.0),
        Sampler::AlwaysOn,
        Sampler::Ratio(1.0),
    ] {
        let (_pipeline, tracer) = with_sampler(sampler);
        let _caller = remote(TraceFlags::SAMPLED).attach();
        assert_eq!(evaluated(|| assert!(work(&tracer))), ALL);
    }
}

/// Decided before it is told anything, a trace is still decided on by its id.
#[test]
fn a_ratio_holds_for_the_id_that_the_span_has() {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_sampler(Sampler::Ratio(0.5));
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    let traced = (0..400).filter(|_| work(&tracer)).count();
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    assert_eq!(spans.len(), traced);
    // Six standard deviations are 60.
    assert!((140..=260).contains(&traced), "{traced}");
    for span in spans {
        let bytes = span.span_context.trace_id().to_bytes();
        // By the lower eight bytes, without the lowest bit.
        assert!(bytes[8] < 0x80, "{:?}", span.span_context);
        assert_eq!(span.name, "work");
    }
}

/// A sampler of one's own is shown what there is: the name, the links and what stands in `start(..)`.
#[test]
fn a_sampler_of_ones_own_is_shown_its_part() {
    let sampler = || Sampler::Custom(Box::new(SdkSampler::AlwaysOff));
    let (_pipeline, tracer) = with_sampler(sampler());
    assert_eq!(evaluated(|| assert!(!work(&tracer))), SHOWN);
    let below = || tracer.enter_span("root", |_| work(&tracer));
    assert_eq!(evaluated(below), SHOWN);
}

/// The sampler of runs looks at what stands in `start(..)` where a run is decided on, and nowhere else.
#[test]
fn runs_are_decided_on_by_what_starts_them() {
    let (_pipeline, tracer) = with_sampler(Sampler::Runs {
        key: "run".into(),
        ratio: 0.0,
    });
    assert_eq!(evaluated(|| assert!(work(&tracer))), ALL);
    let run = || {
        let start = || note("start", "7");
        in_span!("run", tracer = tracer, start(run = start()), |span| {
            assert!(!span.is_traced());
            work(&tracer);
        });
    };
    assert_eq!(evaluated(run), ["start"]);
    let invocation = Invocation::of(&Message::default()).with_id("run", "7");
    let delivery = || {
        in_span!("run", tracer = tracer, invocation = invocation, |span| {
            assert!(!span.is_traced());
            work(&tracer);
        });
    };
    assert_eq!(evaluated(delivery), [""; 0]);
}

/// Another provider decides by itself: it is shown its part at every root and below what is not sampled;
/// the rest is for spans that it records.
#[test]
fn another_provider_is_shown_its_part() {
    let with = |sampler| {
        let provider = SdkTracerProvider::builder().with_sampler(sampler);
        Tracer::new(provider.build(), "own")
    };
    let off = with(SdkSampler::AlwaysOff);
    assert_eq!(evaluated(|| assert!(!work(&off))), SHOWN);
    let parent_based = with(SdkSampler::ParentBased(Box::new(SdkSampler::AlwaysOff)));
    for tracer in [&off, &parent_based] {
        let below = || tracer.enter_span("root", |_| assert!(!work(tracer)));
        assert_eq!(evaluated(below), SHOWN);
    }
    assert_eq!(evaluated(|| work(&with(SdkSampler::AlwaysOn))), ALL);
}

/// After a shutdown nobody looks any more.
#[test]
fn nothing_after_a_shutdown() {
    let (pipeline, tracer) = with_sampler(Sampler::AlwaysOn);
    pipeline.shutdown(AGES).expect("down in time");
    assert_eq!(evaluated(|| assert!(!work(&tracer))), [""; 0]);
}

/// A provider that is elsewhere makes a process look: where it records nothing, nothing is evaluated.
#[test]
fn nothing_beside_a_tracer_with_a_provider() {
    #[enter_span(name = note("name", "n"), links(note("links", None::<Span>)), start(early = note("start", 1)))]
    fn beside() {}
    if is_child("span::evaluated::nothing_beside_a_tracer_with_a_provider") {
        let elsewhere = Tracer::new(SdkTracerProvider::builder().build(), "elsewhere");
        assert_eq!(evaluated(beside), [""; 0]);
        assert_eq!(
            evaluated(|| elsewhere.enter_span("root", |_| beside())),
            SHOWN
        );
    }
}

#[enter_span]
fn plain() {}

#[enter_span(name = format!("GET {route}"), start(tenant = route, agent = "an agent"), attributes(id = route.to_owned()))]
fn named(route: &str) -> usize {
    black_box(route.len())
}

#[enter_span(root, name = format!("GET {route}"))]
fn declared(route: &str) -> usize {
    black_box(route.len())
}

/// A root that is sampled out asks the allocator once: for the context that says so to headers and to all
/// below it. What is below asks for nothing.
#[test]
fn a_root_that_is_sampled_out_allocates_its_context() {
    if !is_child("span::evaluated::a_root_that_is_sampled_out_allocates_its_context") {
        return;
    }
    let builder = Pipeline::builder().with_sampler(Sampler::ParentBasedAlwaysOff);
    let pipeline = builder.with_exporter(in_memory()).install();
    let _pipeline = pipeline.expect("no other one");
    let roots: [fn(); 3] = [plain, || _ = named("/"), || _ = declared("/")];
    let below = || {
        plain();
        named("/");
    };
    for root in roots {
        // The thread's own things are made at its first spans.
        in_span!("root", |_| below());
        assert_eq!(allocations::count(root), 1);
        let below = in_span!("root", || allocations::count(below));
        assert_eq!(below, 0);
    }
    let request = [(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    )];
    let caller = extract(&request);
    in_span!("serve", parent = caller, || assert_eq!(
        allocations::count(plain),
        0
    ));
}
