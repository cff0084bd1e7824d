//! Assertions on one span: each holds, and each fails with a message that can be read.

use std::sync::Mutex;

use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{Key, Span, Status, enter_span, in_span};

use super::message;

const ID: Key<u64> = Key::new("order.id");

#[enter_span(kind = client, attributes(ID = id))]
fn charge(id: u64) -> Result<(), std::num::ParseIntError> {
    let span = Span::current();
    span.add_event("retry", (("attempt", 2), ("cause", "time out")));
    span.add_event("retry", [("attempt", 3)]);
    "x".parse::<u8>().map(drop)
}

#[enter_span]
async fn hangs() {
    std::future::pending::<()>().await;
}

fn trace() -> Trace {
    let recorder = Recorder::new();
    recorder.run(|| {
        let cause = enter_span("cause", |span| span.span_context());
        in_span!("order", links(cause), |_| charge(7).is_err());
        let mut polled = Box::pin(hangs());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = std::future::Future::poll(polled.as_mut(), &mut cx);
    })
}

/// All that is so, in one chain.
#[test]
fn what_is_so_is_no_fault() {
    let trace = trace();
    trace
        .find("charge")
        .assert_kind("client")
        .assert_attribute("order.id", 7)
        .assert_attribute(ID, 7)
        .assert_attribute("absent", None::<i64>)
        .assert_no_attribute("order")
        .assert_event("retry", ())
        .assert_event("retry", [("cause", "time out")])
        .assert_event("retry", [("attempt", 3)])
        .assert_no_event("retr")
        .assert_error("ParseIntError")
        .assert_error(std::any::type_name::<std::num::ParseIntError>())
        .assert_status(&Status::error("invalid digit found in string"));
    let cause = trace.find("cause").span_context();
    trace
        .find("order")
        .assert_link(cause)
        .assert_succeeded()
        .assert_status(&Status::Unset);
    trace.find("hangs").assert_outcome("cancelled");
    assert_eq!(trace.find("hangs").outcome(), Some("cancelled"));
    assert_eq!(trace.find("order").outcome(), None);
    assert_eq!(trace.find("order").error_type(), None);
}

/// Each fault says what is there instead, and shows the span in its tree.
#[test]
fn what_is_not_so_is_told() {
    let trace = trace();
    let charge = trace.find("charge");
    let marked = "
  cause
  order ^cause
>   charge [client] order.id=7 !ParseIntError
  hangs ~cancelled";
    let told = |fault: &dyn Fn(&RecordedSpan), expected: &str| {
        let text = message(|| fault(charge));
        assert_eq!(text, format!("`charge` {expected}, in{marked}"));
    };
    told(
        &|span| _ = span.assert_kind("server"),
        "kind is `client`, and not `server`",
    );
    told(
        &|span| _ = span.assert_attribute(ID, 8),
        "`order.id` is 7, and not 8",
    );
    // The same digits are another value.
    told(
        &|span| _ = span.assert_attribute("order.id", "7 "),
        r#"`order.id` is 7, and not "7 ""#,
    );
    told(
        &|span| _ = span.assert_attribute("user", "ann"),
        "`user` is absent, and not ann",
    );
    told(
        &|span| _ = span.assert_attribute(ID, None::<u64>),
        "`order.id` is 7, and not absent",
    );
    told(
        &|span| _ = span.assert_no_attribute("order.id"),
        "`order.id` is 7",
    );
    let there = r#"; `retry attempt=2 cause="time out"` is there; `retry attempt=3` is there; `exception exception.type="#;
    let text = message(|| _ = charge.assert_event("retry", [("attempt", 4)]));
    let start = format!("`charge` has no event `retry attempt=4`{there}");
    assert!(text.starts_with(&start), "{text}");
    // No event has both: they are of two.
    message(|| _ = charge.assert_event("retry", (("attempt", 3), ("cause", "time out"))));
    let text = message(|| _ = charge.assert_no_event("retry"));
    assert!(
        text.starts_with(&format!("`charge` has an event `retry`{there}")),
        "{text}"
    );
    told(
        &|span| _ = span.assert_status(&Status::Ok),
        r#"status is Error("invalid digit found in string"), and not Ok"#,
    );
    told(
        &|span| _ = span.assert_outcome("cancelled"),
        "outcome is absent, and not `cancelled`",
    );
    told(&|span| _ = span.assert_succeeded(), "has not succeeded");
    let to = trace.find("hangs").span_context();
    let link = format!(
        "has no link to span {} of trace {}",
        to.span_id(),
        to.trace_id()
    );
    told(&|span| _ = span.assert_link(to), &link);
}

/// A failure is one by its status and by its type.
#[test]
fn a_type_without_a_failure_is_no_error() {
    let trace = Recorder::new().run(|| {
        enter_span("typed", |span| {
            span.set_attribute("error.type", "E");
        });
        enter_span("failed", |span| {
            span.set_status(Status::error(""));
        });
    });
    message(|| _ = trace.find("typed").assert_error("E"));
    message(|| _ = trace.find("failed").assert_error("E"));
    message(|| _ = trace.find("failed").assert_succeeded());
    trace.find("typed").assert_succeeded();
}

/// What is cancelled, and what is still open, has not succeeded.
#[test]
fn success_is_an_end() {
    message(|| _ = trace().find("hangs").assert_succeeded());
    let recorder = Recorder::new();
    recorder.enter(|| {
        enter_span("open", |_| {
            message(|| _ = recorder.trace().find("open").assert_succeeded());
        });
    });
    recorder.trace().find("open").assert_succeeded();
}

/// The place that a failed assertion names is the test's, and not the kit's.
#[test]
fn a_fault_is_placed_in_the_test() {
    static PLACES: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    if !crate::support::child::is_child("kit::assertion::a_fault_is_placed_in_the_test") {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().expect("a place");
        assert!(place.file().ends_with("assertion.rs"), "{place}");
        PLACES.lock().expect("no panic").push(place.line());
    }));
    let trace = trace();
    let span = trace.find("charge");
    let first = line!();
    message(|| trace.assert_tree(""));
    message(|| trace.assert_tree_contains("absent"));
    message(|| _ = trace.find("absent"));
    message(|| _ = span.assert_kind("server"));
    message(|| _ = span.assert_attribute(ID, 8));
    message(|| _ = span.assert_no_attribute("order.id"));
    message(|| _ = span.assert_event("absent", ()));
    message(|| _ = span.assert_no_event("retry"));
    message(|| _ = span.assert_link(span.span_context()));
    message(|| _ = span.assert_status(&Status::Ok));
    message(|| _ = span.assert_error("absent"));
    message(|| _ = span.assert_outcome("absent"));
    message(|| _ = span.assert_succeeded());
    let lines: Vec<u32> = (first + 1..line!()).collect();
    drop(std::panic::take_hook());
    let places = PLACES.lock().expect("no panic").clone();
    assert_eq!(places, lines);
}
