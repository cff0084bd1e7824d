//! The pipeline as the runtime's own backend: handles that outlive their span, samplers, times, and one
//! pipeline after another.

use std::collections::VecDeque;
use std::fs;
use std::hint::black_box;
use std::panic::{resume_unwind, set_hook};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use enter_span::prelude::*;
use enter_span::{Span, enter_span, enter_span_async, in_span, is_enabled, is_traced, start_span};
use enter_span_pipeline::{Pipeline, Sampler, SpanLimits};
use futures::FutureExt as _;
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SamplingDecision, SamplingResult, ShouldSample, SpanData,
};

use crate::pipeline::{AGES, Exporter, assert_all_accounted, build, finished, in_memory, tracer};
use crate::support::allocations;
use crate::support::child::is_child;

fn installed() -> (Pipeline, InMemorySpanExporter) {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    (builder.install().expect("no other one"), exporter)
}

/// All that was exported until now.
#[track_caller]
fn flushed(pipeline: &Pipeline, exporter: &InMemorySpanExporter) -> Vec<SpanData> {
    pipeline.flush(AGES).expect("flushed in time");
    assert_all_accounted(pipeline.counts());
    let spans = finished(exporter);
    exporter.reset();
    spans
}

fn names(spans: &[SpanData]) -> Vec<&str> {
    spans.iter().map(|span| &*span.name).collect()
}

fn find<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().expect("a span of this name");
    assert!(found.next().is_none(), "two of the name {name}");
    span
}

fn value(span: &SpanData, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|a| a.key.as_str() == key);
    let value = found.next().map(|a| a.value.to_string());
    assert!(found.next().is_none(), "two of the key {key}");
    value
}

/// All that others may keep of a span.
struct Kept {
    handle: Span,
    context: Context,
}

impl Kept {
    fn of(handle: Span) -> Self {
        let context = handle.context().into();
        Kept { handle, context }
    }

    /// Says whose it is; what is said too late says so.
    fn write(&self, key: &'static str) {
        let id = self.context.span().span_context().span_id().to_string();
        self.handle.set_attribute(key, id.as_str());
        self.context.span().set_attribute(KeyValue::new(key, id));
    }

    fn write_late(&self) {
        assert!(!self.handle.is_traced());
        self.write("late");
        let span = self.context.span();
        span.update_name("late");
        span.add_event("late", Vec::new());
        span.end();
    }
}

#[enter_span]
fn plain(keep: &mut dyn FnMut(Span)) {
    keep(Span::current());
}

/// A function that says nothing but its name takes a way of its own.
#[enter_span]
fn is_plain_traced() -> bool {
    is_traced()
}

/// One span of each form, told to `keep` while it is open.
fn each_form(keep: &mut dyn FnMut(Span)) {
    plain(&mut *keep);
    in_span!("leaf", leaf, |span| keep(span.clone()));
    in_span!("ends children", ends_children, |span| {
        keep(span);
        let left = start_span!("left", leaf);
        keep(left.clone());
        std::mem::forget(left);
    });
    let owned = start_span("owned");
    keep(owned.clone());
    owned.end();
    let future = enter_span_async("async", async |span: Span| keep(span));
    future.now_or_never().expect("ready at once");
}

/// Scopes, recordings and records are used again, and a handle of the span before writes into none of
/// them: not after the end, and not while another thread ends it.
#[test]
fn a_handle_writes_into_its_own_span_alone() {
    if !is_child("pipeline::native::a_handle_writes_into_its_own_span_alone") {
        return;
    }
    let (pipeline, exporter) = installed();
    let (to_writer, kept) = mpsc::channel::<Kept>();
    thread::scope(|threads| {
        threads.spawn(move || {
            let mut last = VecDeque::new();
            for kept in kept {
                kept.write("own");
                // Dropped much later, when what it holds is in use again elsewhere.
                last.push_back(kept);
                if last.len() > 100 {
                    last.pop_front();
                }
            }
        });
        for _ in 0..300 {
            let mut all = Vec::new();
            each_form(&mut |span| {
                let kept = Kept::of(span);
                kept.write("own");
                to_writer
                    .send(Kept::of(kept.handle.clone()))
                    .expect("a writer");
                all.push(kept);
            });
            in_span!("open", |_| {
                let open = start_span!("open leaf", leaf);
                all.iter().for_each(Kept::write_late);
                drop(open);
            });
        }
        drop(to_writer);
    });
    let spans = flushed(&pipeline, &exporter);
    assert_eq!(spans.len(), 300 * 8);
    for span in &spans {
        let id = span.span_context.span_id().to_string();
        let is_open = span.name.starts_with("open");
        assert_eq!(
            value(span, "own"),
            (!is_open).then_some(id),
            "{}",
            span.name
        );
        assert_eq!((value(span, "late"), span.events.len()), (None, 0));
        assert_ne!(span.name, "late");
    }
}

