//! Filters, and subscribers that come and go.

use enter_span::testing::Recorder;
use enter_span::{enter_span, in_span};
use tracing::dispatcher::with_default;
use tracing::{Level, debug, info, info_span};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, registry, reload};

use super::super::lines::Lines;
use super::{Calls, lines, record_by};

#[enter_span(attributes(id))]
fn order(id: u64) {
    debug!("looked at");
    info!("placed");
}

/// By level, by target, and by a field of the mirror.
#[test]
fn an_env_filter_decides() {
    let shown = |directives: &str| {
        let text = Lines::default();
        let subscriber = registry()
            .with(EnvFilter::new(directives))
            .with(lines(&text));
        let trace = record_by(subscriber, || (1..=2).for_each(order));
        // Our own tree does not depend on it.
        trace.assert_tree("order id=1\norder id=2");
        text.text()
    };
    let both = " INFO order{id=1}: placed\n INFO order{id=2}: placed\n";
    assert_eq!(shown("info"), both);
    assert_eq!(shown("warn"), "");
    assert_eq!(shown(&format!("{}=info", module_path!())), both);
    assert_eq!(shown("elsewhere=info"), "");
    assert_eq!(
        shown("info,[order{id=2}]=debug"),
        " INFO order{id=1}: placed\nDEBUG order{id=2}: looked at\n INFO order{id=2}: placed\n",
    );
}

/// What the filter of one layer leaves out is there for others, and nowhere else.
#[test]
fn filters_of_layers_keep_to_their_layer() {
    let (all, some) = (Lines::default(), Lines::default());
    let is_not_order = filter_fn(|metadata| metadata.name() != "order");
    let subscriber = registry()
        .with(lines(&all))
        .with(lines(&some).with_filter(is_not_order));
    record_by(subscriber, || in_span!("request", |_| order(1)));
    let expected = "DEBUG request:order{id=1}: looked at\n INFO request:order{id=1}: placed\n";
    assert_eq!(all.text(), expected);
    assert_eq!(
        some.text(),
        "DEBUG request: looked at\n INFO request: placed\n"
    );
}

/// A filter that looks at more than the callsite is asked for each span.
#[test]
fn a_filter_is_asked_each_time() {
    use tracing_subscriber::filter::dynamic_filter_fn;
    let calls = Calls::default();
    // Below a span of this name only.
    let below = dynamic_filter_fn(|metadata, context| {
        metadata.name() == "open" || context.lookup_current().is_some()
    });
    let subscriber = registry().with(calls.clone().with_filter(below));
    record_by(subscriber, || {
        order(1);
        in_span!("open", |_| order(2));
        order(3);
    });
    let new = calls
        .take()
        .into_iter()
        .filter(|call| call.starts_with("new"));
    assert_eq!(new.collect::<Vec<_>>(), ["new open", "new order id=2"]);
}

/// A filter that is reloaded decides from then on; what is open closes.
#[test]
fn filters_are_reloaded() {
    let calls = Calls::default();
    let (filter, handle) = reload::Layer::new(LevelFilter::WARN);
    let subscriber = registry().with(filter).with(calls.clone());
    record_by(subscriber, || {
        order(1);
        assert_eq!(calls.take(), [""; 0]);
        handle.reload(LevelFilter::INFO).expect("a filter");
        order(2);
        let expected = ["new order id=2", "enter order", "exit order", "close order"];
        assert_eq!(calls.take(), expected);
        in_span!("request", |_| {
            handle.reload(LevelFilter::OFF).expect("a filter");
            order(3);
        });
        let expected = [
            "new request",
            "enter request",
            "exit request",
            "close request",
        ];
        assert_eq!(calls.take(), expected);
    });
}

/// A subscriber of one thread has the mirrors of that thread, until it goes.
#[test]
fn a_subscriber_may_be_of_one_thread() {
    let calls = Calls::default();
    let trace = Recorder::new().run(|| {
        order(1);
        with_default(&registry().with(calls.clone()).into(), || {
            std::thread::spawn(|| Recorder::new().run(|| order(2)))
                .join()
                .expect("a thread");
            order(3);
        });
        order(4);
    });
    trace.assert_tree("order id=1\norder id=3\norder id=4");
    let expected = ["new order id=3", "enter order", "exit order", "close order"];
    assert_eq!(calls.take(), expected);
}

/// A span keeps the subscriber that it has started with.
#[test]
fn a_span_keeps_its_subscriber() {
    let (first, second) = (Calls::default(), Calls::default());
    Recorder::new().run(|| {
        let span = enter_span::start_span!("session");
        with_default(&registry().with(first.clone()).into(), || span.enter(|| ()));
        with_default(&registry().with(second.clone()).into(), || {
            span.enter(|| order(1));
            span.end();
        });
    });
    let entered = ["enter session", "exit session"];
    let all = [&["new session"][..], &entered, &entered, &["close session"]].concat();
    assert_eq!(first.take(), all);
    let expected = ["new order id=1", "enter order", "exit order", "close order"];
    assert_eq!(second.take(), expected);
}

/// Spans of both kinds are in each other's lines.
#[test]
fn spans_of_both_kinds_are_shown() {
    let text = Lines::default();
    let filtered = lines(&text).with_filter(LevelFilter::from_level(Level::INFO));
    record_by(registry().with(filtered), || {
        info_span!("theirs")
            .in_scope(|| in_span!("ours", |_| info_span!("inner").in_scope(|| order(1))));
    });
    assert_eq!(text.text(), " INFO theirs:ours:inner:order{id=1}: placed\n");
}
