//! Scopes that end the spans below them which are still open: `ends_children`.

use std::future::pending;
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::Recorder;
use enter_span::{Context, OwnedSpan, Span, Tracer, enter_span, in_span, start_span, task};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::sync::oneshot;

use crate::support::check::{block_on, check, check_async};
use crate::support::child::is_child;

#[enter_span]
async fn hangs(begun: oneshot::Sender<()>) {
    in_span!("deeper", async |_| {
        begun.send(()).ok();
        pending::<()>().await;
    })
    .await;
}

/// Spawns work that hangs, and returns when it has begun.
async fn leaves_work_behind() -> tokio::task::JoinHandle<()> {
    let (begun, has_begun) = oneshot::channel();
    let task = task::spawn_in_current_span(hangs(begun));
    has_begun.await.ok();
    task
}

/// What is still open below a scope that ends its children ends with it, and is marked.
#[test]
fn a_scope_ends_what_is_open_below_it() {
    let recorder = Recorder::new();
    block_on(async {
        #[enter_span(ends_children)]
        async fn job() -> tokio::task::JoinHandle<()> {
            enter_span("finished", |_| {});
            leaves_work_behind().await
        }
        let left = recorder.enter_async(job()).await;
        let ended = |span: &enter_span::testing::RecordedSpan| span.is_ended();
        assert!(recorder.trace().spans().iter().all(ended));
        // Its own end comes too late to say anything.
        left.abort();
        assert!(left.await.is_err());
    });
    let trace = recorder.trace();
    trace.assert_tree(
        "
        job
          finished
          hangs ~abandoned
            deeper ~abandoned
        ",
    );
    let job = trace.find("job").end_time();
    assert!(trace.find("hangs").end_time() <= job);
    assert!(trace.find("deeper").end_time() <= trace.find("hangs").end_time());
}

/// Asked for by name only: a child may outlast its parent otherwise.
#[test]
fn a_plain_scope_leaves_its_children_alone() {
    let recorder = Recorder::new();
    block_on(async {
        #[enter_span]
        async fn plain() -> tokio::task::JoinHandle<()> {
            leaves_work_behind().await
        }
        let left = recorder.enter_async(plain()).await;
        recorder.trace().assert_tree(
            "
            plain
              hangs (open)
                deeper (open)
            ",
        );
        left.abort();
        assert!(left.await.is_err());
    });
    recorder.trace().assert_tree(
        "
        plain
          hangs ~cancelled
            deeper ~cancelled
        ",
    );
}

/// Scopes in scopes: the inner one ends its own, the outer one all; roots are nobody's children, and
/// what starts after the end has its own time.
#[test]
fn each_scope_ends_its_own() {
    let mut kept: Vec<OwnedSpan> = Vec::new();
    let trace = check(
        || {
            let mut outer = Span::default();
            in_span!("outer", ends_children, |span| {
                outer = span;
                kept.push(start_span("of outer"));
                in_span!("inner", ends_children, |_| {
                    kept.push(start_span("of inner"));
                });
                assert!(kept[0].is_traced() && !kept[1].is_traced());
                kept.push(start_span!("left open", ends_children));
                kept.push(kept[2].enter(|| start_span("below left open")));
                kept.push(start_span!("unrelated", root));
            });
            assert!(kept[4].is_traced() && !kept[3].is_traced());
            let late = || start_span("late");
            kept.push(late.in_span(&outer)());
            assert!(kept[5].is_traced());
        },
        "
        outer
          of outer ~abandoned
          inner
            of inner ~abandoned
          left open ~abandoned
            below left open ~abandoned
          late (open)
        unrelated (open)
        ",
    );
    assert_eq!(trace.spans().len(), 8);
}

/// However the scope ends: by panic, by cancellation, by its owner.
#[test]
fn a_scope_ends_its_children_however_it_ends() {
    let mut kept = Vec::new();
    check_async(
        async {
            let panics = || {
                in_span!("panics", ends_children, |_| {
                    kept.push(start_span("child"));
                    assert!(kept.is_empty(), "as it must");
                });
            };
            let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
            assert!(panics.is_err());
            let cancelled = in_span!("cancelled", ends_children, async |_| {
                kept.push(start_span("child"));
                pending::<()>().await;
            });
            assert!(futures::FutureExt::now_or_never(cancelled).is_none());
            let owned = start_span!("owned", ends_children);
            kept.push(owned.enter(|| start_span("child")));
            owned.end();
        },
        "
        panics !panic
          child ~abandoned
        cancelled ~cancelled
          child ~abandoned
        owned
          child ~abandoned
        ",
    );
}

/// Very many children: those that ended by themselves are not kept, and those open are all ended.
#[test]
fn a_scope_with_many_children_ends_those_that_are_open() {
    let mut open = Vec::new();
    let trace = Recorder::new().run(|| {
        in_span!("scope", ends_children, |_| {
            for n in 0..10_000 {
                let span = start_span!("child", attributes(n));
                if n % 100 == 0 {
                    open.push(span);
                }
            }
        });
        assert!(open.iter().all(|span| !span.is_traced()));
    });
    let abandoned =
        |span: &&enter_span::testing::RecordedSpan| span.attribute("enter_span.outcome").is_some();
    assert_eq!(trace.spans().iter().filter(abandoned).count(), 100);
    assert!(trace.spans().iter().all(|span| span.is_ended()));
}

