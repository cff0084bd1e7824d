//! What carries `tracing::Span::current()` carries our context, by our layer; and what carries our context shows
//! the mirror.

use std::convert::Infallible;
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::Recorder;
use enter_span::{Envelope, enter_span, enter_span_async, in_span, span_id};
use enter_span_pipeline::Pipeline;
use enter_span_tracing::with_ids;
use sqlx::sqlite::SqlitePoolOptions;
use tower::buffer::Buffer;
use tower::{Service as _, ServiceExt as _, service_fn};
use tracing::dispatcher::{get_default, with_default};
use tracing::{Span, info, info_span};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, registry};

use super::super::lines::Lines;
use super::super::{layer, record, record_async, record_by};
use super::lines;
use crate::http::run;
use crate::pipeline::{AGES, finished, in_memory};
use crate::support::child::is_child;

#[enter_span]
fn job() {
    info!("in the job");
}

/// Ours is recorded once, and events inside of it are on it.
#[test]
fn a_mirror_is_not_recorded_again() {
    let trace = record(|| {
        in_span!("request", attributes(id = 1), |_| {
            info!("in the request");
            info_span!("theirs").in_scope(job);
            info!(parent: Span::current(), "by its mirror");
            info_span!(parent: Span::current(), "below its mirror").in_scope(job);
        });
    });
    trace.assert_tree(
        "
        request id=1
          theirs
            job
          below its mirror
            job
        ",
    );
    trace
        .find("request")
        .assert_event("in the request", ())
        .assert_event("by its mirror", ());
    trace.find("job").assert_event("in the job", ());
}

/// A library enters `tracing`'s current span on a thread of its own.
#[test]
fn the_current_span_carries_our_context_to_a_thread() {
    let trace = record(|| {
        in_span!("request", |request| {
            let (span, dispatch) = (Span::current(), get_default(Clone::clone));
            let work = || {
                with_default(&dispatch, || {
                    let entered = span.enter();
                    assert_eq!(span_id(), request.span_id());
                    info!("on the worker");
                    job();
                    {
                        let _again = span.enter();
                        job();
                    }
                    assert_eq!(span_id(), request.span_id());
                    drop(entered);
                    assert_eq!(span_id(), None);
                });
            };
            thread::scope(|scope| scope.spawn(work).join()).expect("a thread");
        });
    });
    trace.assert_tree("request\n  job\n  job");
    trace.find("request").assert_event("on the worker", ());
}

/// So does a task that is instrumented with it, also when its span has ended.
#[test]
fn the_current_span_carries_our_context_to_a_task() {
    use tracing::Instrument as _;
    let trace = record_async(async {
        let mut task = None;
        let request = enter_span_async("request", |_| async {
            let work = async {
                tokio::task::yield_now().await;
                job();
            };
            task = Some(tokio::spawn(work.instrument(Span::current())));
        });
        request.await;
        task.expect("a task").await.expect("it ends");
    });
    trace.assert_tree("request\n  job");
}

/// tower's buffer runs a service in a task of its own.
#[test]
fn towers_buffer_keeps_our_span_of_each_caller() {
    let trace = record_async(async {
        let service = service_fn(|name: &'static str| {
            in_span!("served", attributes(name), |_| job());
            async { Ok::<_, Infallible>(()) }
        });
        let buffer = Buffer::new(service, 4);
        let call = |name: &'static str| {
            let mut buffer = buffer.clone();
            enter_span_async(name, move |_| async move {
                buffer.ready().await.expect("room").call(name).await
            })
        };
        let (first, second) = futures::join!(call("first"), call("second"));
        first.and(second).expect("answers");
    });
    let tree = |name: &str| format!("{name}\n  served name={name}\n    job\n");
    trace
        .sorted()
        .assert_tree(&(tree("first") + &tree("second")));
}

#[enter_span]
async fn find(pool: &sqlx::SqlitePool) {
    let query = sqlx::query_scalar::<_, i64>("SELECT 3");
    assert_eq!(query.fetch_one(pool).await.expect("a row"), 3);
}

