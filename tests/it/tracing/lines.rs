//! The ids of the current span in lines of text.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use enter_span::in_span;
use enter_span::testing::{RecordedSpan, Trace};
use enter_span_tracing::with_ids;
use serde_json::Value;
use tracing::{Dispatch, info, info_span};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, format};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use super::{layer, record, record_by};

/// What is written into it.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(super) fn text(&self) -> String {
        let bytes = self.0.lock().expect("the lines").clone();
        String::from_utf8(bytes).expect("lines of text")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the lines").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// One line in a span of each kind, and one outside.
fn log() {
    in_span!("ours", |_| info!(total = 7, "in ours"));
    info_span!("theirs", id = 1).in_scope(|| info!("in theirs"));
    info!("outside");
}

fn ids(trace: &Trace, name: &str) -> (String, String) {
    let span: &RecordedSpan = trace.find(name);
    let identity = span.span_context();
    (
        identity.trace_id().to_string(),
        identity.span_id().to_string(),
    )
}

fn prefix(trace: &Trace, name: &str) -> String {
    let (trace_id, span_id) = ids(trace, name);
    format!("trace_id={trace_id} span_id={span_id} ")
}

/// What is written by a format, and the trace.
fn written<S: Into<Dispatch>>(subscriber: impl FnOnce(Lines) -> S) -> (String, Trace) {
    let lines = Lines::default();
    let trace = record_by(subscriber(lines.clone()), log);
    (lines.text(), trace)
}

/// A plain line begins with the ids, and is itself behind them.
#[test]
fn plain_lines_begin_with_the_ids() {
    let (text, trace) = written(|lines| {
        let plain = format().without_time().with_target(false);
        let plain = tracing_subscriber::fmt::layer()
            .event_format(with_ids(plain))
            .with_ansi(false)
            .with_writer(lines);
        registry().with(plain).with(layer())
    });
    let expected = format!(
        "{} INFO ours: in ours total=7\n{} INFO theirs{{id=1}}: in theirs\n INFO outside\n",
        prefix(&trace, "ours"),
        prefix(&trace, "theirs"),
    );
    assert_eq!(text, expected);
}

/// Colours stay.
#[test]
fn plain_lines_keep_their_colours() {
    let (text, trace) = written(|lines| {
        let plain = tracing_subscriber::fmt::layer()
            .compact()
            .without_time()
            .with_ansi(true)
            .with_writer(lines)
            .map_event_format(with_ids);
        registry().with(plain).with(layer())
    });
    let first = text.lines().next().expect("a line");
    assert!(first.starts_with(&prefix(&trace, "ours")), "{first:?}");
    assert!(first.contains('\u{1b}'), "{first:?}");
}

fn parsed(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str::<Value>);
    lines
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn assert_ids(line: &Value, trace: &Trace, name: &str) {
    let (trace_id, span_id) = ids(trace, name);
    assert_eq!(line["trace_id"], trace_id.as_str(), "{line}");
    assert_eq!(line["span_id"], span_id.as_str(), "{line}");
}

/// A line of JSON is valid, and has the ids among its fields.
#[test]
fn lines_of_json_have_the_ids_as_fields() {
    let (text, trace) = written(|lines| {
        let json = tracing_subscriber::fmt::layer()
            .json()
            .with_writer(lines)
            .map_event_format(with_ids);
        registry().with(json).with(layer())
    });
    let lines = parsed(&text);
    assert_ids(&lines[0], &trace, "ours");
    assert_eq!(lines[0]["fields"]["total"], 7);
    assert_ids(&lines[1], &trace, "theirs");
    assert_eq!(lines[1]["span"]["name"], "theirs");
    assert_eq!(lines[2]["trace_id"], Value::Null);
    assert_eq!(lines[2]["fields"]["message"], "outside");
}

/// So has one that is flat, or has nothing else.
#[test]
fn flat_and_empty_lines_of_json_are_valid() {
    let lines = Lines::default();
    let json = format().json().flatten_event(true).without_time();
    let json = json
        .with_level(false)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false);
    let json = tracing_subscriber::fmt::layer()
        .json()
        .event_format(with_ids(json))
        .with_writer(lines.clone());
    let trace = record_by(registry().with(json).with(layer()), || {
        in_span!("ours", |_| {
            info!(total = 7);
            info!({});
        });
    });
    let lines = parsed(&lines.text());
    for line in &lines {
        assert_ids(line, &trace, "ours");
    }
    assert_eq!((&lines[0]["total"], lines.len()), (&Value::from(7), 2));
    assert_eq!(lines[1].as_object().map(serde_json::Map::len), Some(2));
}

/// A format of somebody's own, by what its lines begin with.
struct Own(&'static [&'static str]);

impl<S, N> FormatEvent<S, N> for Own
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        _: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| line.write_str(part))?;
        line.write_char('\n')
    }
}

/// It may be plain or JSON, and is written in parts.
#[test]
fn formats_of_ones_own_have_the_ids() {
    let first_line = |parts| {
        let (text, trace) = written(|lines| {
            let own = tracing_subscriber::fmt::layer()
                .event_format(with_ids(Own(parts)))
                .with_writer(lines);
            registry().with(own).with(layer())
        });
        (text.lines().next().unwrap_or_default().to_owned(), trace)
    };
    for parts in [
        &["{", "\"a\"", ":1}"][..],
        &["", "{ ", " \"a\":1", "}"],
        &["{\"a\":1}"],
    ] {
        let (line, trace) = first_line(parts);
        let line = &parsed(&line)[0];
        assert_ids(line, &trace, "ours");
        assert_eq!(line["a"], 1);
    }
    for parts in [&["{}"][..], &["{", "", " ", "}"]] {
        let (line, trace) = first_line(parts);
        assert_ids(&parsed(&line)[0], &trace, "ours");
    }
    let (line, trace) = first_line(&["", "plain", " line"]);
    assert_eq!(line, format!("{}plain line", prefix(&trace, "ours")));
}

/// `env_logger`, or any other logger, in one line.
#[test]
fn lines_of_env_logger_begin_with_the_ids() {
    let lines = Lines::default();
    let logger = env_logger::Builder::new()
        .filter_level(log::LevelFilter::Info)
        .format(|line, record| writeln!(line, "{}{}", enter_span_tracing::ids(), record.args()))
        .target(env_logger::Target::Pipe(Box::new(lines.clone())))
        .build();
    let write = |text: &str| {
        use log::Log as _;
        let arguments = format_args!("{text}");
        let mut record = log::Record::builder();
        logger.log(&record.level(log::Level::Info).args(arguments).build());
    };
    let trace = record(|| {
        info_span!("theirs").in_scope(|| write("inside"));
        write("outside");
    });
    let expected = format!("{}inside\noutside\n", prefix(&trace, "theirs"));
    assert_eq!(lines.text(), expected);
}
