//! The shop as separate processes, and the traces that come from them by OTLP.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::sync::OnceLock;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use rusqlite::Connection;
use serde_json::Value;
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::collector::{Collector, Received, text};
use crate::{command, queue, service};

const SERVICE: &str = "SHOP_SERVICE";

/// What the processes of the other tests run.
#[test]
fn a_service() {
    if let Ok(name) = env::var(SERVICE) {
        service::run(&name).expect("a service that ends well");
    }
}

/// This program as a service, in an environment without settings of telemetry.
fn start(name: &str) -> Command {
    let program = env::current_exe().expect("the path of this binary");
    let mut command = Command::new(program);
    command.args(["--exact", "tests::a_service", "--nocapture"]);
    for (name, _) in env::vars_os() {
        let name_of = name.to_string_lossy();
        if name_of.starts_with("OTEL_") || name_of.starts_with("ENTER_SPAN_") {
            command.env_remove(&name);
        }
    }
    command.env(SERVICE, name);
    command
}

/// Of one run for all tests but one.
fn received() -> &'static [Received] {
    static RECEIVED: OnceLock<Vec<Received>> = OnceLock::new();
    RECEIVED.get_or_init(|| sell_in(&[]))
}

/// What a day of the shop gives, with these variables.
fn sell_in(variables: &[(&str, &str)]) -> Vec<Received> {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let collector = Collector::start().await.expect("a collector");
        let start = |name: &str| {
            let mut command = start(name);
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
            command.envs(variables.iter().copied());
            command
        };
        command::sell(start).await.expect("a day of the shop");
        collector.received()
    })
}

fn named(name: &str) -> Vec<&'static Received> {
    let is_named = |received: &&Received| received.span.name == name;
    received().iter().filter(is_named).collect()
}

/// `None` for a root.
fn parent(child: &Span) -> Option<&'static Received> {
    match &*child.parent_span_id {
        [] => None,
        id => Some(find(&child.trace_id, id)),
    }
}

fn find(trace: &[u8], id: &[u8]) -> &'static Received {
    let is_it = |known: &&Received| known.span.trace_id == trace && known.span.span_id == id;
    let found = received().iter().find(is_it);
    found.expect("what a span names has arrived, in the trace that it names")
}

/// The names of a span and of all above it, each with its service.
fn path(received: &Received) -> String {
    let own = format!("{}: {}", received.service, received.span.name);
    match parent(&received.span) {
        Some(parent) => format!("{} > {own}", path(parent)),
        None => own,
    }
}

/// In the order in which they began.
fn invocations(order: &str) -> Vec<&'static Span> {
    let spans = received().iter().map(|received| &received.span);
    let mut found: Vec<_> = spans
        .filter(|span| span.kind() == SpanKind::Consumer)
        .filter(|span| text(&span.attributes, "order.id") == Some(order))
        .collect();
    found.sort_by_key(|span| span.start_time_unix_nano);
    found
}

fn targets(span: &Span) -> Vec<&'static Span> {
    let target = |link: &Link| &find(&link.trace_id, &link.span_id).span;
    span.links.iter().map(target).collect()
}

/// The span that sent the first message for an order.
fn origin(order: &str) -> &'static Span {
    let sent = named("send payments").into_iter();
    let sent = sent.filter(|received| received.service == "orders");
    let mut sent = sent.map(|received| &received.span);
    let found = sent.find(|span| text(&span.attributes, "order.id") == Some(order));
    found.expect("an order that was accepted")
}

#[test]
fn three_services_are_seen_and_each_parent_has_arrived() {
    let services: BTreeSet<_> = received().iter().map(|it| &*it.service).collect();
    assert_eq!(services, BTreeSet::from(["orders", "stock", "worker"]));
    for received in received() {
        path(received);
    }
}

/// Nobody has lost the context: a root is a request from outside, or a delivery.
#[test]
fn roots_are_requests_and_deliveries() {
    let spans = received().iter().map(|received| &received.span);
    let roots = spans.filter(|span| span.parent_span_id.is_empty());
    let mut names: Vec<_> = roots.map(|root| &*root.name).collect();
    names.sort_unstable();
    let mut expected = ["POST /orders"; 3].to_vec();
    // The second order is paid at the second time, the third never.
    expected.extend(["process payments"; 3]);
    expected.extend(["process shipments"; 2]);
    assert_eq!(names, expected);
}