/// Whoever ends it first; what is leaked never ends, and holds nothing up.
#[test]
fn a_span_ends_once() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    tracer(&pipeline).enter_span("outer", |_| {
        enter_span("ended by others", |_| {
            Context::current().span().end();
            Context::current().span().end();
        });
        std::mem::forget(start_span("leaked"));
        let mut left = None;
        in_span!("scope", ends_children, |_| {
            left = Some(start_span!("left", leaf));
            left.as_ref().expect("a leaf").set_attribute("id", 1);
        });
        drop(left);
    });
    let spans = flushed(&pipeline, &exporter);
    assert_eq!(names(&spans), ["ended by others", "left", "scope", "outer"]);
    let left = find(&spans, "left");
    let outcome = value(left, "enter_span.outcome");
    assert_eq!(outcome.as_deref(), Some("abandoned"));
    assert_eq!(value(left, "id").as_deref(), Some("1"));
    assert_eq!(
        left.parent_span_id,
        find(&spans, "scope").span_context.span_id()
    );
}

/// No span ends before it starts, none starts before its parent, and events lie within it; also where a
/// span was open for long, or its maker tells an end that cannot be.
#[test]
fn times_fit_together() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    let before = SystemTime::now();
    let long = tracer.start_span("long");
    tracer.enter_span("earlier", |_| {});
    flushed(&pipeline, &exporter);
    for _ in 0..100 {
        tracer.enter_span("parent", |_| {
            enter_span("child", |span| _ = span.add_event("event", ()));
        });
    }
    tracer.enter_span("told", |_| {
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        Context::current().span().end_with_timestamp(past);
    });
    long.end();
    let spans = flushed(&pipeline, &exporter);
    let after = SystemTime::now();
    // The clock is read once for a batch, and may be set a little meanwhile.
    let about = Duration::from_secs(1);
    for span in &spans {
        assert!(span.start_time <= span.end_time, "{span:?}");
        assert!(before - about < span.start_time && span.end_time < after + about);
        let times = span.events.iter().map(|event| event.timestamp);
        assert!(
            times
                .clone()
                .all(|time| span.start_time <= time && time <= span.end_time)
        );
        let parent = spans
            .iter()
            .find(|p| p.span_context.span_id() == span.parent_span_id);
        if let Some(parent) = parent {
            assert!(parent.start_time <= span.start_time && span.end_time <= parent.end_time);
        }
    }
    let told = find(&spans, "told");
    assert_eq!(told.start_time, told.end_time);
}

/// Notes what it was asked, and answers by the name of the span.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl ShouldSample for Asked {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let keys: Vec<_> = attributes.iter().map(|a| a.key.as_str()).collect();
        let (parent, links) = (parent.is_some(), links.len());
        let asked = format!("{name} {kind:?} parent={parent} links={links} {keys:?}");
        self.0.lock().expect("the list").push(asked);
        let decision = match name {
            "panics" => resume_unwind(Box::new("a sampler")),
            "record only" => SamplingDecision::RecordOnly,
            "dropped" => SamplingDecision::Drop,
            _ => SamplingDecision::RecordAndSample,
        };
        SamplingResult {
            decision,
            attributes: vec![KeyValue::new("by", "sampler")],
            trace_state: TraceState::from_key_value([("k", "v")]).expect("a state"),
        }
    }
}

fn sampled() -> (Pipeline, InMemorySpanExporter, Asked) {
    let (exporter, asked) = (in_memory(), Asked::default());
    let builder = Pipeline::builder().with_sampler(Sampler::Custom(Box::new(asked.clone())));
    (
        build(builder.with_exporter(exporter.clone())),
        exporter,
        asked,
    )
}

