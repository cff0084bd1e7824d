//! A pipeline that has nothing to do sleeps, and work wakes it: no clock does.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use enter_span::start_span;
use enter_span_pipeline::{Limits, Pipeline, PipelineBuilder};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SpanData;

use crate::pipeline::{AGES, Exporter, build, gated, tracer};
use crate::support::child::is_child;

/// The shortest delay that there is.
fn at_once() -> PipelineBuilder {
    Pipeline::builder().with_limits(Limits::default().with_interval(Duration::ZERO))
}

/// A pipeline that says how many spans it exports, whenever it does.
fn exporting() -> (Pipeline, mpsc::Receiver<usize>) {
    let (to_test, exported) = mpsc::channel();
    let tells = Exporter(move |batch: Vec<SpanData>| {
        to_test.send(batch.len()).ok();
        Ok(())
    });
    (build(at_once().with_exporter(tells)), exported)
}

#[cfg(target_os = "linux")]
mod switches {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The threads of this process with this name.
    pub(super) fn threads(name: &str) -> Vec<PathBuf> {
        let all = fs::read_dir("/proc/self/task").expect("the threads");
        let paths = all.map(|thread| thread.expect("a thread").path());
        paths
            .filter(|path| {
                fs::read_to_string(path.join("comm")).is_ok_and(|own| own.trim() == name)
            })
            .collect()
    }

    /// How often a thread has waited until now.
    pub(super) fn waits(thread: &Path) -> u64 {
        let status = fs::read_to_string(thread.join("status")).expect("its status");
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count
            .and_then(|count| count.trim().parse().ok())
            .expect("a count")
    }
}

/// While one pipeline exports a hundred times by its clock of a millisecond, another one with the same
/// clock, which has exported before, is left alone.
#[test]
#[cfg(target_os = "linux")]
fn nothing_wakes_a_pipeline_that_is_idle() {
    if !is_child("pipeline::idle::nothing_wakes_a_pipeline_that_is_idle") {
        return;
    }
    let (idle, exported) = exporting();
    tracer(&idle).enter_span("once", |_| {});
    assert_eq!(exported.recv_timeout(AGES), Ok(1));
    let workers = switches::threads("enter_span");
    let [worker] = &workers[..] else {
        panic!("one worker, and not {workers:?}");
    };
    let (busy, exported) = exporting();
    let round = || {
        tracer(&busy).enter_span("work", |_| {});
        assert_eq!(exported.recv_timeout(AGES), Ok(1));
    };
    // The first one has its last look meanwhile.
    (0..100).for_each(|_| round());
    let before = switches::waits(worker);
    (0..100).for_each(|_| round());
    assert_eq!(switches::waits(worker) - before, 0);
    // It still serves.
    tracer(&idle).enter_span("again", |_| {});
    idle.flush(AGES).expect("flushed in time");
    assert_eq!(idle.counts().exported, 2);
}

/// Each time it is asleep, or about to be.
#[test]
fn a_span_wakes_a_pipeline_that_sleeps() {
    let (pipeline, exported) = exporting();
    for _ in 0..200 {
        tracer(&pipeline).enter_span("work", |_| {});
        assert_eq!(exported.recv_timeout(AGES), Ok(1));
    }
}

/// A thread that comes has a buffer of its own, which nobody has looked into yet; the last span of one that
/// goes ends while its locals are torn down.
#[test]
fn a_span_of_a_new_thread_wakes_it() {
    let (pipeline, exported) = exporting();
    for _ in 0..50 {
        thread::scope(|threads| {
            threads.spawn(|| tracer(&pipeline).enter_span("work", |_| {}));
        });
        assert_eq!(exported.recv_timeout(AGES), Ok(1));
    }
}

/// Several threads wake it at the same time: all of their spans leave, without a flush.
#[test]
fn all_that_threads_record_leaves_by_itself() {
    let (pipeline, exported) = exporting();
    for _ in 0..20 {
        thread::scope(|threads| {
            for _ in 0..4 {
                threads
                    .spawn(|| (0..25).for_each(|_| tracer(&pipeline).enter_span("work", |_| {})));
            }
        });
        let mut left = 100;
        while left > 0 {
            left -= exported.recv_timeout(AGES).expect("an export");
        }
    }
}

/// A pipeline whose warnings come here.
fn warning(builder: PipelineBuilder) -> (Pipeline, mpsc::Receiver<String>) {
    let (to_test, warnings) = mpsc::channel();
    let warn = move |warning: &str| _ = to_test.send(warning.to_owned());
    (build(builder.with_warnings(warn)), warnings)
}

/// An exporter that fails is told of, also where no span follows.
#[test]
fn a_drop_is_told_while_nothing_follows() {
    let fails = Exporter(|_: Vec<SpanData>| Err(OTelSdkError::InternalFailure("refused".into())));
    let (pipeline, warnings) = warning(at_once().with_exporter(fails));
    tracer(&pipeline).enter_span("work", |_| {});
    let warning = warnings.recv_timeout(AGES).expect("a warning");
    assert!(
        warning.contains("1 because an exporter failed"),
        "{warning}"
    );
}

/// An exporter that blocks its thread is given up at its deadline, though nobody calls.
#[test]
fn a_deadline_is_kept_while_nothing_follows() {
    let (blocks, _has_started, open) = gated();
    let limits = Limits::default()
        .with_interval(Duration::ZERO)
        .with_export_timeout(Duration::from_millis(1));
    let builder = Pipeline::builder().with_limits(limits);
    let (pipeline, warnings) = warning(builder.with_exporter(blocks));
    tracer(&pipeline).enter_span("work", |_| {});
    let warning = warnings.recv_timeout(AGES).expect("a warning");
    assert!(warning.contains("did not answer in time"), "{warning}");
    assert_eq!(pipeline.counts().dropped.export_timed_out, 1);
    drop(open);
}

/// What is refused by a queue that is full is told, while the exporter hangs and nothing is taken.
#[test]
fn a_full_queue_is_told_while_nothing_leaves() {
    let (blocks, has_started, open) = gated();
    let limits = Limits::default()
        .with_interval(Duration::ZERO)
        .with_queue_spans(1);
    let builder = Pipeline::builder().with_limits(limits);
    let (pipeline, warnings) = warning(builder.with_exporter(blocks));
    tracer(&pipeline).enter_span("taken", |_| {});
    has_started.recv().expect("an export");
    tracer(&pipeline).enter_span("refused", |_| {});
    let warning = warnings.recv_timeout(AGES).expect("a warning");
    assert!(
        warning.contains("1 because the queue was full"),
        "{warning}"
    );
    drop(open);
}

/// A span that is open while the pipeline falls asleep calls it at its end.
#[test]
fn a_long_span_leaves_when_it_ends() {
    let (pipeline, exported) = exporting();
    let tracer = tracer(&pipeline);
    tracer.enter_span("outer", |_| {
        let long = start_span("long");
        tracer.enter_span("short", |_| {});
        assert_eq!(exported.recv_timeout(AGES), Ok(1));
        long.end();
        assert_eq!(exported.recv_timeout(AGES), Ok(1));
    });
    assert_eq!(exported.recv_timeout(AGES), Ok(1));
}
