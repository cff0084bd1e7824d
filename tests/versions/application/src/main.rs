//! Three versions of enter-span in one process: one tree, one switch, and a diagnosis that names all.

use std::time::Duration;

use enter_span::testing::Recorder;
use enter_span::{ErrorDetail, enter_span, in_span};
use enter_span_pipeline::{Console, Pipeline};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

/// The application's span, and in it those of both libraries, and in them one more of the application.
#[enter_span(root)]
fn serve() {
    library_two::work(|| library_three::work(|| in_span!("of the application", || ())));
}

/// Of a flush or a shutdown: nothing here takes as long.
const LIMIT: Duration = Duration::from_secs(30);

const NAMES: [&str; 4] = [
    "serve",
    "of library-two",
    "of library-three",
    "of the application",
];

fn main() {
    nothing_is_installed();
    a_pipeline_of_this_version();
    below_a_tracer_of_this_version();
    a_provider_by_another_version();
    the_global_provider_by_another_version();
    a_test_of_this_version();
}

fn nothing_is_installed() {
    assert_off();
    assert!(library_two::diagnosis().contains("nothing is installed"));
}

fn assert_off() {
    assert!(!enter_span::is_enabled());
    assert!(!library_two::is_enabled() && !library_three::is_enabled());
}

/// Each span is the child of the one before, in one trace.
#[track_caller]
fn assert_one_tree(exporter: &InMemorySpanExporter) {
    let spans = exporter.get_finished_spans().expect("spans");
    let found = |name: &str| -> &SpanData {
        let one = spans.iter().find(|span| span.name == name);
        one.unwrap_or_else(|| panic!("{name} is not recorded"))
    };
    assert_eq!(spans.len(), NAMES.len());
    for pair in NAMES.windows(2) {
        let (parent, child) = (found(pair[0]), found(pair[1]));
        assert_eq!(child.parent_span_id, parent.span_context.span_id());
        assert_eq!(
            child.span_context.trace_id(),
            parent.span_context.trace_id()
        );
    }
    let scope = |name| found(name).instrumentation_scope.name().to_owned();
    assert_eq!(
        NAMES.map(scope),
        ["application", "library-two", "library-three", "application"]
    );
}

fn a_pipeline_of_this_version() {
    let exporter = InMemorySpanExporter::default();
    let pipeline = Pipeline::builder()
        .with_exporter(exporter.clone())
        .with_exporter(Console::new())
        .install()
        .expect("a pipeline");
    serve();
    pipeline.flush(LIMIT).expect("all is exported");
    assert_one_tree(&exporter);

    let (one, two, three) = (
        concat!("enter-span ", env!("OWN_VERSION")),
        "enter-span 0.98.0",
        "enter-span 0.99.0",
    );
    let own = enter_span::diagnose().to_string();
    for diagnosis in [own, library_two::diagnosis(), library_three::diagnosis()] {
        for version in [one, two, three] {
            assert!(diagnosis.contains(version), "{version}:\n{diagnosis}");
        }
        assert!(!diagnosis.contains("nothing is installed"), "{diagnosis}");
    }
    println!("{}", library_two::diagnosis());

    exporter.reset();
    enter_span::set_error_detail(ErrorDetail::Type);
    let _ = library_two::fail();
    enter_span::set_error_detail(ErrorDetail::Message);
    pipeline.flush(LIMIT).expect("all is exported");
    let spans = format!("{:?}", exporter.get_finished_spans());
    assert!(
        spans.contains("fail") && !spans.contains("secret"),
        "{spans}"
    );

    pipeline.shutdown(LIMIT).expect("all is exported");
    assert_off();
    exporter.reset();
    serve();
    assert!(exporter.get_finished_spans().expect("spans").is_empty());
}

/// The process stays off, and everything below the tracer's spans is recorded by its pipeline.
fn below_a_tracer_of_this_version() {
    let exporter = InMemorySpanExporter::default();
    let pipeline = Pipeline::builder()
        .with_exporter(exporter.clone())
        .build()
        .expect("a pipeline");
    let tracer = pipeline.tracer("application");
    tracer.enter_span("serve", |_| {
        library_two::work(|| library_three::work(|| in_span!("of the application", || ())));
    });
    pipeline.flush(LIMIT).expect("all is exported");
    assert_one_tree(&exporter);
    drop((tracer, pipeline));
    assert_off();
}

fn sdk() -> (SdkTracerProvider, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    (provider.build(), exporter)
}

fn a_provider_by_another_version() {
    let (provider, exporter) = sdk();
    library_two::install(provider);
    serve();
    assert_one_tree(&exporter);
}

fn the_global_provider_by_another_version() {
    let (provider, exporter) = sdk();
    opentelemetry::global::set_tracer_provider(provider);
    library_three::use_global();
    serve();
    assert_one_tree(&exporter);
}

fn a_test_of_this_version() {
    let trace = Recorder::new().run(serve);
    let tree = trace.to_string();
    for name in NAMES {
        assert!(tree.contains(name), "{tree}");
    }
}
