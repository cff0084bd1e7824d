//! How much memory a pipeline takes while its exporter hangs, beside what its limits allow.
//!
//! Each case has a process of its own, offers spans for some seconds, and reads its resident memory
//! from `/proc/self/status`: Linux only.
//!
//! Argument, optional: the seconds of each case.

use std::error::Error;
use std::fs;
use std::future::pending;
use std::io;
use std::process::{Command, exit};
use std::thread;
use std::time::{Duration, Instant};

use enter_span::attribute::OwnedKey;
use enter_span::{Span, Status, enter_span};
use enter_span_pipeline::{Limits, Pipeline};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// The first argument of a case's process.
const MARK: &str = "--case";

const MIB: usize = 1 << 20;

/// Spans a second, from all threads together.
const RATE: f64 = 1e6;

const THREADS: usize = 2;

/// Spans between two looks at the clock.
const BURST: usize = 500;

struct Case {
    name: &'static str,
    queue_spans: usize,
    /// One span; with a text of 1 MiB to borrow.
    span: fn(&str),
}

/// So many that bytes are what is used up.
const MANY: usize = 10_000_000;

const CASES: &[Case] = &[
    Case {
        name: "small spans, 16,384 of them allowed",
        queue_spans: 16_384,
        span: |text| span(&text[..8]),
    },
    Case {
        name: "small spans",
        queue_spans: MANY,
        span: |text| span(&text[..8]),
    },
    Case {
        name: "values of 1 MiB",
        queue_spans: MANY,
        span,
    },
    Case {
        name: "names of 4 bytes in 64 KiB",
        queue_spans: MANY,
        span: |_| enter_span(roomy(), |_| {}),
    },
    Case {
        name: "renames of 4 bytes in 64 KiB",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| _ = span.update_name(roomy())),
    },
    Case {
        name: "names of 60 bytes in 100",
        queue_spans: MANY,
        span: |text| {
            let mut name = String::with_capacity(100);
            name.push_str(&text[..60]);
            enter_span(name, |_| {});
        },
    },
    Case {
        name: "4 event names of 4 bytes in 64 KiB",
        queue_spans: MANY,
        span: |_| {
            enter_span("span", |span| {
                (0..4).for_each(|_| _ = span.add_event(roomy(), ()))
            })
        },
    },
    Case {
        name: "status texts of 4 bytes in 64 KiB",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| _ = span.set_status(Status::error(roomy()))),
    },
    Case {
        name: "status texts of 60 bytes",
        queue_spans: MANY,
        span: |text| {
            let text = text[..60].to_owned();
            enter_span("span", |span| _ = span.set_status(Status::error(text)));
        },
    },
    Case {
        name: "failures: a type, a text and an event",
        queue_spans: MANY,
        span: |_| _ = failing(),
    },
    Case {
        name: "100 small attributes",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| attributes(&span, 100)),
    },
    Case {
        name: "5 small attributes",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| attributes(&span, 5)),
    },
    Case {
        name: "100 events of one small attribute",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| events(&span, 100)),
    },
    Case {
        name: "1 event of one small attribute",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| events(&span, 1)),
    },
    Case {
        name: "lists of 20 small texts",
        queue_spans: MANY,
        span: |_| enter_span("span", |span| _ = span.set_attribute("list", vec!["v"; 20])),
    },
    Case {
        name: "5 links with a `tracestate` of 32 members",
        queue_spans: MANY,
        span: |_| {
            let linked = linked();
            enter_span("span", |span| {
                (0..5).for_each(|_| _ = span.add_link(linked.clone()))
            });
        },
    },
    Case {
        name: "a text of any length in each",
        queue_spans: MANY,
        span: |text| {
            thread_local!(static LENGTH: std::cell::Cell<usize> = const { std::cell::Cell::new(1) });
            let length = LENGTH.get() * 7 % 4099;
            LENGTH.set(length);
            span(&text[..length]);
        },
    },
];

