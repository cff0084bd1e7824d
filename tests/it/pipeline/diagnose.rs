//! `diagnose()`: why nothing arrives, in every state of a process.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use enter_span::invocation::Run;
use enter_span::{diagnose, enter_span, in_span};
use enter_span_core::{GlobalProvider, SharedBackend, Way, flags};
use enter_span_pipeline::{Limits, Pipeline, PipelineBuilder, Sampler};
use opentelemetry::global::ObjectSafeTracerProvider;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider, noop,
};
use opentelemetry::{Context, InstrumentationScope, global};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler as SdkSampler, SdkTracer, SdkTracerProvider, SpanData,
};

use crate::pipeline::{AGES, Exporter, finished, gated, in_memory};
use crate::support::child::{is_child, is_child_with};

/// Checks that all of this is said.
#[track_caller]
fn assert_says(parts: &[&str]) {
    let diagnosis = diagnose().to_string();
    for part in parts {
        assert!(
            diagnosis.contains(part),
            "{part:?} is not said:\n{diagnosis}"
        );
    }
}

/// Checks that none of this is said.
#[track_caller]
fn assert_hides(parts: &[&str]) {
    let diagnosis = diagnose().to_string();
    for part in parts {
        assert!(!diagnosis.contains(part), "{part:?} is said:\n{diagnosis}");
    }
}

fn install(builder: PipelineBuilder) -> Pipeline {
    builder.install().expect("the only one")
}

