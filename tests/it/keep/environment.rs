//! `ENTER_SPAN_KEEP`: what operators write, and what they write wrong.

use enter_span_pipeline::{Keep, Pipeline, PipelineBuilder};
use rstest::rstest;

use crate::pipeline::{AGES, Warnings, build, finished, in_memory, tracer};

fn builder(value: &'static str) -> PipelineBuilder {
    Pipeline::builder()
        .with_environment(move |name| (name == "ENTER_SPAN_KEEP").then(|| value.to_owned()))
}

/// The names of what is kept of three traces, and what is warned of.
fn kept(builder: PipelineBuilder) -> (String, Vec<String>) {
    let (exporter, warnings) = (in_memory(), Warnings::default());
    let pipeline = build(warnings.of(builder.with_exporter(exporter.clone())));
    let tracer = tracer(&pipeline);
    tracer.enter_span("debugged", |span| _ = span.set_attribute("debug", true));
    tracer.enter_span("failed", |span| {
        _ = span.set_status(enter_span::Status::error(""))
    });
    tracer.enter_span("plain", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    let mut names: Vec<_> = finished(&exporter)
        .iter()
        .map(|span| span.name.to_string())
        .collect();
    names.sort();
    (names.join(" "), warnings.take())
}

#[rstest]
#[case("errors", "failed")]
#[case(" Errors , with = debug ", "debugged failed")]
#[case("with=debug", "debugged")]
#[case("rest=0", "")]
#[case("rest=1", "debugged failed plain")]
#[case("errors,slower=0us,rest=0", "debugged failed plain")]
#[case("errors,slower=1.5m,with=debug,rest=0.0", "debugged failed")]
#[case("slower=10s,slower=500ms", "")]
#[case("", "debugged failed plain")]
#[case(" , ", "debugged failed plain")]
fn a_list_is_read(#[case] value: &'static str, #[case] expected: &str) {
    assert_eq!(kept(builder(value)), (expected.to_owned(), Vec::new()));
}

const ACCEPTED: &str = "is not accepted, and is left out; write `errors`, `slower=500ms` (with `us`, `ms`, `s` or `m`), `with=<key>` or `rest=<number from 0 to 1>`, separated by commas";

/// One warning that shows what is wrong and what is accepted; the rest of the list holds.
#[rstest]
#[case("slower=fast,with=debug", "\"slower=fast\"", "debugged")]
#[case("errors,slower=5,rest=2,all", "\"slower=5,rest=2,all\"", "failed")]
#[case("errors,slower=-1s", "\"slower=-1s\"", "failed")]
#[case("errors,rest=NaN", "\"rest=NaN\"", "failed")]
#[case("errors,slower=1e300m", "\"slower=1e300m\"", "failed")]
#[case("with=", "\"with=\"", "debugged failed plain")]
#[case(
    "errors,https://user:secret@host",
    "the value, which may be secret,",
    "failed"
)]
fn a_wrong_part_is_told(#[case] value: &'static str, #[case] shown: &str, #[case] expected: &str) {
    let warning = format!("ENTER_SPAN_KEEP: {shown} {ACCEPTED}");
    assert_eq!(kept(builder(value)), (expected.to_owned(), vec![warning]));
}

/// The variable is not read, right or wrong.
#[test]
fn the_code_takes_precedence() {
    let builder = builder("errors,slower=fast").with_keep(Keep::with("debug"));
    assert_eq!(kept(builder), ("debugged".to_owned(), Vec::new()));
}
