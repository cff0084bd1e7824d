//! The bounds: nothing is undecided for ever, and nobody waits for what is.

use std::sync::mpsc;
use std::time::Duration;

use enter_span::{Status, enter_span, start_span};
use enter_span_pipeline::{Keep, Limits, Pipeline};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};

use super::{names, reasons, rig, rig_with};
use crate::pipeline::{AGES, Exporter, build, gated, tracer};

/// A flush decides nothing that is open, and all that had ended before.
#[test]
fn a_flush_decides_nothing_early() {
    let rig = rig(Keep::all());
    let root = start_span!("open", tracer = rig.tracer, root);
    root.enter(|| enter_span("child", |_| {}));
    rig.tracer.enter_span("ended", |_| {});
    assert_eq!(rig.names(), ["ended"]);
    let counts = rig.pipeline.counts();
    assert_eq!((counts.undecided, counts.queued), (1, 0));
    drop(root);
    assert_eq!(rig.names(), ["open", "child"]);
    assert_eq!(rig.pipeline.counts().undecided, 0);
    assert_eq!(rig.pipeline.counts().keep.decided_early, 0);
}

/// A shutdown exports what is undecided, counts it, and warns once; what had ended is decided by the rules.
#[test]
fn a_shutdown_keeps_what_is_undecided() {
    let rig = rig(Keep::errors());
    let roots = [(); 2].map(|()| start_span!("open", tracer = rig.tracer, root));
    for root in &roots {
        root.enter(|| enter_span("child", |_| {}));
    }
    rig.tracer.enter_span("ended", |_| {});
    rig.pipeline.shutdown(AGES).expect("in time");
    assert_eq!(names(&rig.taken()), ["child", "child"]);
    let counts = rig.pipeline.counts();
    assert_eq!((counts.undecided, counts.not_kept), (0, 1));
    assert_eq!(counts.keep.undecided_at_shutdown, 2);
    let warnings = rig.warnings.take();
    assert_eq!(
        warnings,
        [
            "traces that were undecided at the shutdown, and are exported: 2; their local roots had not ended"
        ]
    );
    super::assert_balanced(rig.pipeline.counts());
}

/// A root that finds no room in the queue is over all the same: what ended below it is decided by what is known, and
/// waits for nothing.
#[test]
fn what_is_below_a_root_that_found_no_room_is_decided() {
    for is_failed in [false, true] {
        let (blocks, _has_started, open) = gated();
        let builder = Pipeline::builder()
            .with_exporter(blocks)
            .with_limits(Limits::default().with_queue_spans(16))
            .with_keep(Keep::errors().or_slower_than(AGES));
        let pipeline = build(builder);
        let tracer = tracer(&pipeline);
        let root = start_span!("root", tracer = tracer, root);
        root.enter(|| enter_span("child", |_| {}));
        if is_failed {
            root.set_status(Status::error(""));
        }
        // They go at once, and their room is taken until they are exported.
        let mut kept = 0;
        while pipeline.counts().dropped.queue_full == 0 {
            tracer.enter_span("failed", |span| _ = span.set_status(Status::error("")));
            kept += 1;
        }
        drop(root);
        assert_eq!(pipeline.counts().dropped.queue_full, 2);
        drop(open);
        pipeline.flush(AGES).expect("flushed in time");
        let counts = pipeline.counts();
        assert_eq!((counts.undecided, counts.keep.decided_early), (0, 0));
        let child = u64::from(is_failed);
        assert_eq!(
            (counts.exported, counts.not_kept),
            (kept - 1 + child, 1 - child)
        );
        super::assert_balanced(counts);
    }
}

/// The worker decides what is too old, though nothing calls it.
#[test]
fn a_root_that_never_ends_holds_nothing() {
    let (sends, exported) = mpsc::channel();
    let exporter = Exporter(move |batch: Vec<SpanData>| {
        sends.send(names(&batch)).ok();
        Ok(())
    });
    let keep = Keep::slower_than(Duration::from_millis(1)).with_max_age(Duration::from_millis(30));
    let limits = Limits::default().with_interval(Duration::from_millis(1));
    let builder = Pipeline::builder()
        .with_exporter(exporter)
        .with_limits(limits);
    let pipeline = build(builder.with_keep(keep));
    let tracer = tracer(&pipeline);
    let root = start_span!("root", tracer = tracer, root);
    root.enter(|| enter_span("child", |_| {}));
    // Kept, since the root has taken longer already.
    assert_eq!(exported.recv_timeout(AGES), Ok(vec!["child".to_owned()]));
    let counts = pipeline.counts();
    assert_eq!((counts.keep.decided_early, counts.undecided), (1, 0));
    root.enter(|| enter_span("later", |_| {}));
    assert_eq!(exported.recv_timeout(AGES), Ok(vec!["later".to_owned()]));
    drop(root);
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(exported.try_recv(), Ok(vec!["root".to_owned()]));
}

/// A rule that blocks holds up the pipeline's thread alone: a shutdown is over when its time is.
#[test]
fn a_shutdown_does_not_wait_for_a_rule() {
    let (open, gate) = mpsc::channel::<()>();
    let (sends, has_begun) = mpsc::channel();
    let keep = Keep::by(move |_| {
        sends.send(()).ok();
        gate.recv().is_ok()
    });
    let (told, warnings) = mpsc::channel();
    let builder = Pipeline::builder().with_exporter(InMemorySpanExporter::default());
    let builder = builder.with_keep(keep).with_warnings(move |warning| {
        told.send(warning.to_owned()).ok();
    });
    let pipeline = builder.build().expect("a thread");
    pipeline.tracer("it").enter_span("root", |_| {});
    let soon = Duration::from_millis(20);
    assert!(pipeline.flush(soon).is_err());
    has_begun.recv_timeout(AGES).expect("it blocks");
    assert!(pipeline.shutdown(soon).is_err());
    let counts = pipeline.counts();
    assert_eq!((counts.recorded, counts.queued + counts.undecided), (1, 1));
    let expected = "the time of the shutdown was over while a rule of the policy ran; spans that wait for it: 1";
    assert_eq!(warnings.recv_timeout(AGES).as_deref(), Ok(expected));
    drop(open);
}

