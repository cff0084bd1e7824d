//! How far what came is believed.

use enter_span::prelude::*;
use enter_span::propagation::{Remote, Trust};
use enter_span::testing::{Recorder, Trace};
use enter_span::{Context, enter_span, extract, in_span};
use opentelemetry::baggage::BaggageExt as _;

use super::{PARENT, TRACE};

const REQUEST: [(&str, &str); 3] = [
    ("traceparent", PARENT),
    ("tracestate", "congo=1"),
    ("baggage", "tenant=shop"),
];

#[enter_span(kind = server, parent = caller)]
fn serve(caller: &Remote) -> Option<String> {
    let current = opentelemetry::Context::from(Context::current());
    let value = current.baggage().get("tenant").cloned();
    value.map(|value| value.to_string())
}

fn served(trust: Trust) -> (Trace, Option<String>) {
    let caller = extract(&REQUEST).with_trust(trust);
    assert_eq!(caller.trust(), trust);
    let mut tenant = None;
    let trace = Recorder::new().run(|| enter_span("thread", |_| tenant = serve(&caller)));
    (trace, tenant)
}

/// Believed, it is the parent, and its baggage is current.
#[test]
fn a_parent_is_believed() {
    let (trace, tenant) = served(Trust::Parent);
    let serve = trace.find("serve");
    assert_eq!(serve.span_context().trace_id().to_string(), TRACE);
    let parent = serve.parent_id().expect("a parent").to_string();
    assert_eq!(parent, "b7ad6b7169203331");
    assert!(serve.links().is_empty());
    assert_eq!(tenant.as_deref(), Some("shop"));
}

/// As a link it neither decides nor names: a new trace, which tells where it came from.
#[test]
fn a_link_is_no_parent() {
    let (trace, tenant) = served(Trust::Link);
    let serve = trace.find("serve");
    assert_ne!(serve.span_context().trace_id().to_string(), TRACE);
    assert_eq!(serve.parent_id(), None);
    let [link] = serve.links() else {
        panic!("one link, and not {:?}", serve.links());
    };
    assert_eq!(link.span_id().to_string(), "b7ad6b7169203331");
    assert_eq!(link.trace_id().to_string(), TRACE);
    assert_eq!(tenant, None);
}

/// A stranger's flag decides nothing: not sampled there is sampled here.
#[test]
fn a_linked_flag_does_not_decide() {
    let request = [("traceparent", format!("00-{TRACE}-b7ad6b7169203331-00"))];
    let stranger = extract(&request).with_trust(Trust::Link);
    let trace = Recorder::new().run(|| serve(&stranger));
    assert_eq!(trace.find("serve").links().len(), 1);
}

/// Ignored, it leaves nothing, and neither does the thread.
#[test]
fn an_ignored_one_leaves_nothing() {
    let (trace, tenant) = served(Trust::Ignore);
    let serve = trace.find("serve");
    assert_ne!(serve.span_context().trace_id().to_string(), TRACE);
    assert_eq!((serve.parent_id(), tenant), (None, None));
    assert!(serve.links().is_empty());
    let ignored = extract(&REQUEST).with_trust(Trust::Ignore);
    let trace = Recorder::new().run(|| in_span!("linked", root, links(&ignored), || ()));
    assert!(trace.find("linked").links().is_empty());
}

/// Extraction starts from nothing. What is current is neither a parent nor baggage of what came
/// without.
#[test]
fn extraction_starts_from_nothing() {
    let trace = Recorder::new().run(|| {
        in_span!("outer", parent = extract(&REQUEST), || {
            for request in [
                [("other", "1")],
                [("traceparent", "---")],
                [("baggage", "k=1")],
            ] {
                let caller = extract(&request);
                assert!(!caller.is_valid() && !caller.span_context().is_valid());
                assert_eq!(caller.baggage("tenant"), None);
                assert_eq!(serve(&caller), None);
                in_span!("linked", links(&caller), || ());
            }
        });
    });
    let roots = trace.spans().iter().filter(|span| span.name() == "serve");
    assert!(
        roots
            .clone()
            .all(|span| span.parent_id().is_none() && span.links().is_empty())
    );
    assert_eq!(roots.count(), 3);
    let linked = trace.spans().iter().filter(|span| span.name() == "linked");
    assert!(linked.clone().all(|span| span.links().is_empty()) && linked.count() == 3);
}

/// Baggage alone is no parent, and is restored.
#[test]
fn baggage_alone_is_restored() {
    let caller = extract(&[("baggage", "tenant=shop")]);
    let mut tenant = None;
    let trace = Recorder::new().run(|| enter_span("thread", |_| tenant = serve(&caller)));
    assert_eq!(trace.find("serve").parent_id(), None);
    assert_eq!(tenant.as_deref(), Some("shop"));
}

/// In linked work, what came without a parent is still linked to its cause.
#[test]
fn linked_work_stays_linked() {
    let stranger = extract(&REQUEST).with_trust(Trust::Link);
    let trace = Recorder::new().run(|| {
        enter_span("cause", |_| {
            (|| serve(&extract(&[("baggage", "tenant=shop")]))).linked_to_current_span()();
            (|| serve(&stranger)).linked_to_current_span()();
        });
    });
    let cause = trace.find("cause").span_id();
    let serves = trace.spans().iter().filter(|span| span.name() == "serve");
    let links: Vec<Vec<String>> = serves
        .map(|span| {
            span.links()
                .iter()
                .map(|link| link.span_id().to_string())
                .collect()
        })
        .collect();
    let cause = cause.to_string();
    assert_eq!(
        links,
        [
            vec![cause.clone()],
            vec![cause, "b7ad6b7169203331".to_owned()]
        ]
    );
}

/// A remote span can be linked to, once.
#[test]
fn a_remote_span_is_a_link() {
    let caller = extract(&REQUEST);
    let trace =
        Recorder::new().run(|| in_span!("work", root, links(&caller, Some(&caller)), || ()));
    let links = trace.find("work").links();
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].trace_id().to_string(), TRACE);
    let below = Recorder::new().run(|| (|| enter_span("work", |_| ())).in_span(&caller)());
    assert_eq!(
        below.spans()[0].span_context().trace_id().to_string(),
        TRACE
    );
}