/// A text of four bytes in the room of many.
fn roomy() -> String {
    let mut text = "x".repeat(1 << 16);
    text.truncate(4);
    text
}

fn attributes(span: &Span, count: usize) {
    for number in 0..count {
        span.set_attribute(OwnedKey::<str>::new(format!("key.{number}")), "value");
    }
}

fn events(span: &Span, count: usize) {
    (0..count).for_each(|_| _ = span.add_event("event", [("key", "value")]));
}

fn linked() -> SpanContext {
    let members = (0..32).map(|number| (format!("key{number}"), "value"));
    let state = TraceState::from_key_value(members).unwrap_or_default();
    let (trace, span) = (TraceId::from(1), SpanId::from(2));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, true, state)
}

#[enter_span]
fn failing() -> Result<(), String> {
    Err("the connection was reset by its peer".to_owned())
}

/// Takes a batch, and never comes back.
#[derive(Debug)]
struct Hangs;

impl SpanExporter for Hangs {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let _held = batch;
        pending().await
    }
}

#[enter_span(attributes(text))]
fn span(text: &str) {
    std::hint::black_box(text);
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [mark, place, seconds] if mark == MARK => {
            let case = CASES.get(place.parse::<usize>()?).ok_or("no such case")?;
            println!("{}", measure(case, Duration::from_secs(seconds.parse()?))?);
            // The exporter would hold up the shutdown.
            exit(0)
        }
        [] => run("5"),
        [seconds] => run(seconds),
        _ => Err("expected the seconds of each case".into()),
    }
}

fn run(seconds: &str) -> Result<(), Box<dyn Error>> {
    println!(
        "| exporter hangs, {seconds} s | budget, MiB | peak above baseline, MiB | of the budget | \
         M spans/s offered | queued | dropped |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for place in 0..CASES.len() {
        let mut command = Command::new(std::env::current_exe()?);
        let place = place.to_string();
        let status = command.args([MARK, &place, seconds]).env_clear().status()?;
        if !status.success() {
            return Err(format!("a case ended with {status}").into());
        }
    }
    Ok(())
}

fn measure(case: &Case, time: Duration) -> Result<String, Box<dyn Error>> {
    let limits = Limits::default().with_queue_spans(case.queue_spans);
    let text = "x".repeat(MIB);
    let baseline = resident("VmRSS:")?;
    let pipeline = Pipeline::builder().with_exporter(Hangs);
    let pipeline = pipeline.with_limits(limits).install()?;
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| offer(case.span, &text, time));
        }
    });
    let rate = pipeline.counts().recorded as f64 / start.elapsed().as_secs_f64();
    let peak = resident("VmHWM:")?.saturating_sub(baseline);
    let counts = pipeline.counts();
    Ok(format!(
        "| {} | {} | {:.1} | {:.2} | {:.2} | {} | {} |",
        case.name,
        limits.queue_bytes / MIB,
        peak as f64 / MIB as f64,
        peak as f64 / limits.queue_bytes as f64,
        rate / 1e6,
        counts.queued,
        counts.dropped.total(),
    ))
}

/// This thread's share of [`RATE`], or what it can.
fn offer(span: fn(&str), text: &str, time: Duration) {
    let start = Instant::now();
    let mut made = 0;
    while start.elapsed() < time {
        let due = start.elapsed().as_secs_f64() * RATE / THREADS as f64;
        match (made as f64) < due {
            true => (0..BURST).for_each(|_| span(text)),
            false => {
                thread::sleep(Duration::from_micros(100));
                continue;
            }
        }
        made += BURST;
    }
}

/// A line of `/proc/self/status`, in bytes.
fn resident(line: &str) -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|one| one.strip_prefix(line));
    let kibibytes = value.and_then(|value| value.split_whitespace().next()?.parse::<usize>().ok());
    let kibibytes = kibibytes.ok_or_else(|| io::Error::other(format!("no {line}")))?;
    Ok(kibibytes * 1024)
}