/// From many threads at once, each span ends once.
#[test]
fn a_scope_may_end_while_its_children_do() {
    let trace = Recorder::new().run(|| {
        thread::scope(|threads| {
            in_span!("scope", ends_children, |_| {
                for _ in 0..4 {
                    let work = || (0..500).for_each(|_| start_span("child").end());
                    threads.spawn(work.in_current_span());
                }
            });
        });
    });
    assert_eq!(trace.spans().len(), 2001);
    assert!(trace.spans().iter().all(|span| span.is_ended()));
}

/// With a real provider: an abandoned child, polled once and dropped or never
/// dropped, leaves its root to be exported at the root's own end.
#[test]
fn a_root_is_exported_without_its_abandoned_children() {
    if !is_child("span::children::a_root_is_exported_without_its_abandoned_children") {
        return;
    }
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    enter_span::set_tracer_provider(provider);
    let names = || {
        let spans = exporter.get_finished_spans().expect("the exported spans");
        let names = spans.iter().map(|span| span.name.to_string());
        names.collect::<Vec<_>>()
    };
    block_on(async {
        let abandoned = async || {
            in_span!(
                "hierarchy-abandoned",
                attributes(case = "abandoned"),
                async |span| {
                    pending::<()>().await;
                    span.set_attribute("unreachable", true);
                }
            )
            .await;
        };
        in_span!("dropped", async |_| {
            assert!(futures::poll!(Box::pin(abandoned())).is_pending());
        })
        .await;
        assert_eq!(names(), ["hierarchy-abandoned", "dropped"]);
        let mut left = None;
        in_span!("spawned", async |_| left = Some(leaves_work_behind().await)).await;
        assert_eq!(names(), ["hierarchy-abandoned", "dropped", "spawned"]);
        drop(left);
    });
    let spans = exporter.get_finished_spans().expect("the exported spans");
    let keys = spans[0].attributes.iter().map(|a| a.key.as_str());
    let keys: Vec<_> = keys.filter(|key| !key.starts_with("code.")).collect();
    assert_eq!(keys, ["enter_span.outcome", "case"]);
    assert_eq!(names()[3..], ["deeper", "hangs"]);
}

/// A job that starts the next one, for ever: what is over is not kept, and nothing grows with it.
#[test]
fn a_chain_of_scopes_keeps_nothing_of_those_that_are_over() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut context = Context::current();
        for _ in 0..20_000 {
            let job = start_span!("job", parent = context, ends_children);
            context = job.context();
            job.end();
        }
        // The last one that held on to the chain.
        drop(context);
    });
    assert_eq!(recorder.trace().spans().len(), 20_000);
}

/// Scopes inside of each other, all of them open: the outermost ends all, from the inside.
#[test]
fn a_scope_ends_scopes_of_any_depth() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = Tracer::new(provider, "scopes");
    let outermost = start_span!("scope", tracer = tracer, root, ends_children);
    let mut scopes = vec![start_span!("scope", parent = &outermost, ends_children)];
    for _ in 0..2_000 {
        let above = &scopes[scopes.len() - 1];
        scopes.push(start_span!("scope", parent = above, ends_children));
    }
    outermost.end();
    assert!(scopes.iter().all(|scope| !scope.is_traced()));
    // The innermost one is exported first, each below the one that follows.
    let spans = exporter.get_finished_spans().expect("the exported spans");
    assert_eq!(spans.len(), scopes.len() + 1);
    let is_below = |pair: &[SpanData]| pair[0].parent_span_id == pair[1].span_context.span_id();
    assert!(spans.windows(2).all(is_below));
}

/// One that is not recorded has no children to end, and leaves those of the scope around it alone.
#[test]
fn a_scope_that_is_not_recorded_ends_nothing() {
    let unsampled = Recorder::new().with_sampler(|_| false);
    let nowhere = Tracer::new(
        opentelemetry::trace::noop::NoopTracerProvider::new(),
        "nowhere",
    );
    let elsewhere = Tracer::new(unsampled.tracer_provider(), "elsewhere");
    let mut kept = Vec::new();
    check(
        || {
            in_span!("outer", ends_children, |_| {
                kept.push(start_span("child"));
                start_span!("nowhere", tracer = nowhere, ends_children).end();
                start_span!("unsampled", tracer = elsewhere, root, ends_children).end();
                in_span!("sync", tracer = nowhere, ends_children, |_| {});
                let never = in_span!("never", tracer = nowhere, ends_children, async |_| {
                    pending::<()>().await;
                });
                assert!(futures::FutureExt::now_or_never(never).is_none());
                assert!(kept[0].is_traced());
                kept.push(start_span("late"));
            });
            assert!(kept.iter().all(|span| !span.is_traced()));
        },
        "
        outer
          child ~abandoned
          late ~abandoned
        ",
    );
}

/// What hangs on the root by name is below it, and ends with it.
#[test]
fn what_hangs_on_the_root_by_name_is_below_it() {
    let mut kept = Vec::new();
    check(
        || {
            in_span!("job", ends_children, |_| {
                enter_span("deeper", |_| {
                    kept.push(start_span!("named", parent = Span::root()));
                    let carried = || start_span("carried");
                    kept.push(carried.in_span(&Span::root())());
                });
            });
        },
        "
        job
          deeper
          named ~abandoned
          carried ~abandoned
        ",
    );
}