/// A sampler sees what is known of a span at its start, and what it adds is exported.
#[test]
fn a_sampler_sees_what_is_known_at_the_start() {
    let (pipeline, exporter, asked) = sampled();
    let tracer = tracer(&pipeline);
    let cause = tracer.start_span("cause");
    in_span!(
        "asked",
        tracer = tracer,
        kind = client,
        links(cause),
        start(size = 3),
        |_| {}
    );
    cause.end();
    let spans = flushed(&pipeline, &exporter);
    let expected = [
        "cause Internal parent=false links=0 []",
        r#"asked Client parent=false links=1 ["size", "code.function.name", "code.file.path", "code.line.number"]"#,
    ];
    assert_eq!(*asked.0.lock().expect("the list"), expected);
    let span = find(&spans, "asked");
    assert_eq!(value(span, "by").as_deref(), Some("sampler"));
    assert_eq!(value(span, "size").as_deref(), Some("3"));
    assert_eq!(span.span_context.trace_state().header(), "k=v");
    assert_eq!(span.links.len(), 1);
}

/// One that panics costs that span and nothing else, in our code and in others'.
#[test]
fn a_sampler_that_panics_costs_its_span() {
    let (pipeline, exporter, _) = sampled();
    let theirs = pipeline.provider().tracer("theirs");
    tracer(&pipeline).enter_span("outer", |_| {
        enter_span("panics", |span| {
            assert!(!span.is_traced());
            enter_span("inner", |_| {});
        });
        theirs.in_span("panics", |context| {
            assert!(!context.span().is_recording());
            theirs.start("theirs").end();
        });
    });
    theirs.start("panics").end();
    let spans = flushed(&pipeline, &exporter);
    assert_eq!(names(&spans), ["inner", "theirs", "outer"]);
    let outer = spans[2].span_context.span_id();
    assert_eq!(
        [spans[0].parent_span_id, spans[1].parent_span_id],
        [outer; 2]
    );
}

/// Recorded only: counted, not exported, and its children see a trace that is not sampled. So on both
/// ways into the pipeline.
#[test]
fn what_is_recorded_only_is_counted_on_both_ways() {
    let (pipeline, exporter, _) = sampled();
    let tracer = tracer(&pipeline);
    tracer.enter_span("record only", |span| {
        assert!(span.is_traced());
        assert!(!Context::current().span().span_context().is_sampled());
    });
    tracer.enter_span("dropped", |span| assert!(!span.is_traced()));
    let mut theirs = pipeline.provider().tracer("theirs").start("record only");
    assert!(theirs.is_recording() && !theirs.span_context().is_sampled());
    theirs.end();
    assert!(flushed(&pipeline, &exporter).is_empty());
    let counts = pipeline.counts();
    assert_eq!((counts.record_only, counts.recorded), (2, 0));
}

/// What one pipeline has begun ends there; a thread that lives on records into the next one, and
/// nothing in between.
#[test]
fn one_pipeline_follows_another() {
    if !is_child("pipeline::native::one_pipeline_follows_another") {
        return;
    }
    let (ask, asked) = mpsc::channel::<&'static str>();
    let (answer, answered) = mpsc::channel();
    let thread = thread::spawn(move || {
        for name in asked {
            let mut was_traced = false;
            let work = || {
                enter_span(name, |span| {
                    was_traced = span.is_traced();
                    assert_eq!(is_plain_traced(), was_traced);
                });
            };
            let allocated = allocations::count(work);
            answer
                .send((is_enabled(), was_traced, allocated == 0))
                .expect("who asks");
        }
    });
    let lives = |name| {
        ask.send(name).expect("a thread");
        answered.recv().expect("an answer")
    };
    assert_eq!(lives("before"), (false, false, true));
    let (first, exporter) = installed();
    let open = start_span("open");
    assert_eq!(lives("in the first"), (true, true, false));
    assert_eq!(
        names(&flushed(&first, &exporter)),
        ["is_plain_traced", "in the first"]
    );
    first.shutdown(AGES).expect("down in time");
    assert_eq!(lives("between"), (false, false, true));
    let (second, exporter) = installed();
    assert_eq!(lives("in the second"), (true, true, false));
    open.enter(|| enter_span("below what is open", |_| {}));
    open.end();
    let spans = flushed(&second, &exporter);
    let expected = ["is_plain_traced", "in the second", "below what is open"];
    assert_eq!(names(&spans), expected);
    assert_eq!(first.counts().dropped.after_shutdown, 1);
    assert_all_accounted(first.counts());
    drop(first);
    assert_eq!(lives("still in the second"), (true, true, false));
    drop(second);
    assert_eq!(lives("after"), (false, false, true));
    drop(ask);
    thread.join().expect("a thread");
}

