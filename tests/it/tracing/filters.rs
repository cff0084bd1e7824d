//! Filters: a span that is left out is transparent.

use enter_span::{enter_span, in_span};
use tracing::dispatcher::with_default;
use tracing::{debug, debug_span, info, info_span, trace_span, warn};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, registry};

use super::{layer, record_by};
use crate::support::check::block_on;

#[enter_span]
fn ours() {
    info!("in ours");
    debug!("in ours, for few");
}

fn nested() {
    in_span!("request", |_| {
        debug_span!("left out").in_scope(|| {
            debug!("left out");
            info!("on the request");
            ours();
            info_span!("kept").in_scope(ours);
        });
    });
}

const WITHOUT_DEBUG: &str = "
    request
      ours
      kept
        ours
";

/// A filter of this layer alone: what it leaves out is there for others.
#[test]
fn a_filter_of_the_layer_leaves_spans_out() {
    let others = LevelFilter::TRACE;
    let subscriber = registry()
        .with(layer().with_filter(LevelFilter::INFO))
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::sink)
                .with_filter(others),
        );
    let trace = record_by(subscriber, nested);
    trace.assert_tree(WITHOUT_DEBUG);
    trace.find("request").assert_event("on the request", ());
    trace.find("request").assert_no_event("left out");
    let events = trace.find_all("ours").map(|span| span.events().len());
    assert_eq!(events.collect::<Vec<_>>(), [1, 1]);
}

/// A filter of the whole subscriber.
#[test]
fn an_env_filter_leaves_spans_out() {
    let filter = EnvFilter::new("info,quiet=off,quiet::but=warn");
    let trace = record_by(registry().with(filter).with(layer()), || {
        nested();
        info_span!(target: "quiet", "quiet").in_scope(|| {
            info!(target: "quiet::but", "quiet too");
            info_span!(target: "quiet::but", "quiet too").in_scope(ours);
        });
    });
    trace.assert_tree(&format!("{WITHOUT_DEBUG}\n    ours"));
}

/// A filter that looks at the fields of spans.
#[test]
fn a_filter_may_ask_for_a_field() {
    let filter = EnvFilter::new("[tenant{id=7}]=trace");
    let trace = record_by(registry().with(layer().with_filter(filter)), || {
        for id in [6, 7] {
            info_span!("tenant", id).in_scope(|| trace_span!("inside").in_scope(ours));
        }
    });
    trace.assert_tree("tenant id=6\n  ours\ntenant id=7\n  inside\n    ours");
}

/// An explicit parent that was left out stands for the span around it, and so does one on the way up.
#[test]
fn a_parent_that_is_left_out_is_transparent() {
    let filter = filter_fn(|metadata| metadata.name() != "left out");
    // A span that nobody wants is none, and what is given it as a parent is a root.
    let wants_all = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let subscriber = registry().with(layer().with_filter(filter)).with(wants_all);
    let trace = record_by(subscriber, || {
        let outer = info_span!("outer");
        let left_out = info_span!(parent: &outer, "left out");
        let left_out = info_span!(parent: &left_out, "left out");
        info_span!("elsewhere").in_scope(|| {
            info_span!(parent: &left_out, "inner");
            tracing::event!(parent: &left_out, tracing::Level::INFO, "for outer");
        });
    });
    trace.assert_tree("outer\n  inner\nelsewhere");
    trace.find("outer").assert_event("for outer", ());
}

/// A span that was left out may be entered over an `.await`.
#[test]
fn a_span_that_is_left_out_may_wait() {
    use tracing::Instrument as _;
    let subscriber = registry().with(layer().with_filter(LevelFilter::WARN));
    let trace = record_by(subscriber, || {
        let work = async {
            ours();
            tokio::task::yield_now().await;
            warn!("after");
        };
        in_span!("request", |_| block_on(
            work.instrument(info_span!("left out"))
        ));
    });
    trace.assert_tree("request\n  ours");
    trace.find("request").assert_event("after", ());
}

/// The setting for events and the filter of spans are apart.
#[test]
fn the_layer_may_be_for_spans_alone() {
    let subscriber = registry().with(layer().with_span_events(LevelFilter::OFF));
    let trace = with_default(&subscriber.into(), || {
        enter_span::testing::Recorder::new().run(nested)
    });
    assert!(trace.spans().iter().all(|span| span.events().is_empty()));
    assert!(trace.find_all("left out").next().is_some());
}