/// One that is too large is decided by what is known of it, and the rest follows, also an error.
#[test]
fn a_large_trace_is_decided_early() {
    let rig = rig(Keep::with("debug")
        .or_by(|trace| trace.root().is_some())
        .with_max_spans(3));
    let root = start_span!("root", tracer = rig.tracer, root);
    root.enter(|| (0..3).for_each(|_| enter_span("child", |_| {})));
    assert_eq!(rig.names(), [""; 0]);
    root.set_status(Status::error("too late"));
    root.set_attribute("debug", true);
    drop(root);
    assert_eq!(rig.names(), [""; 0]);
    let counts = rig.pipeline.counts();
    assert_eq!((counts.not_kept, counts.keep.not_kept), (4, 1));
    assert_eq!(counts.keep.decided_early, 1);
}

/// The oldest of what is undecided makes room when it takes half of the queue, so that newer spans fit.
#[test]
fn undecided_spans_take_half_of_the_queue_at_most() {
    let rig = rig_with(Keep::with("debug"), Limits::default().with_queue_spans(64));
    let roots: Vec<_> = (0..40)
        .map(|number| {
            let root = start_span!("root", tracer = rig.tracer, root);
            root.enter(|| enter_span("child", |_| {}));
            if number % 8 == 7 {
                rig.flush();
            }
            root
        })
        .collect();
    let counts = rig.pipeline.counts();
    assert_eq!((counts.undecided, counts.not_kept), (32, 8));
    assert_eq!(counts.keep.decided_early, 8);
    assert_eq!(counts.dropped.total(), 0);
    // The oldest ones were decided, whatever comes now.
    for root in roots {
        root.set_attribute("debug", true);
        drop(root);
        rig.flush();
    }
    assert_eq!(rig.pipeline.counts().keep.kept, 32);
}

/// The same by bytes, in which the trace itself counts.
#[test]
fn undecided_spans_take_half_of_the_bytes_at_most() {
    let limits = Limits::default().with_queue_bytes(256 << 10);
    let rig = rig_with(Keep::with("debug"), limits);
    let root = |size: usize| {
        let root = start_span!("root", tracer = rig.tracer, root);
        let text = "x".repeat(size);
        root.enter(|| enter_span("child", |span| _ = span.set_attribute("text", text)));
        rig.flush();
        root
    };
    let large: Vec<_> = (0..4).map(|_| root(30 << 10)).collect();
    assert_eq!(rig.pipeline.counts().keep.decided_early, 1);
    let counts = rig.pipeline.counts();
    assert_eq!((counts.undecided, counts.not_kept), (3, 1));
    drop(large);
}

/// 100,000 open traces fit a queue that is set to hold them, and all of them come out.
#[test]
fn many_open_traces_fit_their_budget() {
    const TRACES: usize = 100_000;
    // Half of it is for what is undecided: 800 bytes for each trace of one small span.
    let limits = Limits::default()
        .with_queue_spans(2 * TRACES + 20_000)
        .with_queue_bytes(2 * 800 * TRACES);
    let rig = rig_with(Keep::with("debug"), limits);
    let roots: Vec<_> = (0..TRACES)
        .map(|_| {
            let root = start_span!("root", tracer = rig.tracer, root);
            root.enter(|| enter_span("child", |_| {}));
            root
        })
        .collect();
    rig.flush();
    let counts = rig.pipeline.counts();
    assert_eq!(counts.undecided, TRACES as u64);
    assert_eq!((counts.dropped.total(), counts.keep.decided_early), (0, 0));
    for root in &roots {
        root.set_attribute("debug", true);
    }
    drop(roots);
    rig.flush();
    let counts = rig.pipeline.counts();
    assert_eq!(counts.exported, 2 * TRACES as u64, "{counts:?}");
}

/// A decision is remembered for what ends late, and so many of them; older ones are forgotten, not kept for ever.
#[test]
fn the_last_decisions_are_remembered() {
    let rig = rig(Keep::with("debug"));
    let with_late = || {
        let root = start_span!("root", tracer = rig.tracer, root);
        root.set_attribute("debug", true);
        root.enter(|| start_span!("late"))
    };
    let forgotten = with_late();
    rig.flush();
    let remembered = with_late();
    for batch in 0..4 {
        // Together with the remembered one, as many as are remembered.
        let others = if batch < 3 { 4_095 } else { 4_098 };
        (0..others).for_each(|_| rig.tracer.enter_span("other", |_| {}));
        rig.flush();
    }
    drop((forgotten, remembered));
    assert_eq!(rig.names(), ["late"]);
    assert_eq!(rig.pipeline.counts().undecided, 1);
}

/// What follows an early decision says why its root was kept.
#[test]
fn a_late_root_says_why_its_trace_was_kept() {
    let rig = rig(Keep::fraction(1.0).with_max_spans(1));
    let root = start_span!("root", tracer = rig.tracer, root);
    root.enter(|| enter_span("child", |_| {}));
    assert_eq!(rig.names(), ["child"]);
    drop(root);
    assert_eq!(
        reasons(&rig.flush()),
        [("root".into(), Some("fraction".into()))]
    );
}
