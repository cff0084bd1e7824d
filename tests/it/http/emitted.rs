//! What the layers write is what the table of their docs says: neither changes alone.

use std::collections::BTreeSet;
use std::convert::Infallible;

use ::http::{Request, Response};
use axum::body::Body;
use enter_span::testing::Trace;
use enter_span_http::{ClientLayer, ServerLayer, UrlTemplate};
use http_body_util::BodyExt as _;
use reqwest_middleware::ClientBuilder;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::reqwest::{Twice, orders};
use super::{all_told, record, serve};

/// The docs of the crate, as they are in its source.
const DOCS: &str = include_str!("../../../http/src/lib.rs");

const HEADING: &str = "//! # What it emits";

/// Each key of the table, by the sides that have a cross.
fn documented() -> BTreeSet<String> {
    let (_, table) = DOCS.split_once(HEADING).expect("the heading");
    let is_row = |line: &&str| line.starts_with("//! |");
    let rows = table.lines().skip_while(|line| !is_row(line));
    rows.take_while(is_row).skip(2).flat_map(row).collect()
}

fn row(row: &str) -> Vec<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let keys = || cells[1].split('`').skip(1).step_by(2);
    let sides = [("server", cells[2]), ("client", cells[3])];
    let sides = sides.into_iter().filter(|(_, cross)| *cross == "x");
    let on = |(side, _)| keys().map(move |key| format!("{side} {key}"));
    sides.flat_map(on).collect()
}

fn emitted(traces: &[Trace]) -> BTreeSet<String> {
    let spans = traces.iter().flat_map(|trace| trace.spans());
    let keys = spans.flat_map(|span| {
        let told = all_told(span).into_iter();
        told.map(|(key, _)| format!("{} {key}", span.kind()))
    });
    keys.collect()
}

/// Both sides of a request, who tell all that they can.
fn exchanged(request: Request<Body>, answer: Response<Body>) -> Trace {
    record(async |_| {
        let mut answer = Some(answer);
        let service = service_fn(move |_: Request<Body>| {
            let answer = answer.take().expect("one request");
            async { Ok::<_, Infallible>(answer) }
        });
        let server = ServerLayer::new().with_query().with_user_agent();
        let server = server.with_route(|_| Some("/orders/{id}".into()));
        let client = ClientLayer::new().with_query();
        let response = client.layer(server.layer(service)).oneshot(request).await;
        let body = response.expect("a response").into_body();
        body.collect().await.expect("a body");
    })
}

fn by_http() -> Trace {
    let request = Request::builder().method("BREW");
    let request = request.uri("http://orders.internal:8080/orders/7?pot=1");
    let request = request
        .header("user-agent", "a browser")
        .extension(UrlTemplate("/orders/{id}".into()));
    let answer = Response::builder().status(500).body(Body::empty());
    exchanged(
        request.body(Body::empty()).expect("a request"),
        answer.expect("a response"),
    )
}

/// The server does not have the method.
fn by_grpc(path: &str) -> Trace {
    let request = Request::post(format!("http://orders.internal:8080{path}"))
        .header("content-type", "application/grpc")
        .header("user-agent", "a channel");
    let answer = Response::builder().header("grpc-status", "12");
    exchanged(
        request.body(Body::empty()).expect("a request"),
        answer.body(Body::empty()).expect("a response"),
    )
}

fn again() -> Trace {
    record(async |recorder| {
        let url = serve(&recorder, orders()).await;
        let client = ClientBuilder::new(::reqwest::Client::new()).with(Twice);
        let client = client.with(ClientLayer::new()).build();
        let response = client.get(format!("{url}/none")).send().await;
        drop(response.expect("a response"));
    })
}

#[test]
fn the_table_of_the_docs_is_what_is_emitted() {
    let documented = documented();
    assert!(documented.len() > 20, "{documented:?}");
    // The second is no method at all.
    let by_grpc = ["/made.Up/Name", "/a.B/C/D"].map(by_grpc);
    let mut emitted = emitted(&[by_http(), again()]);
    emitted.extend(self::emitted(&by_grpc));
    // Of all spans, and in the table of `enter_span`.
    emitted.retain(|one| !one.ends_with(" enter_span.outcome"));
    assert_eq!(emitted, documented);
}