/// The threads that export make no spans, also where their code leaves the context behind.
#[test]
fn threads_that_export_are_quiet() {
    if !is_child("pipeline::native::threads_that_export_are_quiet") {
        return;
    }
    let (tell, told) = mpsc::channel();
    let makes_spans = Exporter(move |_: Vec<SpanData>| {
        let _root = Context::new().attach();
        let ours = enter_span("ours", |span| span.is_traced());
        let asked = in_span!("ours", start(id = 1), |span| span.is_traced());
        let plain = is_plain_traced();
        let theirs = opentelemetry::global::tracer("it")
            .start("theirs")
            .is_recording();
        tell.send([ours, asked, plain, theirs]).expect("who asks");
        Ok(())
    });
    let pipeline = Pipeline::builder().with_exporter(makes_spans).install();
    let pipeline = pipeline.expect("the first");
    enter_span("work", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(told.recv().expect("an export"), [false; 4]);
    assert_eq!(pipeline.counts().recorded, 1);
}

/// A span may start on one thread and end on another.
#[test]
fn a_span_may_end_on_another_thread() {
    let exporter = in_memory();
    let pipeline = build(Pipeline::builder().with_exporter(exporter.clone()));
    let span = tracer(&pipeline).start_span("moves");
    span.set_attribute("first", 1);
    thread::scope(|threads| {
        threads.spawn(|| {
            span.enter(|| enter_span("there", |_| {}));
            span.set_attribute("second", 2);
            span.end();
        });
    });
    let spans = flushed(&pipeline, &exporter);
    let [there, moves] = &spans[..] else {
        panic!("two spans, and not {spans:?}");
    };
    assert_eq!(there.parent_span_id, moves.span_context.span_id());
    assert_eq!(moves.parent_span_id, SpanId::INVALID);
    assert_eq!(
        moves.attributes,
        [KeyValue::new("first", 1), KeyValue::new("second", 2)]
    );
}

/// What a span has left in what is used again does not reach the next one.
#[test]
fn a_span_begins_empty() {
    let exporter = in_memory();
    let limits = SpanLimits::default().with_attributes(2);
    let builder = Pipeline::builder().with_span_limits(limits);
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    tracer.enter_span("full", |span| {
        span.set_attributes([("a", 1), ("b", 2), ("c", 3)]);
        span.add_event("event", ()).add_link(&span);
        span.set_status(enter_span::Status::error("failed"));
    });
    tracer.enter_span("empty", |span| _ = span.set_attribute("k", 1));
    let spans = flushed(&pipeline, &exporter);
    let (full, empty) = (find(&spans, "full"), find(&spans, "empty"));
    assert_eq!(
        (full.attributes.len(), full.dropped_attributes_count),
        (2, 1)
    );
    assert_eq!((full.events.len(), full.links.len()), (1, 1));
    assert_eq!(empty.attributes, [KeyValue::new("k", 1)]);
    assert_eq!(
        (
            empty.dropped_attributes_count,
            empty.events.len(),
            empty.links.len()
        ),
        (0, 0, 0)
    );
    assert_eq!(empty.status, opentelemetry::trace::Status::Unset);
    assert_eq!(empty.parent_span_id, SpanId::INVALID);
}

/// Disabled, it costs nothing.
#[test]
#[cfg(target_os = "linux")]
fn a_disabled_pipeline_has_no_threads() {
    if !is_child("pipeline::native::a_disabled_pipeline_has_no_threads") {
        return;
    }
    let threads = || {
        fs::read_dir("/proc/self/task")
            .expect("the threads")
            .count()
    };
    let before = threads();
    let builder = Pipeline::builder().with_exporter(in_memory());
    let disabled = |variable: &str| (variable == "OTEL_SDK_DISABLED").then(|| "true".to_owned());
    let pipeline = builder
        .with_environment(disabled)
        .install()
        .expect("the first");
    enter_span("off", |span| assert!(!span.is_traced()));
    assert_eq!((threads(), is_enabled()), (before, false));
    assert_eq!(pipeline.counts().recorded, 0);
    pipeline.shutdown(AGES).expect("down at once");
    drop(pipeline);
    let (_on, _) = installed();
    assert!(threads() > before);
}

/// What a context says of spans below it holds for a plain function too: its silence, and the causes of
/// linked work.
#[test]
fn a_plain_function_heeds_its_context() {
    if !is_child("pipeline::native::a_plain_function_heeds_its_context") {
        return;
    }
    let (pipeline, exporter) = installed();
    // From its second span on, a thread takes the short way.
    assert!(is_plain_traced());
    {
        let _silence = Context::enter_telemetry_suppressed_scope();
        assert!(!is_plain_traced());
    }
    let linked = enter_span("cause", |_| is_plain_traced.linked_to_current_span());
    assert!(linked());
    let spans = flushed(&pipeline, &exporter);
    assert_eq!(
        names(&spans),
        ["is_plain_traced", "cause", "is_plain_traced"]
    );
    let [_, cause, linked] = &spans[..] else {
        panic!("three spans, and not {spans:?}");
    };
    assert_eq!(linked.links[0].span_context, cause.span_context);
    assert_eq!(linked.parent_span_id, SpanId::INVALID);
}

/// The kind, the place in source and the remote parent of a plain function.
#[test]
fn a_plain_function_says_what_its_site_says() {
    #[enter_span(kind = server)]
    fn serve() {
        Span::current().set_attribute("code.line.number", 0);
        Span::current().set_status(enter_span::Status::Ok);
        Span::current().set_attribute("id", 7);
    }
    if !is_child("pipeline::native::a_plain_function_says_what_its_site_says") {
        return;
    }
    let (pipeline, exporter) = installed();
    let sent = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let remote = Context::new().with_remote_span_context(sent).attach();
    serve();
    drop(remote);
    serve();
    let spans = flushed(&pipeline, &exporter);
    for span in &spans {
        assert_eq!(span.span_kind, SpanKind::Server);
        assert_eq!(span.status, opentelemetry::trace::Status::Ok);
        let keys: Vec<_> = span.attributes.iter().map(|a| a.key.as_str()).collect();
        let code = ["code.function.name", "code.file.path", "code.line.number"];
        assert_eq!(keys, [&["id"], &code[..]].concat());
        assert_ne!(value(span, "code.line.number").as_deref(), Some("0"));
    }
    let [below, root] = &spans[..] else {
        panic!("two spans, and not {spans:?}");
    };
    assert!(below.parent_span_is_remote && !root.parent_span_is_remote);
    assert_eq!(below.span_context.trace_id(), TraceId::from(1));
    // What its sender did not say of the trace id, it does not say either.
    assert_eq!(below.span_context.trace_flags(), TraceFlags::SAMPLED);
    assert_eq!(below.parent_span_id, SpanId::from(2));
    assert_eq!(root.parent_span_id, SpanId::INVALID);
}

/// In a trace that was sampled out, and in a crate that is muted, nothing is evaluated for a span: not
/// its name, nor its links, nor what samplers would be shown.
#[test]
fn nothing_is_evaluated_for_a_span_that_is_declined() {
    if !is_child("pipeline::native::nothing_is_evaluated_for_a_span_that_is_declined") {
        return;
    }
    fn evaluated() -> &'static str {
        panic!("evaluated")
    }
    fn linked() -> SpanContext {
        panic!("evaluated")
    }
    #[enter_span(name = evaluated(), links(linked()), start(early = evaluated()), attributes(late = evaluated()))]
    fn declined() -> bool {
        is_traced()
    }
    let panics = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&panics);
    // A panic of an expression ends where it costs its own attribute; the hook sees it.
    set_hook(Box::new(move |_| {
        counts.fetch_add(1, Ordering::Relaxed);
    }));
    let off = Pipeline::builder()
        .with_exporter(in_memory())
        .with_sampler(Sampler::ParentBasedAlwaysOff)
        .install()
        .expect("no other one");
    in_span!("root", |_| assert!(!declined()));
    drop(off);
    let muted = Pipeline::builder()
        .with_exporter(in_memory())
        .with_muted_scope(env!("CARGO_PKG_NAME"))
        .install()
        .expect("no other one");
    assert!(!declined());
    drop(muted);
    assert_eq!(panics.load(Ordering::Relaxed), 0);
}