fn variables(list: &'static [(&str, &str)]) -> PipelineBuilder {
    Pipeline::builder()
        .with_warnings(|_| ())
        .with_environment(|name| {
            let found = list.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
}

/// One finding to a line, under its topic, and nothing more.
#[test]
fn nothing_is_installed() {
    if !is_child("pipeline::diagnose::nothing_is_installed") {
        return;
    }
    let diagnosis = diagnose().to_string();
    let lines: Vec<&str> = diagnosis.lines().collect();
    assert_eq!(lines.len(), 4, "{diagnosis}");
    assert_eq!(
        lines[0],
        "installed   nothing is installed, so every span is off"
    );
    assert!(
        lines[1].starts_with("            an application calls `enter_span_pipeline::Pipeline")
    );
    assert_eq!(
        lines[2],
        "global      OpenTelemetry has no global provider, or one that makes no spans"
    );
    assert_eq!(lines[3], "here        no span is current");
}

/// A provider that is there and not used; and nothing is recorded to find that out.
#[test]
fn a_global_provider_is_not_used() {
    if !is_child("pipeline::diagnose::a_global_provider_is_not_used") {
        return;
    }
    let exporter = in_memory();
    let sdk = SdkTracerProvider::builder().with_sampler(SdkSampler::AlwaysOn);
    let sdk = sdk.with_simple_exporter(exporter.clone()).build();
    global::set_tracer_provider(sdk);
    assert_says(&[
        "nothing is installed",
        "which enter_span does not use until",
    ]);
    assert_eq!(finished(&exporter), []);
}

#[test]
fn the_global_provider_is_followed() {
    if !is_child("pipeline::diagnose::the_global_provider_is_followed") {
        return;
    }
    let line = line!() + 2;
    let place = format!("`use_global_tracer_provider` at {}:{line}:", file!());
    enter_span::use_global_tracer_provider();
    assert_says(&[
        &place,
        "spans are recorded by this",
        "no global provider yet",
    ]);
    let exporter = in_memory();
    let sdk = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    global::set_tracer_provider(sdk.build());
    assert_says(&["what it samples and exports is its own to tell"]);
    assert_hides(&["no global provider"]);
    assert_eq!(finished(&exporter), []);
}

/// Also that another provider took the place, globally, or here.
#[test]
fn a_provider_is_installed_and_replaced() {
    if !is_child("pipeline::diagnose::a_provider_is_installed_and_replaced") {
        return;
    }
    let sdk = || SdkTracerProvider::builder().build();
    let first = format!("`set_tracer_provider` at {}:{}:", file!(), line!() + 1);
    enter_span::set_tracer_provider(sdk());
    assert_says(&[&first, "spans are recorded by this", "is the same one"]);
    global::set_tracer_provider(sdk());
    assert_says(&["was replaced since"]);
    global::set_tracer_provider(noop::NoopTracerProvider::new());
    assert_says(&["was replaced since"]);
    let second = format!("{}:{}:", file!(), line!() + 1);
    enter_span::set_tracer_provider(sdk());
    assert_says(&[&second, "is the same one", "until it was replaced"]);
    assert_hides(&["was replaced since"]);
}

#[test]
fn a_pipeline_is_installed() {
    if !is_child("pipeline::diagnose::a_pipeline_is_installed") {
        return;
    }
    let builder = variables(&[]).with_exporter(in_memory());
    let place = format!("`PipelineBuilder::install` at {}:{}:", file!(), line!() + 1);
    let pipeline = builder.install().expect("the only one");
    assert_says(&[
        &place,
        "spans are recorded by this",
        "is the same one",
        "ParentBasedAlwaysOn, by default",
        "InMemorySpanExporter",
        "no export has ended yet",
    ]);
    in_span!("work", root, |work| {
        let trace_id = work.trace_id().expect("a trace");
        assert_says(&[&format!("inside of trace {trace_id}, which is sampled")]);
    });
    pipeline.flush(AGES).expect("flushed in time");
    assert_says(&["spans that it has taken: 1", "the last export went well"]);
    assert_hides(&["roots ", "dropped"]);
    global::set_tracer_provider(SdkTracerProvider::builder().build());
    assert_says(&["spans are recorded by this", "was replaced since"]);
}

/// One of ours inside of another answers too, and it is the outer one that was installed.
#[test]
fn the_provider_of_a_pipeline_is_installed() {
    if !is_child("pipeline::diagnose::the_provider_of_a_pipeline_is_installed") {
        return;
    }
    let pipeline = variables(&[]).with_exporter(in_memory()).build();
    let pipeline = pipeline.expect("a thread for the worker");
    enter_span::set_tracer_provider(pipeline.provider());
    assert_says(&["spans are recorded by this", "is the same one"]);
    assert_hides(&["was replaced since"]);
}

/// What it would have sampled, exported and dropped is not what holds.
#[test]
fn a_pipeline_is_replaced() {
    if !is_child("pipeline::diagnose::a_pipeline_is_replaced") {
        return;
    }
    let list = &[("OTEL_BSP_SCHEDULE_DELAY", "soon")];
    let _pipeline = install(variables(list).with_exporter(in_memory()));
    assert_says(&["InMemorySpanExporter", "warned "]);
    enter_span::set_tracer_provider(SdkTracerProvider::builder().build());
    assert_says(&["`PipelineBuilder::install`", "until it was replaced"]);
    assert_hides(&["InMemorySpanExporter", "sampling ", "exporters ", "warned "]);
}

/// What others start after the shutdown is counted; ours is off.
#[test]
fn a_pipeline_is_dropped() {
    if !is_child("pipeline::diagnose::a_pipeline_is_dropped") {
        return;
    }
    drop(install(variables(&[]).with_exporter(in_memory())));
    let _late = global::tracer("other").start("late");
    assert_says(&[
        "`PipelineBuilder::install`",
        "its handle was dropped",
        "shut down; spans that were to start since, by OpenTelemetry or by its own tracers: 1",
        "still what was installed here before",
    ]);
}

#[test]
fn a_variable_disables() {
    if !is_child("pipeline::diagnose::a_variable_disables") {
        return;
    }
    let _pipeline = install(variables(&[
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
    ]));
    assert_says(&[
        "it has installed nothing",
        "disabled    `OTEL_SDK_DISABLED` is `true`",
        "warned      OTEL_BSP_SCHEDULE_DELAY: \"soon\" is not a valid value",
    ]);
}

/// What is refused chooses nothing.
#[test]
fn a_sampler_is_refused() {
    if !is_child("pipeline::diagnose::a_sampler_is_refused") {
        return;
    }
    let list = &[("OTEL_TRACES_SAMPLER", "sometimes")];
    let _pipeline = install(variables(list).with_exporter(in_memory()));
    assert_says(&[
        "warned      OTEL_TRACES_SAMPLER: \"sometimes\" is not a valid value",
        "ParentBasedAlwaysOn, by default",
    ]);
}

#[test]
fn a_propagator_is_refused() {
    if !is_child("pipeline::diagnose::a_propagator_is_refused") {
        return;
    }
    let list = &[("OTEL_PROPAGATORS", "b3")];
    let _pipeline = install(variables(list).with_exporter(in_memory()));
    assert_says(&["warned      OTEL_PROPAGATORS: \"b3\" is not a valid value"]);
}

fn remote(flags: TraceFlags) -> SpanContext {
    let (trace_id, span_id) = (TraceId::from(7), SpanId::from(8));
    SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE)
}

/// Decisions of a sampler that was chosen by a variable, by cause.
#[test]
fn a_variable_samples_everything_out() {
    if !is_child("pipeline::diagnose::a_variable_samples_everything_out") {
        return;
    }
    let list = &[
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ];
    let _pipeline = install(variables(list));
    (0..3).for_each(|_| in_span!("root", root, |_| enter_span("child", |_| ())));
    in_span!("handle", parent = remote(TraceFlags::NOT_SAMPLED), |_| {
        assert_says(&["which is not sampled"]);
    });
    in_span!("handle", parent = remote(TraceFlags::SAMPLED), |_| ());
    let declined = "not recorded, nor what follows them: ";
    assert_says(&[
        "AlwaysOff, by `OTEL_TRACES_SAMPLER`",
        &format!("{declined}roots that the sampler declined: 3"),
        &format!("{declined}spans below a remote parent that is not sampled: 1"),
        "below a sampled parent, or a sampler of the application's anywhere: 1",
        "exporters   none, so spans go nowhere",
    ]);
}

/// Those of the application's own sampler; one that panics when it is shown costs what it would say.
#[test]
fn a_sampler_of_the_applications_declines() {
    if !is_child("pipeline::diagnose::a_sampler_of_the_applications_declines") {
        return;
    }
    let sampler = Sampler::Custom(Box::new(SdkSampler::AlwaysOff));
    let builder = variables(&[]).with_exporter(in_memory());
    let _pipeline = install(builder.with_sampler(sampler));
    enter_span("root", |_| ());
    drop(global::tracer("other").start("root"));
    assert_says(&["Custom(AlwaysOff), by the code", "anywhere: 2"]);
}

#[test]
fn scopes_are_muted() {
    if !is_child("pipeline::diagnose::scopes_are_muted") {
        return;
    }
    let list = &[("ENTER_SPAN_SCOPES", "*=off,shop=on,\u{1b}[2J=off")];
    let _pipeline = install(variables(list).with_exporter(in_memory()));
    (0..2).for_each(|_| enter_span("muted", |_| ()));
    drop(global::tracer("other").start("muted"));
    assert_says(&[
        "muted       *, \\u{1b}[2J",
        "but not shop",
        "spans that were not made therefore: 3",
        "is the same one",
    ]);
    assert_hides(&["\u{1b}", "roots "]);
}

/// What an exporter says is foreign text.
#[test]
fn an_exporter_fails() {
    if !is_child("pipeline::diagnose::an_exporter_fails") {
        return;
    }
    let fails = Exporter(|_: Vec<SpanData>| {
        let error = "refused\r\n\u{1b}[31m \u{202e}'quoted'".to_owned();
        Err(OTelSdkError::InternalFailure(error))
    });
    let pipeline = install(variables(&[]).with_exporter(fails));
    enter_span("work", |_| ());
    pipeline.flush(AGES).expect("flushed in time");
    assert_says(&[
        "the last export failed: ",
        "refused\\r\\n\\u{1b}[31m \\u{202e}'quoted'",
        "dropped     1: an exporter failed",
        "ended, and sampled: 1; on their way: 0",
    ]);
    assert_hides(&["\u{1b}", "\u{202e}", "\r"]);
}

#[test]
fn the_queue_is_full() {
    if !is_child("pipeline::diagnose::the_queue_is_full") {
        return;
    }
    let (blocks, has_started, open) = gated();
    let limits = Limits::default().with_queue_spans(2).with_batch_spans(1);
    let builder = variables(&[]).with_exporter(blocks).with_limits(limits);
    let _pipeline = install(builder);
    enter_span("first", |_| ());
    has_started.recv().expect("an export");
    (0..5).for_each(|_| enter_span("more", |_| ()));
    assert_says(&[
        "4: the queue was full",
        "ended, and sampled: 6; on their way: 2",
        "spans that it has taken: 0",
    ]);
    drop(open);
}

/// The endpoint and the protocol, and no credentials.
#[test]
fn credentials_are_not_shown() {
    let variables = [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:secret@localhost:9/otlp?key=secret",
        ),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret"),
    ];
    if !is_child_with("pipeline::diagnose::credentials_are_not_shown", &variables) {
        return;
    }
    let _pipeline = install(Pipeline::builder());
    assert_says(&["exporters   otlp http/protobuf http://localhost:9/otlp/v1/traces"]);
    assert_hides(&["secret", "user:", "key="]);
}

