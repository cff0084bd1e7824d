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

use enter_span::enter_span;
use enter_span_pipeline::{Limits, Pipeline};
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
    /// Bytes of the attribute's value.
    value: usize,
    queue_spans: Option<usize>,
}

const CASES: [Case; 3] = [
    Case {
        name: "small spans",
        value: 8,
        queue_spans: None,
    },
    Case {
        name: "small spans, 10 M of them allowed",
        value: 8,
        queue_spans: Some(10_000_000),
    },
    Case {
        name: "values of 1 MiB",
        value: MIB,
        queue_spans: None,
    },
];

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
        "| exporter hangs, {seconds} s | budget, MiB | peak above baseline, MiB | M spans/s offered | \
         recorded | queued | dropped |"
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
    let default = Limits::default();
    let limits = Limits {
        queue_spans: case.queue_spans.unwrap_or(default.queue_spans),
        ..default
    };
    let text = "x".repeat(case.value);
    let baseline = resident("VmRSS:")?;
    let pipeline = Pipeline::builder().with_exporter(Hangs);
    let pipeline = pipeline.with_limits(limits).install()?;
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| offer(&text, time));
        }
    });
    let rate = pipeline.counts().recorded as f64 / start.elapsed().as_secs_f64();
    let peak = resident("VmHWM:")?.saturating_sub(baseline);
    let counts = pipeline.counts();
    Ok(format!(
        "| {} | {} | {:.1} | {:.2} | {} | {} | {} |",
        case.name,
        limits.queue_bytes / MIB,
        peak as f64 / MIB as f64,
        rate / 1e6,
        counts.recorded,
        counts.queued,
        counts.dropped.total(),
    ))
}

/// This thread's share of [`RATE`], or what it can.
fn offer(text: &str, time: Duration) {
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
