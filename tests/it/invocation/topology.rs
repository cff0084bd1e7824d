//! Where the span of an invocation hangs, and what it is linked to.

use enter_span::invocation::{Carrier, Invocation, Message};
use enter_span::testing::Recorder;
use enter_span::{Tracer, enter_span, in_span};
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use super::{
    assert_says, continuous, delivered, execute, id_of, id_of_origin, invoked, linked, links,
    origin,
};
use crate::propagation::TRACE;

/// Linked, an invocation is a new root, linked to its delivery and then to its origin.
#[test]
fn linked_is_a_root_with_two_links() {
    let trace = invoked(&linked(&delivered(origin())));
    let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
    assert_eq!(execute.parent_id(), None);
    let trace_id = execute.span_context().trace_id();
    assert_ne!(trace_id.to_string(), TRACE);
    assert_ne!(trace_id, delivery.span_context().trace_id());
    assert_eq!(links(execute), [id_of(delivery), id_of_origin()]);
    assert_says(execute, "linked", true);
    // What it does is below it.
    assert_eq!(trace.find("step").parent_id(), Some(execute.span_id()));
}

/// An empty carrier is none; the delivery alone is linked.
#[test]
fn linked_without_an_origin_has_one_link() {
    for message in [
        Message::default(),
        delivered(Carrier::from_iter([("", "")])),
    ] {
        let trace = invoked(&linked(&message));
        let execute = trace.find("workflow.execute");
        assert_eq!(execute.parent_id(), None);
        assert_eq!(links(execute), [id_of(trace.find("queue delivery"))]);
        assert_says(execute, "linked", false);
    }
}

/// Below the local context it is in the delivery's trace, with one link, to the origin.
#[test]
fn linked_under_a_local_context_has_one_link() {
    let trace = invoked(&linked(&delivered(origin())).under_local_context());
    let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
    assert_eq!(execute.parent_id(), Some(delivery.span_id()));
    let [of_delivery, of_execute] = [delivery, execute].map(|span| span.span_context().trace_id());
    assert_eq!(of_execute, of_delivery);
    assert_eq!(links(execute), [id_of_origin()]);
    assert_says(execute, "linked", true);
}

/// Without an origin it is below the local context, and linked to nothing.
#[test]
fn linked_under_a_local_context_without_an_origin_has_no_link() {
    let trace = invoked(&linked(&Message::default()).under_local_context());
    let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
    assert_eq!(execute.parent_id(), Some(delivery.span_id()));
    assert!(links(execute).is_empty());
    assert_says(execute, "linked", false);
}

/// Who sent it is linked where nothing else would tell of it.
#[test]
fn linked_under_a_local_context_keeps_a_sender_without_an_origin() {
    let sent = Message::new(origin(), Carrier::default());
    let alone = Recorder::new().run(|| execute(&linked(&sent).under_local_context()));
    assert_eq!(links(alone.find("workflow.execute")), [id_of_origin()]);
    let trace = invoked(&linked(&sent).under_local_context());
    let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
    assert_eq!(execute.parent_id(), Some(delivery.span_id()));
    assert_eq!(links(execute), [id_of_origin()]);
}

/// Continuous, a message that names only who sent it is below that.
#[test]
fn continuous_without_an_origin_is_below_the_sender() {
    let trace = invoked(&continuous(&Message::new(origin(), Carrier::default())));
    let execute = trace.find("workflow.execute");
    assert_eq!(execute.span_context().trace_id().to_string(), TRACE);
    assert!(links(execute).is_empty());
    assert_says(execute, "continuous", false);
}

/// Without a local context it is a root all the same.
#[test]
fn linked_under_no_context_is_a_root() {
    let invocation = linked(&delivered(origin())).under_local_context();
    let trace = Recorder::new().run(|| execute(&invocation));
    let execute = trace.find("workflow.execute");
    assert_eq!(execute.parent_id(), None);
    assert_eq!(links(execute), [id_of_origin()]);
}

/// Continuous, it is a child of the origin, linked to its delivery.
#[test]
fn continuous_is_below_the_origin() {
    let trace = invoked(&continuous(&delivered(origin())));
    let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
    assert_eq!(execute.span_context().trace_id().to_string(), TRACE);
    let parent = execute.parent_id().expect("the origin").to_string();
    assert_eq!(parent, super::ORIGIN_SPAN);
    assert_eq!(links(execute), [id_of(delivery)]);
    assert_says(execute, "continuous", true);
}

/// Continuous without a carrier, it is below what is current, as a span without an invocation is.
#[test]
fn continuous_without_a_carrier_is_below_the_local_context() {
    let trace = invoked(&continuous(&Message::default()));
    let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
    assert_eq!(execute.parent_id(), Some(delivery.span_id()));
    assert!(links(execute).is_empty());
    assert_says(execute, "continuous", false);
}