#[enter_span]
fn charge() {}

#[enter_span(root)]
fn job() {
    charge();
}

/// Roots that nobody declared, by site, and where no macro saw it by name; in a table that is bounded.
#[test]
fn roots_that_nobody_declared_are_counted() {
    if !is_child("pipeline::diagnose::roots_that_nobody_declared_are_counted") {
        return;
    }
    let _pipeline = install(variables(&[]).with_exporter(in_memory()));
    job();
    in_span!("handle", parent = remote(TraceFlags::SAMPLED), |_| charge());
    in_span!("told", parent = None::<enter_span::Span>, |_| charge());
    assert_hides(&["roots "]);
    // On threads of their own, what was current is lost.
    in_span!("request", root, |_| {
        (0..2).for_each(|_| thread::spawn(charge).join().expect("no panic"));
        let started = || in_span!("query", start(rows = 1), |_| ());
        thread::spawn(started).join().expect("no panic");
        let named = || enter_span("named\u{1b}", |_| ());
        thread::spawn(named).join().expect("no panic");
    });
    assert_says(&[
        "roots       began traces of their own, and nothing says `root` or `parent`",
        "  2 at \"charge\" (`it::pipeline::diagnose::charge`, it/pipeline/diagnose.rs:",
        "  1 at \"query\" (`it::pipeline::diagnose`, it/pipeline/diagnose.rs:",
        "  1 at \"named\\u{1b}\"",
    ]);
    (0..1_000).for_each(|number| enter_span(format!("number {number}"), |_| ()));
    let diagnosis = diagnose().to_string();
    let sites: Vec<&str> = diagnosis
        .lines()
        .filter(|line| line.contains(" at "))
        .collect();
    assert!(sites.len() <= 70, "{diagnosis}");
    let counts = sites.iter().filter_map(|line| {
        let (count, _) = line.trim_start().split_once(" at ")?;
        count.parse::<u64>().ok()
    });
    assert_eq!(counts.sum::<u64>(), 1_004, "{diagnosis}");
    assert!(diagnosis.contains(" at other sites"));
}

