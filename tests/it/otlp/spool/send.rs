//! What is written, and when it is sent.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use enter_span_pipeline::Error;
use rstest::rstest;

use super::{
    Folder, NOBODY, assert_books, drain, exporting, leave, limits, record, sorted, wait_until,
};
use crate::pipeline::otlp::build;
use crate::pipeline::{AGES, finished, in_memory};
use crate::support::child::is_child;
use crate::support::scripted::{Scripted, Then, answer, taken};

/// The queue has room for 80 spans, and 1,000 are recorded while the receiver is away. All of them arrive, each
/// once, and the folder is empty.
#[test]
fn an_outage_of_any_length_loses_nothing() {
    let folder = Folder::new("outage");
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let receiver = Scripted::start(move |number, stream| {
        let answer = if number == 0 {
            gate.lock().expect("the gate").recv().ok();
            answer("503 Service Unavailable", "retry-after: 0\r\n", b"")
        } else {
            taken()
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let limits = limits().with_queue_spans(80);
    let builder = exporting(receiver.url(), folder.spool()).with_limits(limits);
    let pipeline = build(builder);
    for number in 0..1_000 {
        record(&pipeline, number..number + 1);
        // The disk has its time: what is being written still takes room.
        wait_until(&pipeline, |counts| counts.queued <= 70);
    }
    let counts = pipeline.counts();
    assert!(counts.spooled >= 900, "{counts:?}");
    assert_eq!(counts.spool.sent, 0);
    drop(open);
    wait_until(&pipeline, |counts| {
        counts.queued == 0 && counts.spool.sent == counts.spooled
    });
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.dropped.total(), counts.spool.waiting), (0, 0));
    assert_books(&counts);
    // The first answer was that it is busy.
    let requests = receiver.requests();
    assert_eq!(sorted(&requests[1..]), (0..1_000).collect::<Vec<_>>());
    assert_eq!(folder.names(), [""; 0]);
    // Whole batches, as far as one file goes.
    assert!(requests.len() <= 130, "{}", requests.len());
}

/// The receiver is away, so nothing but the first request is tried, and the shutdown succeeds.
#[test]
fn what_has_not_left_at_a_shutdown_is_sent_by_the_next_run() {
    let folder = Folder::new("shutdown");
    let counts = leave(folder.spool(), 0..100);
    assert_eq!((counts.spooled, counts.dropped.total()), (100, 0));
    assert_books(&counts);
    let receiver = Scripted::answering(vec![taken()]);
    let arrived = drain(&receiver, folder.spool(), 100);
    assert_eq!(arrived, (0..100).collect::<Vec<_>>());
    assert_eq!(folder.names(), [""; 0]);
}

/// A receiver that takes connections and does not answer: the last part of the time is for the files. What was on
/// its way is in one of them too.
#[test]
fn a_shutdown_that_is_late_writes_what_is_left() {
    let folder = Folder::new("late");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let pipeline = build(exporting(&url, folder.spool()));
    record(&pipeline, 0..35);
    pipeline.shutdown(Duration::from_secs(2)).expect("written");
    let counts = pipeline.counts();
    assert_eq!((counts.spooled, counts.dropped.total()), (35, 0));
    assert_books(&counts);
    let receiver = Scripted::answering(vec![taken()]);
    let arrived = drain(&receiver, folder.spool(), 35);
    assert_eq!(arrived, (0..35).collect::<Vec<_>>());
}

/// Without time there is nothing to write with.
#[test]
fn a_shutdown_without_time_counts_what_it_could_not_write() {
    let folder = Folder::new("no-time");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let pipeline = build(exporting(&url, folder.spool()));
    record(&pipeline, 0..35);
    let ended = pipeline.shutdown(Duration::ZERO);
    let counts = pipeline.counts();
    let lost = counts.dropped.shutdown_timed_out;
    assert_eq!(lost + counts.spooled, 35, "{counts:?}");
    assert_eq!(matches!(ended, Err(Error::TimedOut(_))), lost > 0);
    assert_books(&counts);
}

/// What was sent again for too long is written, and not dropped.
#[test]
fn what_was_sent_again_for_long_is_kept() {
    let folder = Folder::new("retry-time");
    let limits = limits().with_retry_time(Duration::ZERO);
    let pipeline = build(exporting(NOBODY, folder.spool()).with_limits(limits));
    record(&pipeline, 0..5);
    pipeline.flush(AGES).expect("written in time");
    let counts = pipeline.counts();
    assert_eq!((counts.spooled, counts.dropped.total()), (5, 0));
    assert_books(&counts);
    assert!(pipeline.last_export_error().is_some());
}

/// A file that the receiver refuses for good is not sent for ever; one whose failure may pass is.
#[rstest]
#[case("400 Bad Request", (0, 7))]
#[case("503 Service Unavailable", (7, 0))]
fn a_file_is_kept_if_its_failure_may_pass(#[case] status: &str, #[case] expected: (u64, u64)) {
    let folder = Folder::new(&format!("kept-{}", &status[..3]));
    leave(folder.spool(), 0..7);
    let files = folder.names().len();
    let first = answer(status, "retry-after: 0\r\n", b"");
    let receiver = Scripted::answering(vec![first.clone(), first.clone(), first, taken()]);
    let pipeline = build(exporting(receiver.url(), folder.spool()));
    assert!(files <= 3, "{files}");
    wait_until(&pipeline, |counts| {
        counts.spool.sent + counts.spool.refused == 7
    });
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.spool.sent, counts.spool.refused), expected);
    assert_eq!(counts.recorded, 0);
    assert_eq!(folder.names(), [""; 0]);
}