#[test]
fn a_call_of_the_stock_is_in_the_trace_of_who_calls() {
    let of_orders = "orders: POST /orders > orders: POST /reservations > stock: POST /reservations \
                     > stock: UPDATE goods";
    let paths: Vec<_> = named("UPDATE goods").into_iter().map(path).collect();
    assert_eq!(paths, [of_orders; 3]);
    let of_worker = "worker: process shipments > worker: POST /shipments > stock: POST /shipments \
                     > stock: INSERT shipments";
    let paths: Vec<_> = named("INSERT shipments").into_iter().map(path).collect();
    assert_eq!(paths, [of_worker; 2]);
}

#[test]
fn each_delivery_is_a_trace_of_its_own() {
    let found = ["1", "2", "3"].map(invocations);
    let names = found.each_ref().map(|spans| {
        let names = spans.iter().map(|span| &*span.name);
        names.collect::<Vec<_>>()
    });
    let (payments, shipments) = ("process payments", "process shipments");
    assert_eq!(names[0], [payments, shipments]);
    assert_eq!(names[1], [payments, payments, shipments]);
    assert!(names[2].is_empty(), "an order that was refused");
    let spans = found.iter().flatten();
    let traces: BTreeSet<_> = spans.map(|span| &*span.trace_id).collect();
    assert_eq!(traces.len(), 5);
    for order in ["1", "2"] {
        assert!(!traces.contains(&*origin(order).trace_id));
    }
}

#[test]
fn all_deliveries_of_an_order_name_their_sender_and_the_same_origin() {
    for order in ["1", "2"] {
        let origin = origin(order);
        let mut before: Option<&Span> = None;
        for invocation in invocations(order) {
            let targets = targets(invocation);
            match before {
                // The message that began it: its delivery is the origin, and is there once.
                None => assert_eq!(targets, [origin]),
                Some(before) => {
                    let [delivery, last] = &*targets else {
                        panic!("{} links of {}", targets.len(), invocation.name);
                    };
                    assert_eq!(*last, origin);
                    assert_eq!(delivery.kind(), SpanKind::Producer);
                    let sender = parent(delivery).map(|sender| &sender.span);
                    assert_eq!(
                        sender,
                        Some(before),
                        "what was delivered before has sent it"
                    );
                }
            }
            before = Some(invocation);
        }
        assert!(before.is_some(), "order {order} was delivered");
    }
}

#[test]
fn a_payment_that_fails_is_sent_again_in_another_trace() {
    let charges = named("charge");
    let failed = charges.iter().filter(|charge| {
        let attributes = &charge.span.attributes;
        text(attributes, "error.type").is_some_and(|error| error.ends_with("NoAnswer"))
    });
    let failed: Vec<_> = failed.collect();
    let [failed] = &*failed else {
        panic!("{} payments failed", failed.len());
    };
    let invocations = invocations("2");
    let [first, again, _] = &*invocations else {
        panic!("{} deliveries", invocations.len());
    };
    assert_eq!(failed.span.parent_span_id, first.span_id);
    assert_ne!(first.trace_id, again.trace_id);
    let [delivery, _] = &*targets(again) else {
        panic!("a delivery and an origin");
    };
    assert_eq!(delivery.trace_id, first.trace_id);
}

#[test]
fn calls_of_the_database_are_clients_and_tell_no_values() {
    let of_database = |received: &&Received| {
        let system = text(&received.span.attributes, "db.system.name");
        system == Some("sqlite")
    };
    let calls: Vec<_> = received().iter().filter(of_database).collect();
    // Of the shop: 3 orders stored, 2 messages sent; for each payment SELECT, INSERT queue and DELETE; two
    // UPDATEs where it was paid; for each shipment UPDATE and DELETE. Of the stock: 3 reservations, 2 shipments.
    assert_eq!(calls.len(), 3 + 2 + 3 * 3 + 2 + 2 * 2 + 3 + 2);
    for Received { span, .. } in calls {
        assert_eq!(span.kind(), SpanKind::Client);
        assert!(parent(span).is_some(), "{} is below who asked", span.name);
        let [operation, table, query] =
            ["db.operation.name", "db.collection.name", "db.query.text"].map(|key| {
                let value = text(&span.attributes, key);
                value.expect("what the conventions ask for")
            });
        assert_eq!(span.name, format!("{operation} {table}"));
        assert!(query.starts_with(operation) && !query.contains("4000 0000"));
    }
}

