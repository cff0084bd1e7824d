//! A forked child of a traced process. The only file here with `unsafe`, for the fork itself.
#![expect(unsafe_code, reason = "there is no fork without it")]

use std::io::{self, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use enter_span::{enter_span, is_traced, open_spans};
use enter_span_pipeline::{Error, Limits, Pipeline};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SpanData;

use crate::pipeline::{AGES, Exporter, assert_all_accounted, build, collecting, gated, tracer};
use crate::support::child::is_child;

/// What the child does, told by its exit code.
fn in_a_fork(work: impl FnOnce()) {
    // SAFETY: the child calls what the test is about, and leaves without unwinding or destructors.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { child } => {
            let status = waitpid(child, None).expect("the child's end");
            assert_eq!(status, WaitStatus::Exited(child, 0));
        }
        ForkResult::Child => {
            let done = catch_unwind(AssertUnwindSafe(work));
            // SAFETY: it ends the process.
            unsafe { nix::libc::_exit(i32::from(done.is_err())) }
        }
    }
}

/// The child does not wait for threads that it does not have, exports nothing, stays within its
/// bounds, and counts; the parent goes on, and each of its spans is exported once.
#[test]
fn a_forked_child_is_off() {
    if !is_child("pipeline::forked::a_forked_child_is_off") {
        return;
    }
    let (pipeline, exported) = collecting();
    let tracer = tracer(&pipeline);
    tracer.enter_span("before", |_| {});
    let open = tracer.start_span("open");
    in_a_fork(|| {
        drop(open);
        for _ in 0..100_000 {
            tracer.enter_span("child", |_| {});
        }
        tracer.enter_span("off", |span| assert!(!span.is_traced()));
        assert!(matches!(pipeline.flush(AGES), Err(Error::Forked)));
        let flushed = futures::executor::block_on(pipeline.flush_async(AGES));
        assert!(matches!(flushed, Err(Error::Forked)));
        let counts = pipeline.counts();
        assert_eq!(counts.exported, 0);
        assert!(counts.dropped.forked > 0, "{counts:?}");
        assert_all_accounted(counts);
        assert!(matches!(pipeline.shutdown(AGES), Err(Error::Forked)));
        // One of its own works.
        let (own, exported) = collecting();
        crate::pipeline::tracer(&own).enter_span("own", |_| {});
        own.shutdown(AGES).expect("down in time");
        assert_eq!(*exported.lock().expect("the list"), ["own"]);
    });
    tracer.enter_span("after", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    let mut names = exported.lock().expect("the list").clone();
    names.sort();
    assert_eq!(names, ["after", "before", "open"]);
    assert_all_accounted(pipeline.counts());
}

/// What was told last in the parent is behind a lock that may have no owner in the child.
#[test]
fn a_forked_child_knows_no_last_error() {
    if !is_child("pipeline::forked::a_forked_child_knows_no_last_error") {
        return;
    }
    let fails = Exporter(|_: Vec<SpanData>| Err(OTelSdkError::AlreadyShutdown));
    let builder = Pipeline::builder().with_warnings(|_| {});
    let pipeline = build(builder.with_exporter(fails));
    tracer(&pipeline).enter_span("work", |_| {});
    pipeline.flush(AGES).expect("flushed in time");
    assert!(pipeline.last_export_error().is_some());
    in_a_fork(|| assert_eq!(pipeline.last_export_error(), None));
}

/// It is told that this is why nothing arrives.
#[test]
fn a_forked_child_is_diagnosed() {
    if !is_child("pipeline::forked::a_forked_child_is_diagnosed") {
        return;
    }
    let builder = Pipeline::builder().with_environment(|_| None);
    let takes = Exporter(|_: Vec<SpanData>| Ok(()));
    let _pipeline = builder
        .with_exporter(takes)
        .install()
        .expect("the only one");
    in_a_fork(|| {
        drop(opentelemetry::global::tracer("it").start("child"));
        let diagnosis = enter_span::diagnose().to_string();
        assert!(diagnosis.contains("this is a forked child"), "{diagnosis}");
        assert!(
            diagnosis.contains("1: they were in a forked child"),
            "{diagnosis}"
        );
    });
}

/// Also where the test fails: a scope waits for its threads.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[enter_span]
fn is_plain_traced() -> bool {
    is_traced()
}

/// So is one that was installed: as soon as the child has learned it, it makes no spans.
#[test]
fn an_installed_pipeline_is_off_in_a_forked_child() {
    if !is_child("pipeline::forked::an_installed_pipeline_is_off_in_a_forked_child") {
        return;
    }
    let takes = Exporter(|_: Vec<SpanData>| Ok(()));
    let pipeline = Pipeline::builder().with_exporter(takes).install();
    let pipeline = pipeline.expect("the first");
    assert!(is_plain_traced());
    in_a_fork(|| {
        assert!(matches!(pipeline.flush(AGES), Err(Error::Forked)));
        assert!(!is_plain_traced());
        drop(pipeline);
        let (own, exported) = collecting();
        crate::pipeline::tracer(&own).enter_span("own", |_| {});
        own.shutdown(AGES).expect("down in time");
        assert_eq!(*exported.lock().expect("the list"), ["own"]);
    });
}

/// Each child has ids of its own, also where its parent had used its generator.
#[test]
fn forked_children_make_ids_of_their_own() {
    if !is_child("pipeline::forked::forked_children_make_ids_of_their_own") {
        return;
    }
    let id = || {
        let (pipeline, _) = collecting();
        tracer(&pipeline).enter_span("own", |span| span.span_id())
    };
    let (mut reader, mut writer) = io::pipe().expect("a pipe");
    id();
    for _ in 0..2 {
        in_a_fork(|| {
            let id = id().expect("a span").to_bytes();
            writer.write_all(&id).expect("written");
        });
    }
    let mut ids = [[0; 8]; 2];
    for id in &mut ids {
        reader.read_exact(id).expect("an id");
    }
    let own = id().expect("a span").to_bytes();
    assert!(ids[0] != ids[1] && !ids.contains(&own));
}

/// Whatever the worker and other threads hold at the moment of the fork, and also in the runtime's list
/// of open spans.
#[test]
fn a_child_that_is_forked_under_load_does_not_hang() {
    if !is_child("pipeline::forked::a_child_that_is_forked_under_load_does_not_hang") {
        return;
    }
    let limits = Limits::default()
        .with_queue_spans(1_000)
        .with_interval(Duration::from_millis(1));
    let takes = Exporter(|_: Vec<SpanData>| Ok(()));
    let (blocks, _has_started, open) = gated();
    let builder = Pipeline::builder()
        .with_limits(limits)
        .with_exporter(blocks);
    let pipeline = build(builder.with_warnings(|_| {}).with_exporter(takes));
    let theirs = pipeline.provider().tracer("it");
    let tracer = tracer(&pipeline);
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        let _over = SetOnDrop(&is_over);
        threads.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                drop(theirs.start("load"));
                tracer.enter_span("load", |_| {});
            }
        });
        for _ in 0..50 {
            in_a_fork(|| {
                for _ in 0..2_000 {
                    drop(theirs.start("child"));
                    tracer.enter_span("child", |_| {});
                }
                assert_all_accounted(pipeline.counts());
                assert!(open_spans().iter().all(|span| span.name() != "child"));
                assert!(matches!(pipeline.shutdown(AGES), Err(Error::Forked)));
            });
        }
    });
    drop(open);
    pipeline.flush(AGES).expect("flushed in time");
    assert_all_accounted(pipeline.counts());
}
