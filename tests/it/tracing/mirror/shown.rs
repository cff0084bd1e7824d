//! What a mirror shows, and when.

use std::sync::{Arc, Mutex};

use enter_span::testing::Recorder;
use enter_span::{Attributes, Key, Span, enter_span, in_span, start_span};
use futures::FutureExt as _;
use serde_json::{Value, json};
use tracing::dispatcher::with_default;
use tracing::span::Id;
use tracing::{Level, Metadata, Subscriber, info};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, registry};

use super::super::lines::Lines;
use super::{Calls, lines, record_by};
use crate::support::check::block_on;
use crate::support::child::is_child;

#[enter_span(attributes(id, customer = "acme"))]
fn order(id: u64) {
    info!("placed");
    charge(9.5);
    info!("paid");
}

#[enter_span("charge card", attributes(amount))]
fn charge(amount: f64) {
    info!(cents = 950, "charged");
}

/// A formatter needs nothing but the mirror.
#[test]
fn lines_show_names_and_fields() {
    let text = Lines::default();
    record_by(registry().with(lines(&text)), || order(7)).assert_tree(
        "
        order id=7 customer=acme
          charge card amount=9.5
        ",
    );
    let expected = r#" INFO order{id=7 customer="acme"}: placed
 INFO order{id=7 customer="acme"}:charge card{amount=9.5}: charged cents=950
 INFO order{id=7 customer="acme"}: paid
"#;
    assert_eq!(text.text(), expected);
}

#[enter_span(attributes(
    is_new = true,
    ratio = 0.5,
    count = -3,
    text = "a",
    list = [1, 2],
    missing = None::<u8>,
    debug = ?Some(1),
))]
fn typed() {
    info!("in it");
}

/// Values keep their types, and lists are text.
#[test]
fn fields_keep_their_types() {
    let text = Lines::default();
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(text.clone());
    record_by(registry().with(json), typed);
    let line: Value = serde_json::from_str(&text.text()).expect("a line");
    let expected = json!({
        "name": "typed",
        "is_new": true,
        "ratio": 0.5,
        "count": -3,
        "text": "a",
        "list": "[1,2]",
        "debug": "Some(1)",
    });
    assert_eq!(line["span"], expected);
}

const TENANT: Key<str> = Key::new("tenant");

#[derive(Attributes)]
struct Facts {
    route: &'static str,
    hops: u8,
}

#[enter_span(attributes(id = 1, TENANT = "acme", ..Facts { route: "/a b", hops: 2 }))]
fn with_others() {
    Span::current()
        .set_attribute("late", 3)
        .set_attribute("id", 2);
    info!("in it");
}

/// A key that is not written at the site goes into one more field.
#[test]
fn other_keys_are_in_one_field() {
    let calls = Calls::default();
    record_by(registry().with(calls.clone()), with_others);
    assert_eq!(
        calls.take(),
        [
            r#"new with_others id=1 attributes="tenant=\"acme\" route=\"/a b\" hops=2""#,
            "enter with_others",
            r#"record with_others attributes="late=3""#,
            "record with_others id=2",
            "exit with_others",
            "close with_others",
        ],
    );
}

#[enter_span(ret(rows = |rows| rows.len()))]
fn query() -> Vec<u8> {
    vec![1, 2]
}

/// What the value says comes before the end.
#[test]
fn a_returned_value_is_recorded_after_the_body() {
    let calls = Calls::default();
    record_by(registry().with(calls.clone()), query);
    let expected = [
        "new query",
        "enter query",
        "exit query",
        "record query rows=2",
        "close query",
    ];
    assert_eq!(calls.take(), expected);
}

/// A callsite has one name: a computed one is a field.
#[test]
fn a_computed_name_is_a_field() {
    let calls = Calls::default();
    let trace = record_by(registry().with(calls.clone()), || {
        let route = String::from("/orders");
        in_span!(name = format!("GET {route}"), |span| {
            span.update_name("GET /orders/{id}");
        });
        enter_span::enter_span("sum", |_| ());
    });
    trace.assert_tree("GET /orders/{id}\nsum");
    assert_eq!(
        calls.take(),
        [
            r#"new in_span otel.name="GET /orders""#,
            "enter in_span",
            r#"record in_span otel.name="GET /orders/{id}""#,
            "exit in_span",
            "close in_span",
            r#"new enter_span otel.name="sum""#,
            "enter enter_span",
            "exit enter_span",
            "close enter_span",
        ],
    );
}

