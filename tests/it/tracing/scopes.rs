//! The instrumentation scope is the crate, and can be muted as everywhere.

use enter_span::{enter_span, in_span};
use enter_span_pipeline::Pipeline;
use opentelemetry::trace::SpanId;
use tracing::dispatcher::with_default;
use tracing::{info, info_span};

use super::{dispatch, record};
use crate::pipeline::{AGES, build, finished, in_memory};

#[enter_span]
fn ours() {}

/// The first part of the target, as Cargo most often names it.
#[test]
fn the_scope_is_the_crate_of_the_target() {
    let trace = record(|| {
        info_span!("here");
        info_span!(target: "tower_http::trace::make_span", "request");
        info_span!(target: "db", "query");
        info_span!(target: "", "nothing");
    });
    let scope = |name| trace.find(name).library();
    assert_eq!(scope("here"), ("it", None));
    assert_eq!(scope("request"), ("tower-http", None));
    assert_eq!(scope("query"), ("db", None));
    assert_eq!(scope("nothing"), ("", None));
}

/// A muted crate's spans are transparent, also for what is moved to another thread, and nothing is formatted.
#[test]
fn a_muted_crate_is_transparent() {
    let exporter = in_memory();
    let builder = Pipeline::builder()
        .with_environment(|name| (name == "ENTER_SPAN_SCOPES").then(|| "h2=off".to_owned()));
    let pipeline = build(builder.with_exporter(exporter.clone()));
    with_default(&dispatch(), || {
        pipeline.tracer("app").enter_span("request", |_| {
            let muted = info_span!(target: "h2::client", "connection");
            muted.in_scope(|| {
                info!("on the request");
                in_span!("inside", |_| ());
            });
            std::thread::spawn(move || muted.in_scope(ours))
                .join()
                .expect("a thread");
        });
    });
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    let find = |name: &str| spans.iter().find(|span| span.name == name);
    let request = find("request").expect("the request");
    assert_eq!(request.parent_span_id, SpanId::INVALID);
    assert_eq!(request.events[0].name, "on the request");
    for name in ["inside", "ours"] {
        let span = find(name).expect("a child");
        assert_eq!(
            span.parent_span_id,
            request.span_context.span_id(),
            "{name}"
        );
    }
    assert_eq!(spans.len(), 3);
}
