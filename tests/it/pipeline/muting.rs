//! Instrumentation scopes that are muted: their spans are transparent.

use std::sync::atomic::{AtomicBool, Ordering};

use enter_span::otel::opentelemetry::trace::TraceContextExt as _;
use enter_span::{Span, SpanContext, Tracer, enter_span, in_span};
use enter_span_pipeline::{Pipeline, PipelineBuilder, Sampler};
use opentelemetry::trace::{
    SpanContext as OtelSpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SamplingDecision, SamplingResult, ShouldSample,
};
use rstest::rstest;

use crate::pipeline::{AGES, Warnings, build, finished, in_memory};
use crate::support::child::is_child_with;

static DB: Tracer = enter_span::tracer!("acme-db");

/// A pipeline with these rules, and what it exports.
fn muting(
    rules: impl FnOnce(PipelineBuilder) -> PipelineBuilder,
) -> (Pipeline, InMemorySpanExporter) {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_environment(|_| None);
    let pipeline = build(rules(builder.with_exporter(exporter.clone())));
    (pipeline, exporter)
}

fn without_db() -> (Pipeline, InMemorySpanExporter) {
    muting(|builder| builder.with_muted_scope("acme-db"))
}

/// What was exported: each span with the name of its parent.
fn tree(pipeline: &Pipeline, exporter: &InMemorySpanExporter) -> Vec<(String, String)> {
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(exporter);
    let name = |id: SpanId| {
        let found = spans.iter().find(|span| span.span_context.span_id() == id);
        found.map_or_else(String::new, |span| span.name.to_string())
    };
    let pairs = spans.iter();
    pairs
        .map(|span| (span.name.to_string(), name(span.parent_span_id)))
        .collect()
}

fn pairs<const N: usize>(tree: [(&str, &str); N]) -> Vec<(String, String)> {
    let owned = |(name, parent): (&str, &str)| (name.to_owned(), parent.to_owned());
    tree.into_iter().map(owned).collect()
}

fn remote() -> OtelSpanContext {
    OtelSpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

/// Its children are its parent's, inside of it the parent is current, and nothing is told to anybody.
#[test]
fn a_muted_span_is_transparent() {
    let evaluated = AtomicBool::new(false);
    let evaluate = || evaluated.swap(true, Ordering::Relaxed);
    let (pipeline, exporter) = without_db();
    pipeline.tracer("app").enter_span("outer", |outer| {
        in_span!(
            "query",
            tracer = DB,
            start(first = evaluate()),
            attributes(second = evaluate()),
            |query| {
                assert_eq!(Span::current().span_context(), outer.span_context());
                assert!(!query.is_traced() && query.span_id().is_none());
                query.set_attribute("third", 3);
                enter_span("inner", |_| ());
            }
        );
    });
    assert!(!evaluated.into_inner());
    let tree = tree(&pipeline, &exporter);
    assert_eq!(tree, pairs([("inner", "outer"), ("outer", "")]));
    assert_eq!(finished(&exporter)[1].attributes, []);
}

/// A child of a muted root is the root of the trace that the root would have begun, and not of the one
/// around it.
#[test]
fn the_child_of_a_muted_root_is_the_root() {
    let (pipeline, exporter) = without_db();
    pipeline.tracer("app").enter_span("outer", |outer| {
        in_span!("job", tracer = DB, root, |_| {
            assert!(Span::current().trace_id().is_none());
            enter_span("inner", |inner| {
                assert_ne!(inner.trace_id(), outer.trace_id());
            });
        });
    });
    let tree = tree(&pipeline, &exporter);
    assert_eq!(tree, pairs([("inner", ""), ("outer", "")]));
}

/// A muted span that is given a parent leaves its children to that parent, whose handle it is not.
#[test]
fn the_child_of_a_muted_span_is_its_parents() {
    let (pipeline, exporter) = without_db();
    let tracer = pipeline.tracer("app");
    let parent = tracer.start_span("parent");
    let of_remote = SpanContext::from(remote());
    tracer.enter_span("around", |_| {
        in_span!("query", tracer = DB, parent = &*parent, |query| {
            query.set_attribute("lost", 1);
            enter_span("local", |_| ());
        });
        in_span!("handle", tracer = DB, parent = of_remote, |handle| {
            assert!(handle.span_id().is_none());
            enter_span("below", |_| ());
        });
    });
    parent.end();
    let tree = tree(&pipeline, &exporter);
    let expected = [
        ("local", "parent"),
        ("below", ""),
        ("around", ""),
        ("parent", ""),
    ];
    assert_eq!(tree, pairs(expected));
    let spans = finished(&exporter);
    assert_eq!(spans[1].parent_span_id, SpanId::from(8));
    assert!(spans[1].parent_span_is_remote);
    assert_eq!(spans[3].attributes, []);
}

/// Through OpenTelemetry a muted span has its parent's identity: children made by anyone are that one's,
/// and where there is no parent they are roots.
#[test]
fn other_instrumentation_is_muted_too() {
    let (pipeline, exporter) = without_db();
    let muted = pipeline.provider().tracer("acme-db");
    let open = pipeline.provider().tracer("other");
    let below = |context: &Context, name: &'static str| {
        let context = context.with_span(muted.start_with_context("muted", context));
        drop(open.start_with_context(name, &context));
        context
    };
    let outer = Context::new().with_span(open.start_with_context("outer", &Context::new()));
    let inside = below(&outer, "inner");
    assert_eq!(inside.span().span_context(), outer.span().span_context());
    assert!(!inside.span().is_recording());
    let rootless = below(&Context::new(), "root");
    assert!(!rootless.span().span_context().is_valid());
    below(&Context::new().with_remote_span_context(remote()), "remote");
    outer.span().end();
    let tree = tree(&pipeline, &exporter);
    let expected = [
        ("inner", "outer"),
        ("root", ""),
        ("remote", ""),
        ("outer", ""),
    ];
    assert_eq!(tree, pairs(expected));
    let spans = finished(&exporter);
    assert_eq!(spans[2].parent_span_id, SpanId::from(8));
    assert!(spans[2].parent_span_is_remote);
}

