//! What it costs to read the span of a request and to write one for the next, beside the SDK's
//! propagators, in one run.
//!
//! Arguments, both optional: the rounds, and the requests in each round.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;

use enter_span::propagation::Propagator;
use enter_span_benches::{Candidate, measure};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// An ordinary request: a browser's headers, behind a proxy that traces.
const REQUEST: [(&str, &str); 12] = [
    ("host", "shop.example"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("cookie", "session=0123456789abcdef0123456789abcdef"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "7f9c24e8-3b5a-4c1d-9e2f-8a6b5c4d3e2f"),
    ("content-length", "0"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
];

type Text = HashMap<String, String>;

/// What comes in, and what goes out, in both kinds of carriers.
struct Requests {
    headers: (HeaderMap, HeaderMap),
    text: (Text, Text),
}

fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &'static str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    of.iter().map(header).collect()
}

fn text(of: &[(&str, &str)]) -> Text {
    let own = |(name, value): &(&str, &str)| (String::from(*name), String::from(*value));
    of.iter().map(own).collect()
}

thread_local! {
    static REQUESTS: RefCell<Requests> = RefCell::new(Requests {
        headers: (headers(&REQUEST), headers(&REQUEST[..4])),
        text: (text(&REQUEST), text(&REQUEST[..4])),
    });
}

fn each(times: u64, pass: impl Fn(&mut Requests)) {
    REQUESTS.with_borrow_mut(|requests| {
        for _ in 0..times {
            pass(black_box(requests));
        }
    });
}

/// The default of the SDK: trace context and baggage.
fn of_the_sdk() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
}

fn ours_over_headers(times: u64) {
    let propagator = Propagator::new();
    each(times, |Requests { headers, .. }| {
        let context = propagator.extract(&headers.0).context();
        propagator.inject_context_of(&context, &mut headers.1);
    });
}

fn theirs_over_headers(times: u64) {
    let propagator = of_the_sdk();
    each(times, |Requests { headers, .. }| {
        let context = propagator.extract(&HeaderExtractor(&headers.0));
        propagator.inject_context(&context, &mut HeaderInjector(&mut headers.1));
    });
}

fn ours_over_text(times: u64) {
    let propagator = Propagator::new();
    each(times, |Requests { text, .. }| {
        let context = propagator.extract(&text.0).context();
        propagator.inject_context_of(&context, &mut text.1);
    });
}

/// Both by OpenTelemetry's trait for propagators.
fn pass(propagator: &dyn TextMapPropagator, text: &mut (Text, Text)) {
    let context = propagator.extract(&text.0);
    propagator.inject_context(&context, &mut text.1);
}

fn ours_by_the_trait(times: u64) {
    let propagator = Propagator::new();
    each(times, |Requests { text, .. }| pass(&propagator, text));
}

fn theirs_over_text(times: u64) {
    let propagator = of_the_sdk();
    each(times, |Requests { text, .. }| pass(&propagator, text));
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let rounds = arguments.next().and_then(Result::ok).unwrap_or(101);
    let requests = arguments.next().and_then(Result::ok).unwrap_or(2000);
    let candidates = [
        Candidate::new("enter_span, HeaderMap", ours_over_headers),
        Candidate::new("opentelemetry_sdk, HeaderMap", theirs_over_headers),
        Candidate::new("enter_span, HashMap", ours_over_text),
        Candidate::new(
            "enter_span, HashMap, as an OpenTelemetry propagator",
            ours_by_the_trait,
        ),
        Candidate::new("opentelemetry_sdk, HashMap", theirs_over_text),
    ];
    let samples = measure(&candidates, rounds, requests as u64);
    println!("extract and inject, ns a request: median (10th to 90th percentile)");
    for (candidate, samples) in candidates.iter().zip(&samples) {
        let (low, high) = samples.spread();
        println!(
            "{:54} {:6.0} ({low:.0}-{high:.0})",
            candidate.name,
            samples.median()
        );
    }
    let ratio = |ours: usize, theirs: usize| samples[ours].median() / samples[theirs].median();
    println!(
        "ratio: {:.2} HeaderMap, {:.2} HashMap, {:.2} by the trait",
        ratio(0, 1),
        ratio(2, 4),
        ratio(3, 4)
    );
}