/// What makes no span takes no place in the table.
#[test]
fn muted_sites_leave_room_for_roots() {
    if !is_child("pipeline::diagnose::muted_sites_leave_room_for_roots") {
        return;
    }
    let muted = install(variables(&[]).with_muted_scope("*"));
    (0..10_000).for_each(|number| enter_span(format!("muted {number}"), |_| ()));
    drop(muted);
    let _pipeline = install(variables(&[]).with_exporter(in_memory()));
    enter_span("lost", |_| ());
    assert_says(&["roots       began traces", "  1 at \"lost\""]);
}

/// It waits for nobody: not in an exporter, which makes no spans, and not in a span.
#[test]
fn an_exporter_may_ask() {
    if !is_child("pipeline::diagnose::an_exporter_may_ask") {
        return;
    }
    let (tell, told) = mpsc::channel();
    let asks = Exporter(move |_: Vec<SpanData>| {
        tell.send(diagnose().to_string()).ok();
        Ok(())
    });
    let pipeline = install(variables(&[]).with_exporter(asks));
    enter_span("work", |_| assert_says(&["inside of trace"]));
    pipeline.flush(AGES).expect("flushed in time");
    let diagnosis = told.recv().expect("an export");
    assert!(diagnosis.contains("telemetry is suppressed"), "{diagnosis}");
}

