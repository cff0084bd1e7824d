//! When a trace is shown, and that nothing is lost.

use enter_span_pipeline::Console;
use futures::executor::block_on;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::{Screen, With as _, span, span_of};

/// Exports these batches, and gives what each of them has printed: the lines without their bars.
struct Shown {
    console: Console,
    screen: Screen,
}

impl Shown {
    fn new() -> Self {
        let screen = Screen::default();
        Shown {
            console: Console::to(screen.clone()).with_width(120),
            screen,
        }
    }

    #[track_caller]
    fn export(&self, batch: impl IntoIterator<Item = SpanData>) -> Vec<String> {
        let exported = self.console.export(batch.into_iter().collect());
        block_on(exported).expect("exported");
        self.lines()
    }

    fn lines(&self) -> Vec<String> {
        let text = self.screen.take();
        let lines = text.lines().filter(|line| !line.is_empty());
        lines
            .map(|line| match line.strip_prefix("trace ") {
                // The trace id is a number here, and the time of day is left out.
                Some(heading) => without_time(heading.trim_start_matches('0')),
                None => {
                    let label: String = line.chars().take(66).collect();
                    label.trim_end().to_owned()
                }
            })
            .collect()
    }

    fn flush(&self) -> Vec<String> {
        self.console.force_flush().expect("flushed");
        self.lines()
    }
}

fn without_time(heading: &str) -> String {
    let (id, rest) = heading.split_once("  ").expect("a time");
    let (time, rest) = rest.split_once("  ").expect("a count");
    assert!(time.ends_with(" UTC"), "{heading}");
    format!("{id}  {rest}")
}

const NOTHING: [String; 0] = [];

/// The spans of one thread stand behind those of another in a batch, however they started.
#[test]
fn traces_of_a_batch_are_shown_in_the_order_of_their_starts() {
    let shown = Shown::new();
    let of_one_thread = [
        span_of(3, 1, 0, "third", 30, 39),
        span_of(4, 1, 0, "fourth", 40, 49),
    ];
    let of_another = [
        span_of(1, 1, 0, "first", 10, 99),
        span_of(2, 1, 0, "second", 20, 29),
    ];
    let names = |lines: Vec<String>| {
        let names = lines
            .into_iter()
            .filter(|line| !line.starts_with(char::is_numeric));
        names.collect::<Vec<_>>()
    };
    let all = shown.export(of_one_thread.into_iter().chain(of_another));
    assert_eq!(names(all), ["first", "second", "third", "fourth"]);
    // The same holds for what a flush shows.
    let late = [
        span_of(6, 2, 1, "sixth", 60, 69),
        span_of(5, 2, 1, "fifth", 50, 59),
    ];
    assert_eq!(shown.export(late), NOTHING);
    assert_eq!(
        names(shown.flush()),
        ["fifth (parent missing)", "sixth (parent missing)"]
    );
}

#[test]
fn a_trace_is_shown_with_its_root_and_children_wait_for_it() {
    let shown = Shown::new();
    assert_eq!(shown.export([span(3, 2, "inner", 2, 3)]), NOTHING);
    assert_eq!(shown.export([span(2, 1, "outer", 1, 4)]), NOTHING);
    assert_eq!(
        shown.export([span(1, 0, "root", 0, 9)]),
        ["1  3 spans", "root", "└ outer", "  └ inner"]
    );
    assert_eq!(shown.flush(), NOTHING);
}

#[test]
fn a_span_below_a_remote_parent_is_a_root_here() {
    let shown = Shown::new();
    let served = [
        span(2, 1, "query", 1, 2),
        span(1, 77, "serve", 0, 9).remote(),
    ];
    assert_eq!(
        shown.export(served),
        ["1  2 spans", "serve (parent elsewhere)", "└ query"]
    );
}

/// Two requests of one trace: each is shown when it is finished.
#[test]
fn an_open_root_of_the_same_trace_holds_only_what_is_its_own() {
    let shown = Shown::new();
    let first = [
        span(11, 10, "of the second", 1, 2),
        span(2, 1, "of the first", 1, 2),
        span(1, 77, "first", 0, 9).remote(),
    ];
    assert_eq!(
        shown.export(first),
        ["1  2 spans", "first (parent elsewhere)", "└ of the first"]
    );
    assert_eq!(
        shown.export([span(10, 78, "second", 0, 9).remote()]),
        [
            "1  2 spans  continued",
            "second (parent elsewhere)",
            "└ of the second"
        ]
    );
}