#[enter_span]
async fn twice() {
    tokio::task::yield_now().await;
    info!("in it");
}

/// It is entered with each poll, and closed with the end.
#[test]
fn a_future_is_entered_at_each_poll() {
    let calls = Calls::default();
    with_default(&registry().with(calls.clone()).into(), || {
        block_on(Recorder::new().run_async(async {
            twice().await;
            // Dropped before it is ready.
            twice().now_or_never();
        }));
    });
    let whole = ["new", "enter", "exit", "enter", "exit", "close"].repeat(2);
    let expected: Vec<String> = whole.iter().map(|call| format!("{call} twice")).collect();
    assert_eq!(calls.take(), expected);
}

/// It is made when its span is entered first, and closed when its owner ends it.
#[test]
fn an_owned_span_is_shown_where_it_is_entered() {
    let calls = Calls::default();
    record_by(registry().with(calls.clone()), || {
        let span = start_span!("session", attributes(id = 1));
        span.set_attribute("early", 2);
        assert_eq!(calls.take(), [""; 0]);
        span.enter(|| ());
        span.enter(|| ());
        let expected = ["new session id=1", "enter session", "exit session"];
        let expected = [&expected[..], &["enter session", "exit session"]].concat();
        assert_eq!(calls.take(), expected);
        span.end();
        assert_eq!(calls.take(), ["close session"]);
    });
}

#[enter_span(leaf)]
fn leaf() {
    info!("in a leaf");
}

/// A leaf is never current, so nothing shows it.
#[test]
fn a_leaf_has_no_mirror() {
    let text = Lines::default();
    let trace = record_by(registry().with(lines(&text)), || {
        in_span!("request", |_| leaf());
    });
    trace.assert_tree("request\n  leaf");
    assert_eq!(text.text(), " INFO request: in a leaf\n");
}

/// Nor has a span that is not recorded.
#[test]
fn a_span_that_is_not_recorded_has_no_mirror() {
    let calls = Calls::default();
    let recorder = Recorder::new().with_sampler(|name| name != "order");
    with_default(&registry().with(calls.clone()).into(), || {
        recorder.run(|| order(1)).assert_tree("");
        order(2);
    });
    assert_eq!(calls.take(), [""; 0]);
}

/// The metadata of the last span.
#[derive(Clone, Default)]
struct Last(Arc<Mutex<Option<&'static Metadata<'static>>>>);

impl<S: Subscriber> Layer<S> for Last {
    fn on_new_span(&self, span: &tracing::span::Attributes<'_>, _: &Id, _: Context<'_, S>) {
        *self.0.lock().expect("the last") = Some(span.metadata());
    }
}

impl Last {
    fn metadata(&self) -> &'static Metadata<'static> {
        let last = self.0.lock().expect("the last");
        last.expect("a span")
    }
}

/// As one that `tracing` makes in the same place.
#[test]
fn a_mirror_says_where_it_is_from() {
    let last = Last::default();
    let line = line!() + 2;
    record_by(registry().with(last.clone()), || {
        in_span!("here", |_| ());
    });
    let metadata = last.metadata();
    assert_eq!(metadata.name(), "here");
    assert_eq!(metadata.target(), module_path!());
    assert_eq!(metadata.module_path(), Some(module_path!()));
    assert_eq!(metadata.file(), Some("it/tracing/mirror/shown.rs"));
    assert_eq!(metadata.line(), Some(line));
    assert_eq!(*metadata.level(), Level::INFO);
    assert!(metadata.is_span());
    record_by(registry().with(last.clone()), || charge(1.0));
    assert_eq!(last.metadata().target(), module_path!());
}

/// Level and target are chosen for the process.
#[test]
fn level_and_target_are_chosen() {
    if !is_child("tracing::mirror::shown::level_and_target_are_chosen") {
        return;
    }
    enter_span::mirror::set_level(Level::ERROR);
    enter_span::mirror::set_target("spans");
    let last = Last::default();
    record_by(registry().with(last.clone()), || in_span!("one", |_| ()));
    let metadata = last.metadata();
    assert_eq!(
        (metadata.target(), *metadata.level()),
        ("spans", Level::ERROR)
    );
    assert_eq!(metadata.module_path(), Some(module_path!()));
}
