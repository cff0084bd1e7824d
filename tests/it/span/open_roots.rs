//! The local roots that are open: found from wherever their spans are carried to, and gone when they have ended.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use enter_span::testing::Recorder;
use enter_span::{OwnedSpan, Span, enter_span, extract, inject, start_span};
use opentelemetry::Context as OtelContext;

/// A span below this one, and what is current in it.
fn below(root: &OwnedSpan) -> (OwnedSpan, OtelContext) {
    let child = root.enter(|| start_span!("child"));
    let context = child.enter(OtelContext::current);
    (child, context)
}

/// However many are open: a thread that has not seen them finds each.
#[test]
fn each_of_many_open_roots_is_found_elsewhere() {
    Recorder::new().enter(|| {
        let roots: Vec<_> = (0..3_000).map(|_| start_span!("root", root)).collect();
        let (_children, contexts): (Vec<_>, Vec<_>) = roots.iter().map(below).unzip();
        let elsewhere = thread::spawn(move || {
            let root_in = |context: OtelContext| {
                let _attached = context.attach();
                Span::root().span_id()
            };
            contexts.into_iter().map(root_in).collect::<Vec<_>>()
        });
        let found = elsewhere.join().expect("no panic");
        let expected: Vec<_> = roots.iter().map(|root| root.span_id()).collect();
        let is_same = |(found, expected): &(_, _)| found == expected;
        let reached = found.iter().zip(&expected).filter(is_same);
        assert_eq!(reached.count(), expected.len());
    });
}

/// A caller that sends many requests in one trace: what is below each of them reaches its own root.
#[test]
fn each_of_many_open_roots_of_a_trace_is_reached() {
    let trace = Recorder::new().run(|| {
        let mut headers = Vec::<(String, String)>::new();
        enter_span("client", |_| inject(&mut headers));
        let caller = extract(&headers);
        let roots: Vec<_> = (0..300)
            .map(|number| start_span!("server", parent = &caller, attributes(number)))
            .collect();
        let children: Vec<_> = roots.iter().map(|root| below(root).0).collect();
        for (number, child) in children.iter().enumerate() {
            child.enter(|| _ = Span::root().set_attribute("reached", number));
        }
    });
    let reached = trace.find_all("server").filter(|server| {
        let number = server.attribute("number");
        number.is_some() && number == server.attribute("reached")
    });
    assert_eq!(reached.count(), 300);
}

/// Roots end while other threads look for them, and nothing is left of them when both are done.
#[test]
fn nothing_is_left_of_a_root_that_has_ended() {
    let value = Arc::new(());
    Recorder::new().enter(|| {
        let with_value = OtelContext::current_with_value(Arc::clone(&value));
        thread::scope(|threads| {
            let seeker = || {
                let (sender, receiver) = mpsc::sync_channel::<OtelContext>(0);
                threads.spawn(move || {
                    for context in receiver {
                        let _attached = context.attach();
                        (0..20).for_each(|_| drop(Span::root()));
                    }
                });
                sender
            };
            let seekers = [seeker(), seeker()];
            let _attached = with_value.attach();
            for _ in 0..2_000 {
                enter_span("root", |_| {
                    for seeker in &seekers {
                        seeker.send(OtelContext::current()).expect("it is there");
                    }
                });
            }
        });
    });
    assert_eq!(Arc::strong_count(&value), 1);
}

/// A root that starts on one thread and ends on another is known there until then.
#[test]
fn a_root_ends_on_another_thread() {
    let value = Arc::new(());
    Recorder::new().enter(|| {
        let attached = OtelContext::current_with_value(Arc::clone(&value)).attach();
        let root = start_span!("root", root);
        let (child, context) = below(&root);
        drop(attached);
        let span_id = root.span_id();
        let elsewhere = thread::spawn(move || {
            let attached = context.attach();
            assert_eq!(Span::root().span_id(), span_id);
            drop((child, root, attached));
        });
        elsewhere.join().expect("no panic");
    });
    assert_eq!(Arc::strong_count(&value), 1);
}
