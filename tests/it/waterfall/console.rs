//! The console behind a pipeline, and where it prints.

use std::io;
use std::time::Duration;

use enter_span::{Tracer, enter_span};
use enter_span_pipeline::waterfall::Color;
use enter_span_pipeline::{Console, Pipeline};
use opentelemetry_sdk::trace::SpanExporter as _;

use super::{Screen, span};
use crate::support::child::{is_child, is_child_with};

const AGES: Duration = Duration::from_secs(60);

#[enter_span("query", kind = client, attributes(table = "orders"))]
fn query() -> Result<(), io::Error> {
    Err(io::Error::other("connection lost"))
}

#[test]
fn a_pipeline_prints_finished_traces() {
    let screen = Screen::default();
    let console = Console::to(screen.clone()).with_width(100);
    let builder = Pipeline::builder().with_environment(|_| None);
    let pipeline = builder.with_exporter(console).build().expect("a pipeline");
    Tracer::new(pipeline.provider(), "it").enter_span("request", |span| {
        span.set_attribute("id", 7);
        span.add_event("cache miss", [("key", "a")]);
        query().expect_err("no connection");
    });
    pipeline.shutdown(AGES).expect("shut down in time");
    assert_eq!(pipeline.counts().exported, 2);
    let text = screen.take();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("trace ") && lines[0].ends_with("  2 spans  1 failed"));
    assert!(lines[1].starts_with("request id=7 "), "{text}");
    assert!(lines[2].starts_with("│ • cache miss +"), "{text}");
    assert!(
        lines[3].starts_with("└ query (client) !Error table=orders "),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

/// A writer that breaks costs the export, and says why.
#[test]
fn what_cannot_be_printed_is_the_error_of_the_export() {
    struct Broken;
    impl io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no paper"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let builder = Pipeline::builder().with_environment(|_| None);
    let builder = builder.with_exporter(Console::to(Broken));
    let pipeline = builder.build().expect("a pipeline");
    Tracer::new(pipeline.provider(), "it").enter_span("request", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(pipeline.counts().dropped.export_failed, 1);
    let error = pipeline.last_export_error().expect("an error");
    assert!(error.contains("no paper"), "{error}");
}

/// The width of what is no terminal is that of `COLUMNS`, and there are no colours.
#[test]
fn columns_rule_where_there_is_no_terminal() {
    let test = "waterfall::console::columns_rule_where_there_is_no_terminal";
    if is_child_with(test, &[("COLUMNS", "60")]) {
        assert_eq!(widest(&Screen::default()), 60);
        // The output of a child is a pipe.
        print_to_stdout();
    }
}

#[test]
fn without_columns_there_are_a_hundred() {
    let test = "waterfall::console::without_columns_there_are_a_hundred";
    if is_child_with(test, &[("COLUMNS", "")]) {
        assert_eq!(widest(&Screen::default()), 100);
    }
}

#[test]
fn both_streams_can_be_printed_to() {
    if is_child("waterfall::console::both_streams_can_be_printed_to") {
        print_to_stdout();
        export(&Console::stderr());
    }
}

fn print_to_stdout() {
    export(&Console::new());
}

fn export(console: &Console) {
    let exported = console.export(vec![span(1, 0, "root", 0, 9)]);
    futures::executor::block_on(exported).expect("exported");
}

fn widest(screen: &Screen) -> usize {
    export(&Console::to(screen.clone()));
    let text = screen.take();
    text.lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
}

#[test]
fn colours_can_be_asked_for() {
    let screen = Screen::default();
    export(&Console::to(screen.clone()).with_color(Color::Ansi));
    assert!(screen.take().contains("\u{1b}[1mroot\u{1b}[0m"));
}