/// As the book says.
#[test]
fn continuous_an_order_is_one_trace() {
    let received = sell_in(&[("ENTER_SPAN_TRACE_MODE", "continuous")]);
    let traces: BTreeSet<_> = received.iter().map(|it| &*it.span.trace_id).collect();
    assert_eq!(traces.len(), 3);
    let consumers = received.iter().map(|it| it.span.kind());
    let consumers = consumers.filter(|kind| *kind == SpanKind::Consumer);
    assert_eq!(consumers.count(), 5);
}

/// Of three processes, which write at the same time.
#[test]
fn one_index_lists_the_pages_of_all_services() {
    let folder = env::temp_dir().join(format!("enter-span-shop-pages-{}", std::process::id()));
    let path = folder.to_str().expect("a path of ASCII");
    sell_in(&[(service::PAGES, path)]);
    let index = fs::read_to_string(folder.join("index.html")).expect("an index");
    let lines = index.lines().filter(|line| line.starts_with("[\"trace-"));
    let lines = lines.map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let listed: Vec<(String, Value)> = lines.collect();
    let services = listed.iter().map(|(_, summary)| &summary["service"]);
    let services: BTreeSet<_> = services.filter_map(Value::as_str).collect();
    assert_eq!(services, BTreeSet::from(["orders", "stock", "worker"]));
    let files = fs::read_dir(&folder).expect("the folder");
    let files = files.map(|file| file.expect("a file").file_name().into_string());
    let files = files.map(|name| name.expect("a name of ASCII"));
    let files: BTreeSet<_> = files.filter(|name| name != "index.html").collect();
    let names: BTreeSet<_> = listed.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, files);
    let links = listed.iter().map(|(_, summary)| &summary["links"]);
    let links = links.filter_map(Value::as_array).flatten();
    let links: BTreeSet<_> = links.filter_map(Value::as_str).collect();
    assert!(!links.is_empty(), "deliveries are linked");
    for link in links {
        let is_there = names.iter().any(|name| name.contains(link));
        assert!(is_there, "a page of trace {link}");
    }
    fs::remove_dir_all(&folder).expect("removed");
}

/// The card of an order is in the database and in no span.
#[test]
fn what_is_not_named_leaves_in_no_span() {
    for Received { span, .. } in received() {
        let told = format!("{span:?}");
        assert!(!told.contains("4000 0000"), "{told}");
    }
}

/// Its worker has died, say: after a while another one gets it.
#[test]
fn a_message_that_is_not_done_is_delivered_again() {
    let mut database = Connection::open_in_memory().expect("a database");
    database.execute_batch(queue::TABLE).expect("a table");
    let shop = database.transaction().expect("a transaction");
    let take = || queue::take(&shop).expect("a table that can be read");
    queue::start(&shop, queue::PAYMENTS, 7).expect("a message");

    assert_eq!(take().expect("a message").order, 7);
    assert!(take().is_none(), "somebody has it");
    shop.execute("UPDATE queue SET due = 0", [])
        .expect("the time goes by");
    let job = take().expect("the same message");
    assert_eq!((job.order, job.attempt), (7, 1));
    job.delete(&shop).expect("a job that is done");
    assert!(queue::is_empty(&shop).expect("a table that can be read"));
}

/// What the book shows is a part of what is printed.
#[test]
fn the_book_shows_what_is_printed() {
    let page = include_str!("../../docs/queues.md");
    let (_, shown) = page
        .split_once("```text\ntrace 4, of order 2\n")
        .expect("a trace of the shop");
    let (shown, _) = shown.split_once("```").expect("its end");
    let runtime = Runtime::new().expect("a runtime");
    let printed = runtime.block_on(command::sell_and_tell(start));
    let printed = printed.expect("a day of the shop");
    assert!(printed.contains(shown), "{printed}");
}