/// sqlx runs queries on a thread of its own: the event of a query is on the span that asked for it, and its line
/// has the ids and the name of that span.
#[test]
fn sqlxs_worker_has_our_span() {
    if !is_child("tracing::mirror::carried::sqlxs_worker_has_our_span") {
        return;
    }
    let (exporter, text) = (in_memory(), Lines::default());
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = builder.install().expect("no other one");
    let format = tracing_subscriber::fmt::format().without_time();
    let shown = tracing_subscriber::fmt::layer()
        .event_format(with_ids(format))
        .with_ansi(false)
        .with_writer(text.clone());
    let subscriber = registry()
        .with(EnvFilter::new("info,sqlx=debug"))
        .with(shown)
        .with(layer());
    tracing::subscriber::set_global_default(subscriber).expect("no other one");
    run(async {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.expect("a database");
        find(&pool).await;
        pool.close().await;
    });
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    let mut found = spans.iter().filter(|span| span.name == "find");
    let find = found.next().expect("the span");
    assert!(found.next().is_none(), "it is recorded once");
    let queries = find.events.iter().filter(|e| e.name == "sqlx::query");
    assert_eq!(queries.count(), 1);
    let context = &find.span_context;
    let ids = format!(
        "trace_id={} span_id={} ",
        context.trace_id(),
        context.span_id()
    );
    let text = text.text();
    let is_query = |line: &&str| line.starts_with(&ids) && line.contains("find: sqlx::query");
    assert_eq!(text.lines().filter(is_query).count(), 1, "{text}");
}

/// Our own ways to carry a span show its mirror where the work runs.
#[test]
fn what_carries_our_context_shows_the_mirror() {
    let text = Lines::default();
    let subscriber = registry().with(lines(&text)).into();
    with_default(&subscriber, || {
        Recorder::new().run(|| {
            let (work, message) = in_span!("request", attributes(id = 1), |request| {
                let elsewhere = |work: Box<dyn FnOnce() + Send>| {
                    let subscriber = subscriber.clone();
                    let work = move || with_default(&subscriber, work);
                    thread::spawn(work).join().expect("a thread");
                };
                elsewhere(Box::new(job.in_current_span()));
                elsewhere(Box::new(job.in_span(&request)));
                let work = (|| info!("later")).in_current_span();
                (work, Envelope::new(()))
            });
            // Its mirror is closed.
            work();
            message.open_child(|()| job());
        });
    });
    let expected = " INFO request{id=1}:job: in the job\n".repeat(2)
        + " INFO later\n"
        + " INFO job: in the job\n";
    assert_eq!(text.text(), expected);
}

/// What starts below a mirror that a filter of our layer leaves out is below the nearest span around it.
#[test]
fn a_mirror_that_our_layer_does_not_see_is_transparent() {
    let is_seen = |metadata: &tracing::Metadata<'_>| metadata.name() != "unseen";
    let filter = tracing_subscriber::filter::filter_fn(is_seen);
    let trace = record_by(registry().with(layer().with_filter(filter)), || {
        in_span!("request", |_| {
            in_span!("unseen", |_| {
                info_span!(parent: Span::current(), "theirs").in_scope(job);
            });
        });
    });
    trace.assert_tree("request\n  unseen\n  theirs\n    job");
}

/// Spans of `tracing` that outlive a mirror, and are left after it.
#[test]
fn spans_are_left_in_any_order() {
    let text = Lines::default();
    let trace = record_by(registry().with(lines(&text)).with(layer()), || {
        let mut kept = None;
        in_span!("first", |_| kept = Some(info_span!("theirs").entered()));
        info!("in theirs");
        in_span!("second", |_| {
            drop(kept.take());
            info!("in second");
        });
        info!("outside");
        assert_eq!(span_id(), None);
        assert!(Span::current().is_none());
    });
    trace.assert_tree("first\n  theirs\n    second");
    trace.find("theirs").assert_event("in theirs", ());
    trace.find("second").assert_event("in second", ());
    let lines = text.text();
    let last: Vec<_> = lines.lines().map(str::trim).collect();
    assert_eq!(last[2], "INFO outside", "{lines}");
}