/// A message that names its delivery was not delivered by what is current: a worker that polls a table.
#[test]
fn a_delivery_that_came_is_linked_and_not_the_local_one() {
    let delivery = Carrier::from_iter([(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )]);
    let trace = invoked(&linked(&Message::new(delivery, origin())));
    let sender = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    let execute = trace.find("workflow.execute");
    assert_eq!(links(execute), [sender.to_owned(), id_of_origin()]);
}

/// The origin is the delivery, in the first invocation of a run: one link, and none where it is the
/// parent.
#[test]
fn a_link_is_there_once() {
    let run = |under_local: bool| {
        Recorder::new().run(|| {
            enter_span("queue delivery", |_| {
                let invocation = linked(&delivered(Carrier::current()));
                if under_local {
                    execute(&invocation.under_local_context())
                } else {
                    execute(&invocation)
                }
            });
        })
    };
    let trace = run(false);
    let delivery = id_of(trace.find("queue delivery"));
    assert_eq!(links(trace.find("workflow.execute")), [delivery]);
    let trace = run(true);
    let parent = trace.find("queue delivery").span_id();
    assert_eq!(trace.find("workflow.execute").parent_id(), Some(parent));
    assert!(links(trace.find("workflow.execute")).is_empty());
}

/// Garbage, baggage alone and zero ids are no origin, in either mode; nothing is linked to
/// itself.
#[test]
fn what_cannot_be_used_is_no_origin() {
    let zero = "00-00000000000000000000000000000000-0000000000000000-01";
    let big = "x".repeat(1 << 20);
    let unusable = [
        ("traceparent", "garbage"),
        ("traceparent", zero),
        ("traceparent", "ünïcode\u{0}"),
        ("traceparent", &*big),
        ("baggage", "tenant=shop"),
    ];
    for entry in unusable {
        let message = delivered(Carrier::from_iter([entry]));
        let trace = invoked(&linked(&message));
        let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
        assert_eq!(execute.parent_id(), None);
        assert_eq!(links(execute), [id_of(delivery)]);
        assert_says(execute, "linked", false);

        let trace = invoked(&continuous(&message));
        let (delivery, execute) = (trace.find("queue delivery"), trace.find("workflow.execute"));
        assert_eq!(execute.parent_id(), Some(delivery.span_id()));
        assert!(links(execute).is_empty());
        assert_says(execute, "continuous", false);
    }
}

/// An origin that is not sampled decides for a span below it, and not for one that is linked to it.
#[test]
fn an_origin_that_is_not_sampled_decides_only_for_its_own_trace() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = Tracer::new(provider, "worker");
    let unsampled = format!("00-{TRACE}-{}-00", super::ORIGIN_SPAN);
    let message = delivered(Carrier::from_iter([("traceparent", unsampled)]));
    let in_mode = |invocation: Invocation| {
        in_span!("run", tracer = &tracer, invocation = &invocation, |span| {
            let current = opentelemetry::Context::current();
            (span.is_traced(), current.span().span_context().is_sampled())
        })
    };
    assert_eq!(in_mode(continuous(&message)), (false, false));
    assert_eq!(in_mode(linked(&message)), (true, true));
    let spans = exporter.get_finished_spans().expect("spans");
    let [span] = &*spans else {
        panic!("one span, and not {spans:?}");
    };
    assert_eq!(span.span_kind, SpanKind::Consumer);
    let [link] = &*span.links.links else {
        panic!("one link, and not {:?}", span.links);
    };
    assert_eq!(link.span_context.trace_id().to_string(), TRACE);
}

/// A carrier that was stored can be linked to later; one that cannot be used is no link and no
/// failure.
#[test]
fn a_stored_carrier_is_linked_later() {
    let trace = Recorder::new().run(|| {
        in_span!("hook.resume", |span| {
            span.add_link(origin());
            span.add_link(Carrier::from_iter([("traceparent", "garbage")]));
        });
    });
    assert_eq!(links(trace.find("hook.resume")), [id_of_origin()]);
}

/// The kind that is written holds.
#[test]
fn another_kind_can_be_said() {
    let invocation = linked(&delivered(origin()));
    let trace = Recorder::new().run(|| {
        in_span!("inline", kind = internal, invocation = invocation, || {});
    });
    assert_eq!(trace.find("inline").kind(), "internal");
}

/// It works in async code, below whatever polls it.
#[tokio::test]
async fn an_invocation_can_be_async() {
    #[enter_span(invocation = invocation)]
    async fn job(invocation: Invocation) -> bool {
        tokio::task::yield_now().await;
        Invocation::current().is_some()
    }
    let recorder = Recorder::new();
    let trace = recorder
        .run_async(async {
            assert!(job(linked(&delivered(origin()))).await);
        })
        .await;
    assert_eq!(links(trace.find("job")), [id_of_origin()]);
}
