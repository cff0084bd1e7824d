//! What is open now, and roots that stay open.

use std::collections::HashSet;
use std::sync::mpsc;
use std::time::Duration;

use enter_span::testing::Recorder;
use enter_span::{
    OpenSpan, OwnedSpan, TraceId, enter_span, in_span, open_spans, start_span, watch_roots,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use crate::support::allocations;
use crate::support::child::is_child;

/// The open spans of one trace: other tests have theirs.
fn open_in(trace_id: Option<TraceId>) -> Vec<OpenSpan> {
    let mine = |span: &OpenSpan| Some(span.span_context().trace_id()) == trace_id;
    open_spans().into_iter().filter(mine).collect()
}

#[enter_span]
fn placed() -> (Vec<OpenSpan>, u32) {
    (open_in(enter_span::trace_id()), line!() - 1)
}

/// A span is listed from its start to its end, with its place, in the order of the starts.
#[test]
fn what_has_started_is_open_until_it_ends() {
    let trace = Recorder::new().run(|| {
        let (open, line) = in_span!("above", |span| {
            span.update_name("above, renamed");
            placed()
        });
        let [above, placed] = &open[..] else {
            panic!("{open:?}");
        };
        assert_eq!(above.name(), "above, renamed");
        assert_eq!(above.function(), Some("it::span::open"));
        assert!(above.is_root() && above.parent_id().is_none());
        assert_eq!(placed.function(), Some("it::span::open::placed"));
        assert_eq!(placed.file_and_line(), Some(("it/span/open.rs", line)));
        assert!(!placed.is_root());
        assert_eq!(placed.parent_id(), Some(above.span_context().span_id()));
        assert!(placed.age() <= above.age());
        assert!(open_in(Some(above.span_context().trace_id())).is_empty());
    });
    trace.assert_tree("above, renamed\n  placed");
}

/// A task that hangs, or a span that was leaked, shows here and nowhere else.
#[test]
fn what_never_ends_is_open() {
    use futures::FutureExt as _;
    let recorder = Recorder::new();
    let mut hangs = Box::pin(in_span!("hangs", async |_| std::future::pending::<()>().await));
    recorder.enter(|| {
        assert!(hangs.as_mut().now_or_never().is_none());
        std::mem::forget(start_span("leaked"));
    });
    let open = |name| {
        let id = recorder.trace().find(name).span_context().trace_id();
        open_in(Some(id)).len()
    };
    assert_eq!((open("hangs"), open("leaked")), (1, 1));
    drop(hangs);
    assert_eq!((open("hangs"), open("leaked")), (0, 1));
}

/// Shown, the spans are a tree, with the trace at its top; a name cannot break a line.
#[test]
fn open_spans_are_shown_as_a_tree() {
    Recorder::new().run(|| {
        let root = start_span!("root", root);
        let child = root.enter(|| start_span!("child\n\u{1b}[31m"));
        let grandchild = child.enter(|| start_span("grandchild"));
        let trace_id = root.trace_id().expect("a trace");
        let shown = open_spans().to_string();
        let mut lines = shown
            .lines()
            .skip_while(|line| !line.ends_with(&trace_id.to_string()));
        let mut line = || lines.next().expect("a line");
        let place = |line: &str, indent: &str, name: &str| {
            line.starts_with(&format!("{indent}{name} "))
                && line.contains("s it::span::open (it/span/open.rs:")
        };
        assert!(place(line(), "", "root"), "{shown}");
        assert!(place(line(), "  ", "child\\n\\u{1b}[31m"), "{shown}");
        assert!(line().starts_with("    grandchild "), "{shown}");
        drop(root);
        // Its parent has ended: it stands at the top.
        let shown = open_spans().to_string();
        assert!(
            shown.lines().any(|line| line.starts_with("child\\n")),
            "{shown}"
        );
        drop((child, grandchild));
    });
}

/// Below a span that others made, ours is the first of ours: a root to watch.
#[test]
fn the_first_of_ours_below_a_foreign_span_is_a_root() {
    use opentelemetry::Context;
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    let recorder = Recorder::new();
    let theirs = recorder.tracer_provider().tracer("theirs").start("theirs");
    recorder.enter(|| {
        let _attached = Context::current_with_span(theirs).attach();
        enter_span("ours", |_| {
            enter_span("below", |_| {
                let open = open_in(enter_span::trace_id());
                let roots: Vec<_> = open
                    .iter()
                    .map(|span| (span.name(), span.is_root()))
                    .collect();
                assert_eq!(roots, [("ours", true), ("below", false)]);
                assert!(open[0].parent_id().is_some());
            });
        });
    });
}

/// However deep the spans are, they can be shown.
#[test]
fn deep_spans_can_be_shown() {
    Recorder::new().run(|| {
        let mut spans = vec![start_span("deep")];
        for _ in 0..40_000 {
            let above = &spans[spans.len() - 1];
            spans.push(start_span!("deep", parent = above));
        }
        let shown = open_spans().to_string();
        assert!(shown.lines().filter(|line| line.contains("deep ")).count() > 40_000);
    });
}

/// What is not recorded is not listed.
#[test]
fn what_is_not_sampled_is_not_listed() {
    let mut open = Vec::new();
    Recorder::new().with_sampler(|_| false).run(|| {
        enter_span("root", |_| open = open_in(enter_span::trace_id()));
    });
    assert!(open.is_empty());
}

/// A root that stays open longer than the limit is reported once, and a child never.
#[test]
fn a_root_that_stays_open_is_reported_once() {
    let (report, reports) = mpsc::channel();
    let report = move |root: &OpenSpan| {
        let _ = report.send((root.span_context().span_id(), root.name().to_owned()));
        assert_ne!(root.name(), "panics", "a report that panics is lost alone");
    };
    let watch = watch_roots(Duration::from_millis(1), report).expect("a thread");
    Recorder::new().run(|| {
        let first = start_span!("panics", root);
        let _child = first.enter(|| start_span("child"));
        // Those of other tests are reported as well.
        let mut seen = Vec::new();
        let mut until = |id| {
            while !seen.iter().any(|(seen, _)| Some(*seen) == id) {
                seen.push(reports.recv().expect("a report"));
            }
        };
        until(first.span_id());
        let second = start_span!("second", root);
        until(second.span_id());
        drop(watch);
        seen.extend(reports.iter());
        for (root, name) in [(&first, "panics"), (&second, "second")] {
            let of_it = seen.iter().filter(|(id, _)| Some(*id) == root.span_id());
            assert_eq!(of_it.map(|(_, name)| name).collect::<Vec<_>>(), [name]);
        }
        assert!(seen.iter().all(|(_, name)| name != "child"));
    });
}

/// A span that starts on one thread and ends on another leaves the list, wherever it ends, also where its thread
/// is gone.
#[test]
fn a_span_that_ends_on_another_thread_is_open_until_then() {
    use std::thread;
    for _ in 0..50 {
        let recorder = Recorder::new();
        let start = || recorder.enter(|| (0..100).map(|_| start_span("moved")).collect());
        let spans: Vec<OwnedSpan> =
            thread::scope(|threads| threads.spawn(start).join().expect("spans"));
        let trace_ids: HashSet<_> = spans.iter().map(|span| span.trace_id()).collect();
        let is_mine = |span: &OpenSpan| trace_ids.contains(&Some(span.span_context().trace_id()));
        let open = || open_spans().into_iter().filter(is_mine).count();
        assert_eq!(open(), 100);
        let mut spans = spans.into_iter();
        spans.by_ref().take(50).for_each(drop);
        assert_eq!(open(), 50);
        drop(spans);
        assert_eq!(open(), 0);
    }
}

/// The list is right while threads start and end spans as fast as they can: what is open all the time is in it
/// each time, once.
#[test]
fn what_is_open_all_the_time_is_listed_each_time() {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    let recorder = Recorder::new();
    let is_over = AtomicBool::new(false);
    let stays = recorder.enter(|| start_span("stays"));
    let trace_id = stays.trace_id();
    let busy = || {
        recorder.enter(|| {
            while !is_over.load(Ordering::Relaxed) {
                enter_span("outer", |_| enter_span("inner", |_| {}));
            }
        });
    };
    thread::scope(|threads| {
        threads.spawn(busy);
        threads.spawn(busy);
        let open: HashSet<usize> = (0..200).map(|_| open_in(trace_id).len()).collect();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(open, HashSet::from([1]));
    });
}

/// What many open spans took is given back, also where their thread goes on.
#[test]
fn many_open_spans_leave_no_memory() {
    if !is_child("span::open::many_open_spans_leave_no_memory") {
        return;
    }
    let provider = SdkTracerProvider::builder();
    enter_span::set_tracer_provider(provider.with_simple_exporter(Nowhere).build());
    let many = || drop((0..100_000).map(|_| start_span("many")).collect::<Vec<_>>());
    let few = || (0..100_000).for_each(|_| drop(start_span("few")));
    // What is made once and stays.
    few();
    let held = allocations::held_after(|| {
        many();
        few();
    });
    assert!(held < 64 * 1024, "{held} bytes are held");
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}