/// Ours below a muted span of others, which is attached.
#[test]
fn ours_below_a_muted_span_of_others_is_its_parents() {
    let (pipeline, exporter) = without_db();
    let muted = pipeline.provider().tracer("acme-db");
    pipeline.tracer("app").enter_span("outer", |outer| {
        let context = Context::current_with_span(muted.start("muted"));
        let _attached = context.attach();
        assert_eq!(Span::current().span_context(), outer.span_context());
        enter_span("inner", |_| ());
    });
    let tree = tree(&pipeline, &exporter);
    assert_eq!(tree, pairs([("inner", "outer"), ("outer", "")]));
}

/// Samples nothing by the name `unwanted`, and fails if it is shown a muted span.
#[derive(Clone, Debug)]
struct Judge;

impl ShouldSample for Judge {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[opentelemetry::trace::Link],
    ) -> SamplingResult {
        assert_ne!(name, "muted");
        SamplingResult {
            decision: match name {
                "unwanted" => SamplingDecision::Drop,
                _ => SamplingDecision::RecordAndSample,
            },
            attributes: Vec::new(),
            trace_state: TraceState::NONE,
        }
    }
}

/// A sampler does not see muted spans, and decides on their children, whatever it is.
#[test]
fn a_sampler_does_not_see_muted_spans() {
    let judged = Sampler::Custom(Box::new(Judge));
    let rules = |builder: PipelineBuilder| builder.with_muted_scope("acme-db").with_sampler(judged);
    let (pipeline, exporter) = muting(rules);
    pipeline.tracer("app").enter_span("outer", |_| {
        in_span!("muted", tracer = DB, |_| {
            enter_span("wanted", |_| ());
            enter_span("unwanted", |_| ());
        });
    });
    drop(pipeline.provider().tracer("acme-db").start("muted"));
    let judged = tree(&pipeline, &exporter);
    assert_eq!(judged, pairs([("wanted", "outer"), ("outer", "")]));
    let rules = |builder: PipelineBuilder| {
        let muted = builder.with_muted_scope("acme-db");
        muted.with_sampler(Sampler::ParentBasedRatio(0.0))
    };
    let (pipeline, exporter) = muting(rules);
    pipeline.tracer("acme-db").enter_span("muted", |_| {
        enter_span("root", |root| assert!(!root.is_traced()));
    });
    assert_eq!(tree(&pipeline, &exporter), []);
}

/// The rule for a name stands before that for all, the code before the variable, and the last before
/// those that were there.
#[rstest]
#[case("acme-db=off", false, true)]
#[case("*=off, other=on", false, true)]
#[case("*=OFF,*=on,acme-db=off,", false, true)]
#[case("acme-db=off,acme-db=on,other=off", true, false)]
#[case("*=on", true, true)]
#[case("", true, true)]
#[case("*=off,code=off", false, false)]
fn the_variable_is_read(#[case] value: &'static str, #[case] db: bool, #[case] other: bool) {
    let warnings = Warnings::default();
    let rules = |builder: PipelineBuilder| {
        let builder = builder.with_environment(move |name| {
            let is_scopes = name == "ENTER_SPAN_SCOPES";
            is_scopes.then(|| value.to_owned())
        });
        warnings.of(builder.with_enabled_scope("code"))
    };
    let (pipeline, _) = muting(rules);
    let is_made = |scope: &'static str| {
        let is_traced = |span: Span| span.is_traced();
        pipeline.tracer(scope).enter_span("span", is_traced)
    };
    assert_eq!((is_made("acme-db"), is_made("other")), (db, other));
    assert!(is_made("code"));
    assert_eq!(warnings.take(), [""; 0]);
}

/// What is wrong is told, and the rest holds.
#[test]
fn wrong_parts_of_the_variable_are_told() {
    let warnings = Warnings::default();
    let rules = |builder: PipelineBuilder| {
        warnings.of(builder.with_environment(|name| {
            let value = "acme-db=off,other,=off,x=\u{1b}no";
            (name == "ENTER_SPAN_SCOPES").then(|| value.to_owned())
        }))
    };
    let (pipeline, _) = muting(rules);
    let told = "ENTER_SPAN_SCOPES: \"other,=off,x=\\u{1b}no\" is not a valid value, so it is ignored; write `name=off` or `name=on`, separated by commas, with `*` for all other names";
    assert_eq!(warnings.take(), [told]);
    let is_traced = |span: Span| span.is_traced();
    assert!(!pipeline.tracer("acme-db").enter_span("muted", is_traced));
}

#[enter_span(attributes(id))]
fn annotated(id: u64) -> bool {
    Span::current().is_traced() && id > 0
}

/// Installed, where a span with nothing but its site takes the shortest way.
#[test]
fn the_shortest_way_is_muted_too() {
    let test = "pipeline::muting::the_shortest_way_is_muted_too";
    let variables = [("ENTER_SPAN_SCOPES", "enter-span-tests=off")];
    if !is_child_with(test, &variables) {
        return;
    }
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = builder.install().expect("the only one");
    assert!(!annotated(1));
    enter_span("outer", |_| {
        assert!(annotated(1), "what is current is the span around it");
    });
    assert_eq!(tree(&pipeline, &exporter), pairs([("outer", "")]));
    assert_eq!(finished(&exporter)[0].attributes, []);
}