/// The place in source can be left out, for all spans.
#[test]
fn the_place_in_source_can_be_left_out() {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = build(builder.without_code_attributes());
    let tracer = tracer(&pipeline);
    in_span!("work", tracer = tracer, attributes(n = 1), |_| ());
    let spans = flushed(&pipeline, &exporter);
    assert_eq!(spans[0].attributes, [KeyValue::new("n", 1)]);
}

/// What is written of the place counts against the limit, and gives way.
#[test]
fn the_place_in_source_is_within_the_limit() {
    for (most, expected) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)] {
        let exporter = in_memory();
        let limits = SpanLimits::default().with_attributes(most);
        let builder = Pipeline::builder().with_span_limits(limits);
        let pipeline = build(builder.with_exporter(exporter.clone()));
        let tracer = tracer(&pipeline);
        in_span!("work", tracer = tracer, attributes(a = 1, b = 2), |_| ());
        let span = &flushed(&pipeline, &exporter)[0];
        assert_eq!(span.attributes.len(), expected);
        assert_eq!(span.dropped_attributes_count as usize, 5 - expected);
    }
}

/// Who told the start has a clock of their own: what has no time of its own is told by the system's. A
/// record is used again for a span that is counted.
#[test]
fn times_that_are_told_stay_told() {
    let (pipeline, exporter, _) = sampled();
    let theirs = pipeline.provider().tracer("theirs");
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let before = SystemTime::now();
    for name in ["told", "record only"] {
        let told = theirs.span_builder(name).with_start_time(past);
        let mut told = told.start(&theirs);
        told.add_event("event", Vec::new());
        told.end();
    }
    theirs.start("counted").end();
    let spans = flushed(&pipeline, &exporter);
    let after = SystemTime::now();
    assert_eq!(names(&spans), ["told", "counted"]);
    let [told, counted] = &spans[..] else {
        unreachable!("two spans");
    };
    assert_eq!(told.start_time, past);
    let event = told.events[0].timestamp;
    assert!(before <= event && event <= told.end_time && told.end_time <= after);
    // The clock is read once for a batch, and may be set a little meanwhile.
    let about = Duration::from_secs(1);
    assert!(before - about < counted.start_time && counted.start_time <= counted.end_time);
    assert!(counted.end_time < after + about);
}