/// A provider that asks when it is dropped, which happens under OpenTelemetry's own lock.
struct Curious(Arc<Mutex<String>>);

impl TracerProvider for Curious {
    type Tracer = SdkTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> SdkTracer {
        SdkTracerProvider::builder()
            .build()
            .tracer_with_scope(scope)
    }
}

impl Drop for Curious {
    fn drop(&mut self) {
        *self.0.lock().expect("the text") = diagnose().to_string();
    }
}

#[test]
fn a_provider_that_gives_no_answer_is_not_waited_for() {
    if !is_child("pipeline::diagnose::a_provider_that_gives_no_answer_is_not_waited_for") {
        return;
    }
    let said = Arc::<Mutex<String>>::default();
    global::set_tracer_provider(Curious(Arc::clone(&said)));
    global::set_tracer_provider(noop::NoopTracerProvider::new());
    let said = said.lock().expect("the text");
    assert!(
        said.contains("is unknown: it did not answer in time"),
        "{said}"
    );
}

/// A muted or noop span of others that is current is no span, and it says so.
#[test]
fn here_is_told() {
    if !is_child("pipeline::diagnose::here_is_told") {
        return;
    }
    let recorder = enter_span::testing::Recorder::new();
    recorder.enter(|| assert_says(&["or a recorder, records instead of what is installed"]));
    let remote = Context::new().with_remote_span_context(remote(TraceFlags::SAMPLED));
    let _attached = remote.attach();
    assert_says(&["inside of trace 00000000000000000000000000000007, which is sampled"]);
    let mut span = noop::NoopSpan::DEFAULT;
    span.end();
    let _inside = Context::current_with_span(span).attach();
    assert_says(&["no span is current"]);
}

/// A value that works on after its span is told once for each call, by the warnings and here.
#[cfg(debug_assertions)]
#[test]
fn work_that_leaves_its_span_is_warned_about() {
    if !is_child("pipeline::diagnose::work_that_leaves_its_span_is_warned_about") {
        return;
    }
    // Nothing is traced, so nothing is missing.
    drop(enter_span::enter_span("off", |_| async {}));
    assert_hides(&["later "]);
    let (told, warnings) = mpsc::channel();
    let builder = variables(&[]).with_exporter(in_memory());
    let pipeline = install(builder.with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    }));
    let tracer = enter_span::tracer!();
    let at = |line| format!("{}:{line}:", file!());
    let remedy = "use `in_span!` or `enter_span_async`";
    let mut places = Vec::new();
    for _ in 0..2 {
        places.clear();
        drop(enter_span::enter_span("block", |_| async {}));
        places.push((at(line!() - 1), remedy));
        tracer.enter_span("closure", |_| || ())();
        places.push((at(line!() - 1), remedy));
        type Boxed = std::pin::Pin<Box<dyn Future<Output = ()>>>;
        drop(tracer.enter_span("box", |_| -> Boxed { Box::pin(std::future::ready(())) }));
        places.push((at(line!() - 1), remedy));
        drop(Run::new().start("run", |_, _| async {}));
        places.push((at(line!() - 1), "use `start_async`"));
        // These have done all that they do.
        assert_eq!(enter_span::enter_span("number", |_| 1), 1);
        drop(enter_span::enter_span("list", |_| {
            (0..3).map(|n| n + 1).collect::<Vec<_>>()
        }));
        drop(enter_span::enter_span("items", |_| (0..3).map(|n| n + 1)));
        drop(in_span!("macro", |_| async {}));
    }
    pipeline.shutdown(AGES).expect("down in time");
    drop(pipeline);
    let warnings: Vec<String> = warnings.iter().collect();
    assert_eq!(warnings.len(), places.len(), "{warnings:?}");
    for (warning, (place, remedy)) in warnings.iter().zip(&places) {
        assert!(warning.starts_with(place), "{warning:?} is not at {place}");
        assert!(warning.ends_with(remedy), "{warning:?} says not {remedy}");
        assert_says(&[warning]);
    }
}