/// A file that is not taken stands in nobody's way: others are sent.
#[test]
fn a_file_that_fails_lets_others_pass() {
    let folder = Folder::new("poison");
    leave(folder.spool(), 0..5);
    leave(folder.spool(), 5..10);
    let (busy, first) = (
        answer("503 Service Unavailable", "retry-after: 0\r\n", b""),
        folder.names()[0].clone(),
    );
    let receiver = Scripted::answering(vec![busy, taken()]);
    let pipeline = build(exporting(receiver.url(), folder.spool()));
    wait_until(&pipeline, |counts| counts.spool.sent == 10);
    pipeline.shutdown(AGES).expect("down in time");
    let requests = receiver.requests();
    let numbers: Vec<Vec<u64>> = requests
        .iter()
        .map(|request| super::numbers(std::slice::from_ref(request)))
        .collect();
    assert!(first.ends_with(".otlp"));
    assert_ne!(numbers[0], numbers[1]);
    assert_eq!(Some(&numbers[0]), numbers.last());
}

/// Each span counts once, whatever the exporter beside it has made of it.
#[test]
fn other_exporters_take_what_they_always_took() {
    let folder = Folder::new("beside");
    let exporter = in_memory();
    let builder = exporting(NOBODY, folder.spool()).with_otlp();
    let pipeline = build(builder.with_exporter(exporter.clone()));
    record(&pipeline, 0..25);
    wait_until(&pipeline, |_| finished(&exporter).len() == 25);
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.exported, counts.spooled), (0, 25));
    assert_books(&counts);
    let each = pipeline.exporter_counts();
    let kinds: Vec<(u64, u64)> = each.iter().map(|one| (one.exported, one.spooled)).collect();
    assert!(
        kinds.contains(&(25, 0)) && kinds.contains(&(0, 25)),
        "{kinds:?}"
    );
}

/// The report of an installed pipeline.
#[test]
fn the_diagnosis_counts_what_is_in_the_spool() {
    if !is_child("otlp::spool::send::the_diagnosis_counts_what_is_in_the_spool") {
        return;
    }
    let folder = Folder::new("diagnosis");
    leave(folder.spool(), 0..7);
    let builder = exporting(NOBODY, folder.spool());
    let pipeline = builder.install().expect("the first");
    wait_until(&pipeline, |counts| counts.spool.waiting == 7);
    let report = enter_span::diagnose().to_string();
    let line = "spans in its spool: 7; that were sent from there: 0";
    assert!(report.contains(line), "{report}");
}