#[enter_span(attributes(id, is_retry = false, ratio = 0.5, route = "/orders/{id}"))]
fn with_four(id: u64) -> u64 {
    black_box(id)
}

#[enter_span(
    leaf,
    attributes(id, is_retry = false, ratio = 0.5, route = "/orders/{id}")
)]
fn leaf_with_four(id: u64) -> u64 {
    black_box(id)
}

/// What a span asks the allocator for on its thread, with up to four attributes of numbers, bools and
/// constant texts: two boxes of OpenTelemetry's context, of a root as of a child. A leaf needs none.
#[test]
fn allocations_are_as_promised() {
    const SPANS: u64 = 200;
    if !is_child("pipeline::native::allocations_are_as_promised") {
        return;
    }
    let (pipeline, exporter) = installed();
    let spans = |of: fn(u64) -> u64| allocations::count(|| (0..SPANS).for_each(|id| _ = of(id)));
    let allocated = || in_span!("root", |_| [spans(with_four), spans(leaf_with_four)]);
    // Lists are made in the first round, and come back with the flush. Some grow once more.
    allocated();
    flushed(&pipeline, &exporter);
    assert_eq!(allocated().map(|all| all / SPANS as usize), [2, 0]);
    flushed(&pipeline, &exporter);
    let roots = allocations::count(|| (0..SPANS).for_each(|id| _ = with_four(id)));
    assert_eq!(roots / SPANS as usize, 2);
}
