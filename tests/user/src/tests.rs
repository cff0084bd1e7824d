//! The library's suite. Its tests run side by side, in a process whose provider is another one.

use std::sync::OnceLock;

use enter_span::Status;
use enter_span::testing::Recorder;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::{GRAMS, Letter, deliver, deliver_all, forward, sort, weigh};

fn letter(address: &str) -> Letter {
    Letter {
        address: address.to_owned(),
        stamp: 80,
    }
}

/// The provider of this process, as its `main` would install it: whichever test comes first does.
fn installed() -> &'static InMemorySpanExporter {
    static EXPORTER: OnceLock<InMemorySpanExporter> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
        enter_span::set_tracer_provider(provider.build());
        exporter
    })
}

/// A plain test: one call, and one tree.
#[test]
fn a_letter_is_sorted_by_its_town() {
    let letter = letter("Mill Lane 3, Oxford");
    let trace = Recorder::new().run(|| assert_eq!(sort(&letter).ok(), Some("Oxford")));
    trace.assert_tree("sort letter.stamp=80 return=Oxford");
    trace.assert_no_orphans();
}

/// An error, with all that is said of it; and nothing of the address.
#[test]
fn a_letter_without_a_town_fails() {
    let letter = letter("Mill Lane");
    let trace = Recorder::new().run(|| sort(&letter).is_err());
    trace
        .find("sort")
        .assert_kind("internal")
        .assert_error("Undeliverable")
        .assert_status(&Status::error("the address has no town"))
        .assert_event(
            "exception",
            [("exception.message", "the address has no town")],
        )
        .assert_no_attribute("return");
    assert!(!trace.redacted().contains("Mill Lane"));
}

/// Threads that are given their span: in any order, and in one tree.
#[test]
fn letters_are_weighed_on_threads() {
    installed();
    let letters = [letter("a, b"), letter("c")];
    let trace = Recorder::new().run(|| weigh(&letters)).sorted();
    trace.assert_tree(
        "
        weigh
          grams letter.grams=1
          grams letter.grams=4
        ",
    );
    trace.assert_no_orphans();
    let grams = trace.find("weigh").children();
    grams[0].assert_attribute(GRAMS, 1).assert_succeeded();
}

/// A future of one thread, and work that is linked to it.
#[tokio::test]
async fn a_letter_is_delivered() {
    let trace = {
        let recorder = Recorder::new();
        let work = deliver(letter("Mill Lane 3, Oxford"));
        recorder.enter_async(work).await.expect("a town");
        // The linked task: one turn to start, and one to end.
        while !recorder
            .trace()
            .find_all("confirm")
            .any(|span| span.is_ended())
        {
            tokio::task::yield_now().await;
        }
        recorder.trace()
    };
    trace.assert_no_orphans();
    let delivered = trace.find("deliver").assert_succeeded();
    let confirmed = trace.find("confirm").assert_kind("producer");
    assert!(confirmed.is_root());
    confirmed.assert_link(delivered.span_context());
    insta::assert_snapshot!(trace.redacted(), @r"
    <trace 1> <span 1> deliver [client]
      <span 2> sort letter.stamp=80 return=Oxford
      <span 3> drive town=Oxford
        • arrived stops=3
    <trace 2> <span 4> confirm [producer] stamp=80 ^<span 1>
    ");
}

/// Tasks on several workers: what matters, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn letters_are_delivered_by_tasks() {
    installed();
    let letters = vec![letter("a, Oxford"), letter("b"), letter("c, Rome")];
    let recorder = Recorder::new();
    let trace = recorder.run_async(deliver_all(letters)).await.sorted();
    trace.assert_tree_contains(
        "
        deliver_all return=2
          deliver
            drive town=Oxford
          deliver
            drive town=Rome
          deliver !Undeliverable
            sort !Undeliverable
        ",
    );
    assert_eq!(trace.find("deliver_all").children().len(), 3);
    trace.assert_no_orphans();
}

/// A future that is dropped halfway.
#[tokio::test]
async fn a_delivery_can_be_cancelled() {
    let recorder = Recorder::new();
    let work = recorder.enter_async(deliver(letter("a, Oxford")));
    tokio::select! {
        biased;
        _ = work => panic!("it waits for its turn"),
        () = std::future::ready(()) => {}
    }
    let trace = recorder.trace();
    trace.find("deliver").assert_outcome("cancelled");
    insta::assert_snapshot!(trace, @r"
    deliver [client] ~cancelled
      sort letter.stamp=80 return=Oxford
      drive town=Oxford ~cancelled
    ");
}

/// The bug that such tests are for: on the thread of the test it is an orphan, though the provider
/// of the process records it.
#[tokio::test]
async fn a_lost_context_is_found() {
    installed();
    let trace = Recorder::new().run_async(forward(letter("a, b"))).await;
    trace.assert_tree(
        "
        forward
        orphan sort
        ",
    );
    let lost = std::panic::catch_unwind(|| trace.assert_no_orphans());
    let message = lost.expect_err("an orphan");
    let message = message.downcast_ref::<String>().expect("a message");
    assert!(message.contains("without a context: sort"), "{message}");
}

/// What a recorder runs does not reach the provider of the process, and the rest does.
#[test]
fn the_installed_provider_sees_the_rest_alone() {
    let exporter = installed();
    let of_recorder = letter("a, Recorded");
    Recorder::new().run(|| sort(&of_recorder).is_ok());
    let of_process = letter("a, Exported");
    sort(&of_process).expect("a town");
    let exported = exporter.get_finished_spans().expect("spans");
    let towns: Vec<_> = exported
        .iter()
        .flat_map(|span| &span.attributes)
        .filter(|attribute| attribute.key.as_str() == "return")
        .map(|attribute| attribute.value.to_string())
        .collect();
    assert!(towns.iter().any(|town| town == "Exported"), "{towns:?}");
    assert!(!towns.iter().any(|town| town == "Recorded"), "{towns:?}");
}