fn names(exporter: &InMemorySpanExporter) -> Vec<Cow<'static, str>> {
    let spans = finished(exporter).into_iter();
    spans.map(|span| span.name).collect()
}

/// A version that is built with the same OpenTelemetry shares its provider. The switch is the process's, so that
/// spans of this version start, and are recorded there.
#[test]
fn another_version_has_installed_a_provider() {
    if !is_child("pipeline::diagnose::another_version_has_installed_a_provider") {
        return;
    }
    let exporter = in_memory();
    let sdk = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    let sdk = sdk.build();
    let provider: Arc<dyn ObjectSafeTracerProvider + Send + Sync> = Arc::new(sdk.clone());
    let backend = SharedBackend::new("enter-span 7.0.0").with_part(provider);
    let installed = enter_span_core::install(backend, flags::INSTALLED);
    in_span!("work", || ());
    assert_eq!(names(&exporter), ["work"]);
    assert_says(&[
        "installed   by enter-span 7.0.0",
        "records through the OpenTelemetry provider of that one",
    ]);
    assert_hides(&["nothing is installed"]);

    enter_span_core::uninstall(installed);
    in_span!("later", || ());
    assert_eq!(names(&exporter), ["work"]);
    assert_says(&["nothing is installed, so every span is off"]);
}

/// What another version has installed is of an OpenTelemetry that this one does not know.
#[test]
fn another_version_has_installed_what_cannot_be_used() {
    if !is_child("pipeline::diagnose::another_version_has_installed_what_cannot_be_used") {
        return;
    }
    let backend = SharedBackend::new("enter-span 7.0.0").with_part("an unknown form");
    enter_span_core::install(backend, flags::INSTALLED | flags::CACHED);
    let traced = in_span!("work", |span| span.is_traced());
    assert!(!traced && !enter_span::is_enabled());
    assert_says(&[
        "installed   by enter-span 7.0.0",
        "this version cannot use it, so its spans are off",
        "cargo tree --invert opentelemetry",
    ]);
}

/// A pipeline that another version has replaced says so.
#[test]
fn another_version_replaces_the_pipeline() {
    if !is_child("pipeline::diagnose::another_version_replaces_the_pipeline") {
        return;
    }
    let _pipeline = install(variables(&[("OTEL_TRACES_EXPORTER", "none")]));
    let backend = SharedBackend::new("enter-span 7.0.0").with_part(GlobalProvider);
    enter_span_core::install(backend, flags::INSTALLED);
    enter_span_core::join("enter-span 7.0.0", Way::Own);
    assert_says(&[
        "installed   by enter-span 7.0.0",
        "until it was replaced",
        concat!(
            "versions    enter-span ",
            env!("CARGO_PKG_VERSION"),
            " (this one) records through"
        ),
        "enter-span 7.0.0 has installed a backend",
    ]);
}
