//! A spool: nothing is lost in an outage of any length, nor at a shutdown, and everything arrives once.

mod fault;
mod folder;
mod limit;
mod process;
mod send;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use enter_span::Tracer;
use enter_span_pipeline::{Counts, Limits, Pipeline, PipelineBuilder, Spool};

use super::outage::numbers;
use super::to;
use crate::pipeline::AGES;
use crate::pipeline::otlp::build;
use crate::support::scripted::{Request, Scripted};

/// Refuses connections.
const NOBODY: &str = "http://127.0.0.1:9";

/// A folder that is not there yet, and goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("enter-span-spool-{}-{test}", std::process::id());
        Folder(std::env::temp_dir().join(name).join("spool"))
    }

    /// The names in it, in order. None if it is not there.
    fn names(&self) -> Vec<String> {
        names(&self.0)
    }

    fn spool(&self) -> Spool {
        Spool::in_folder(&self.0)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

impl Drop for Folder {
    fn drop(&mut self) {
        let parent = self.0.parent().unwrap_or(Path::new("."));
        drop(fs::remove_dir_all(parent));
    }
}

/// Batches of ten, as soon as they are there.
fn limits() -> Limits {
    Limits::default()
        .with_batch_spans(10)
        .with_interval(Duration::ZERO)
}

fn exporting(url: &str, spool: Spool) -> PipelineBuilder {
    to(url, &[]).with_limits(limits()).with_spool(spool)
}

/// Records spans that are named by these numbers. The exporter has each of them before the next one.
fn record(pipeline: &Pipeline, range: std::ops::Range<u64>) {
    let tracer = Tracer::new(pipeline.provider(), "it");
    for number in range {
        let before = pipeline.counts().recorded;
        tracer.enter_span(number.to_string(), |_| {});
        wait_until(pipeline, |_| {
            let counts = pipeline.exporter_counts()[0];
            let known = counts.exported + counts.queued + counts.spooled + counts.spool_full;
            known + counts.spool_failed + counts.evicted > before
        });
    }
}

/// Waits until this holds.
#[track_caller]
fn wait_until(pipeline: &Pipeline, holds: impl Fn(&Counts) -> bool) {
    let end = Instant::now() + AGES;
    while !holds(&pipeline.counts()) {
        let counts = pipeline.exporter_counts();
        let error = pipeline.last_export_error();
        assert!(Instant::now() < end, "{counts:?} {error:?}");
        thread::yield_now();
    }
}

/// Leaves spans with these numbers in the folder, as a run does whose receiver is away at its end.
fn leave(spool: Spool, range: std::ops::Range<u64>) -> Counts {
    let pipeline = build(exporting(NOBODY, spool));
    record(&pipeline, range);
    pipeline.shutdown(AGES).expect("down in time");
    pipeline.counts()
}

fn sorted(requests: &[Request]) -> Vec<u64> {
    let mut numbers = numbers(requests);
    numbers.sort_unstable();
    numbers
}

/// What a receiver gets of a folder that had so many spans.
#[track_caller]
fn drain(receiver: &Scripted, spool: Spool, spans: u64) -> Vec<u64> {
    let pipeline = build(exporting(receiver.url(), spool));
    wait_until(&pipeline, |counts| counts.spool.sent == spans);
    pipeline.shutdown(AGES).expect("down in time");
    sorted(&receiver.requests())
}

#[track_caller]
fn assert_books(counts: &Counts) {
    let done = counts.exported + counts.dropped.total() + counts.spooled;
    assert_eq!((counts.recorded, 0), (done, counts.queued), "{counts:?}");
}