#[test]
fn a_child_that_outlives_its_root_is_shown_as_one_more_part() {
    let shown = Shown::new();
    let root = [span(2, 1, "task", 1, 2), span(1, 0, "root", 0, 9)];
    assert_eq!(shown.export(root).len(), 3);
    // Its own child comes first, and waits for it.
    assert_eq!(shown.export([span(4, 3, "late child", 10, 11)]), NOTHING);
    assert_eq!(
        shown.export([span(3, 2, "late", 9, 12)]),
        [
            "1  2 spans  continued",
            "late (parent shown before)",
            "└ late child"
        ]
    );
}

#[test]
fn a_root_that_never_comes_is_shown_as_incomplete_by_a_flush() {
    let shown = Shown::new();
    let open = [span(2, 1, "child", 1, 2), span(3, 2, "inner", 1, 2)];
    assert_eq!(shown.export(open), NOTHING);
    assert_eq!(
        shown.flush(),
        [
            "1  2 spans  incomplete",
            "child (parent missing)",
            "└ inner"
        ]
    );
    assert_eq!(shown.flush(), NOTHING);
    assert_eq!(
        shown.export([span(4, 2, "more", 2, 3)]),
        ["1  1 span  continued", "more (parent shown before)"]
    );
    assert_eq!(
        shown.export([span(1, 0, "root", 0, 9)]),
        ["1  1 span  continued", "root"]
    );
}

#[test]
fn a_shutdown_shows_what_is_held_and_is_the_end() {
    let shown = Shown::new();
    shown.export([span(2, 1, "child", 1, 2)]);
    shown.console.shutdown().expect("shut down");
    assert_eq!(
        shown.lines(),
        ["1  1 span  incomplete", "child (parent missing)"]
    );
    let after = block_on(shown.console.export(vec![span(1, 0, "root", 0, 9)]));
    assert!(matches!(after, Err(OTelSdkError::AlreadyShutdown)));
    assert!(matches!(
        shown.console.shutdown(),
        Err(OTelSdkError::AlreadyShutdown)
    ));
}

#[test]
fn parents_in_a_circle_are_held_until_a_flush() {
    let shown = Shown::new();
    let circle = [
        span(1, 2, "a", 1, 9),
        span(2, 1, "b", 2, 9),
        span(3, 0, "root", 0, 9),
    ];
    assert_eq!(shown.export(circle), ["1  1 span", "root"]);
    assert_eq!(shown.flush()[0], "1  2 spans  continued  incomplete");
}

/// The one that came first makes room.
#[test]
fn traces_that_stay_open_are_bounded() {
    let shown = Shown::new();
    for trace in 1..=1_000 {
        assert_eq!(shown.export([span_of(trace, 2, 1, "child", 1, 2)]), NOTHING);
    }
    // Another span of a trace takes no place of its own.
    assert_eq!(shown.export([span_of(1, 3, 1, "child", 1, 2)]), NOTHING);
    let first = shown.export([span_of(1_001, 2, 1, "child", 1, 2)]);
    assert!(first[0].starts_with("1  2 spans  incomplete"), "{first:?}");
    assert_eq!(first.len(), 3);
    let rest = shown.flush();
    let headings = rest.iter().filter(|line| line.ends_with("incomplete"));
    assert_eq!(headings.count(), 1_000);
}

#[test]
fn spans_that_stay_open_are_bounded() {
    let shown = Shown::new();
    let children = (0..50_000).map(|id| span(2 + id, 1, "child", id, id + 1));
    assert_eq!(shown.export(children), NOTHING);
    let heading = &shown.export([span(60_000, 1, "child", 1, 2)])[0];
    assert!(
        heading.starts_with("1  50001 spans  incomplete"),
        "{heading}"
    );
    assert_eq!(
        shown.export([span(1, 0, "root", 0, 9)]),
        ["1  1 span  continued", "root"]
    );
}

#[test]
fn bytes_of_what_stays_open_are_bounded() {
    let shown = Shown::new();
    let large = |id| span(id, 1, "child", 1, 2).with("body", "x".repeat(1 << 20));
    for id in 0..63 {
        assert_eq!(shown.export([large(2 + id)]), NOTHING);
    }
    let heading = &shown.export([large(90)])[0];
    assert!(heading.starts_with("1  64 spans  incomplete"), "{heading}");
}

/// What is far back is forgotten, but what comes below it is not lost.
#[test]
fn what_comes_below_a_forgotten_span_is_shown_by_a_flush() {
    let shown = Shown::new();
    shown.export([span_of(1, 1, 0, "root", 0, 9)]);
    for trace in 2..13 {
        let root = [span_of(trace, 1, 0, "root", 0, 9)];
        let children = (0..10_000).map(|id| span_of(trace, 2 + id, 1, "child", 1, 2));
        shown.export(children.chain(root));
    }
    assert_eq!(shown.export([span_of(1, 2, 1, "late", 9, 10)]), NOTHING);
    assert_eq!(
        shown.flush(),
        ["1  1 span  incomplete", "late (parent missing)"]
    );
}
