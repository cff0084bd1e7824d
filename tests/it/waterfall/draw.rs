//! What is drawn, as text. In 60 columns the label has 30 and the bar 20.

use std::time::Duration;

use enter_span_pipeline::waterfall::{Color, draw};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanKind};
use opentelemetry_sdk::trace::SpanData;
use rstest::rstest;

use super::{With as _, at, identity, span};

/// Draws in 60 columns and leaves the heading away.
fn rows(spans: &[SpanData]) -> Vec<String> {
    let text = draw(spans, 60, Color::None);
    text.lines().skip(1).map(str::to_owned).collect()
}

/// The bar's columns of each row.
fn bars(spans: &[SpanData]) -> Vec<String> {
    let rows = rows(spans);
    let bar = |row: &String| row.chars().skip(31).take(20).collect();
    rows.iter().map(bar).collect()
}

/// The labels, without their padding.
fn labels(spans: &[SpanData]) -> Vec<String> {
    let label = |row: &String| {
        row.chars()
            .take(30)
            .collect::<String>()
            .trim_end()
            .to_owned()
    };
    rows(spans).iter().map(label).collect()
}

#[test]
fn no_spans_are_no_text() {
    assert_eq!(draw(&[], 80, Color::Ansi), "");
}

#[test]
fn children_stand_below_their_parents_in_the_order_of_their_starts() {
    let spans = [
        span(4, 2, "parse", 2_000, 4_000),
        span(3, 1, "write", 12_000, 20_000),
        span(2, 1, "read", 0, 10_000).with("file.size", 8),
        span(1, 0, "copy", 0, 20_000),
    ];
    let drawn = draw(&spans, 60, Color::None);
    let expected = "\
trace 00000000000000000000000000000001  4 spans
copy                           ████████████████████  20.0 ms
├ read file.size=8             ██████████            10.0 ms
│ └ parse                        ██                  2.00 ms
└ write                                    ████████  8.00 ms
";
    assert_eq!(drawn, expected);
}

#[test]
fn bars_are_to_scale_within_an_eighth_of_a_column() {
    let spans = [
        span(1, 0, "all", 0, 20_000),
        span(2, 1, "halves", 2_500, 4_500),
        span(3, 1, "eighths", 5_000, 6_375),
        span(4, 1, "inside", 8_000, 8_250),
    ];
    assert_eq!(
        bars(&spans),
        [
            "████████████████████",
            "  ▐█▌               ",
            "     █▍             ",
            "        ▎           ",
        ]
    );
}

#[test]
fn a_span_without_length_can_be_seen_wherever_it_is() {
    let spans = [
        span(1, 0, "all", 0, 20_000),
        span(2, 1, "first", 0, 0),
        span(3, 1, "last", 20_000, 20_000),
    ];
    assert_eq!(
        bars(&spans)[1..],
        ["▏                   ", "                   ▕"]
    );
    let alone = bars(&[span(1, 0, "alone", 7, 7)]);
    assert_eq!(
        alone,
        ["▏                   "],
        "on a time line of no length"
    );
}

#[test]
fn an_end_before_the_start_takes_no_time() {
    let spans = [
        span(1, 0, "all", 0, 20_000),
        span(2, 1, "odd", 10_000, 5_000),
    ];
    let row = &rows(&spans)[1];
    assert!(row.ends_with("0 ns"), "{row}");
    assert_eq!(bars(&spans)[1], "          ▏         ");
}

#[test]
fn a_child_outside_of_its_parents_time_stands_where_it_was() {
    let spans = [
        span(1, 0, "request", 5_000, 10_000),
        span(2, 1, "early", 0, 5_000),
        span(3, 1, "late", 15_000, 20_000),
    ];
    assert_eq!(
        bars(&spans),
        [
            "     █████          ",
            "█████               ",
            "               █████",
        ]
    );
}

#[test]
fn a_span_whose_parent_is_not_there_stands_at_the_top_and_says_why() {
    let mut remote = span(3, 98, "served", 6_000, 9_000);
    remote.parent_span_is_remote = true;
    let spans = [
        span(1, 0, "root", 0, 20_000),
        span(2, 99, "lost", 5_000, 10_000),
        span(4, 2, "child", 6_000, 7_000),
        remote,
    ];
    assert_eq!(
        labels(&spans),
        [
            "root",
            "lost (parent missing)",
            "└ child",
            "served (parent elsewhere)",
        ]
    );
    let drawn = draw(&spans, 60, Color::None);
    let heading = "trace 00000000000000000000000000000001  4 spans  20.0 ms\n";
    assert!(drawn.starts_with(heading), "{drawn}");
}

#[test]
fn each_trace_has_its_own_time_line_and_the_earliest_is_first() {
    let mut later = span(1, 0, "later", 1_000_000, 2_000_000);
    later.span_context = identity(2, 1);
    let drawn = draw(&[later, span(1, 0, "earlier", 0, 20_000)], 60, Color::None);
    let expected = "\
trace 00000000000000000000000000000001  1 span
earlier                        ████████████████████  20.0 ms

trace 00000000000000000000000000000002  1 span
later                          ████████████████████   1.00 s
";
    assert_eq!(drawn, expected);
}

#[test]
fn parents_in_a_circle_are_shown_once_each() {
    let spans = [
        span(1, 3, "a", 1, 9),
        span(2, 1, "b", 2, 9),
        span(3, 2, "c", 3, 9),
        span(4, 4, "own parent", 4, 9),
    ];
    let labels = labels(&spans);
    assert_eq!(
        labels,
        [
            "a (parent missing)",
            "└ b",
            "  └ c",
            "own parent (parent missing)"
        ]
    );
}

#[test]
fn two_spans_of_one_id_are_both_shown() {
    let spans = [
        span(1, 0, "one", 0, 9),
        span(1, 0, "two", 1, 9),
        span(2, 1, "child", 2, 3),
    ];
    assert_eq!(labels(&spans), ["one", "└ child", "two"]);
}

#[test]
fn a_failure_is_explained_once_where_it_happened() {
    let spans = [
        span(1, 0, "report", 0, 20_000),
        span(2, 1, "read", 0, 10_000).failed("std::io::Error", "no such file"),
        span(3, 2, "open", 0, 5_000).failed("std::io::Error", "no such file"),
        span(4, 1, "parse", 0, 5_000).failed("503", ""),
    ];
    let rows = rows(&spans);
    let starts: Vec<&str> = rows
        .iter()
        .map(|row| row.split("  ").next().unwrap_or(""))
        .collect();
    assert_eq!(starts[..3], ["report", "├ parse !503", "└ read !Error"]);
    assert!(rows[3].starts_with("  └ open !Error "), "{}", rows[3]);
    assert_eq!(rows[4..], ["      ! no such file"]);
    let heading = draw(&spans, 60, Color::None);
    assert!(
        heading
            .lines()
            .next()
            .is_some_and(|line| line.ends_with("4 spans  3 failed"))
    );
}

#[test]
fn what_the_row_says_already_is_not_repeated_as_an_attribute() {
    let spans = [span(1, 0, "ask", 0, 9)
        .with("code.function.name", "ask")
        .with("enter_span.outcome", "cancelled")
        .with("word", "two words")];
    assert_eq!(labels(&spans), ["ask ~cancelled word=\"two word…"]);
}

/// What a bridge adds to each span and event stands behind what the code says.
#[test]
fn attributes_of_the_thread_the_level_and_the_target_stand_last() {
    let background = |span: SpanData| {
        span.with("thread.id", 7)
            .with("level", "INFO")
            .with("code.line.number", 41)
            .with("target", "sqlx::query")
    };
    let query = background(span(1, 0, "query", 0, 9)).with("rows", 2);
    let mut query = query.with("levels", 3);
    let attributes = query.attributes.clone();
    query.events.events = vec![Event::new("row", at(1), attributes, 0)];
    let drawn = draw(&[query], 200, Color::None);
    let expected = " rows=2 levels=3 thread.id=7 level=INFO target=sqlx::query";
    for start in ["query".to_owned(), "  • row +1.00 µs".to_owned()] {
        assert!(drawn.contains(&format!("\n{start}{expected}")), "{drawn}");
    }
}

/// Characters that only look like blanks are spelled out there too.
/// Each reason once, in the order of the spans, and not as an attribute too.
#[test]
fn the_heading_says_why_a_policy_has_kept_a_trace() {
    let spans = [
        span(1, 0, "order", 0, 20_000).with("enter_span.kept", "error"),
        span(2, 1, "local", 1_000, 20_000),
        span(3, 9, "below another service", 2_000, 20_000).with("enter_span.kept", "with debug"),
        span(4, 9, "the same again", 3_000, 20_000).with("enter_span.kept", "error"),
    ];
    let drawn = draw(&spans, 100, Color::None);
    let heading = drawn.lines().next().expect("a heading");
    assert!(
        heading.contains("  4 spans  kept: error, with debug"),
        "{heading}"
    );
    assert!(!drawn.contains("enter_span.kept"));
    let drawn = draw(&[span(1, 0, "order", 0, 20_000)], 100, Color::None);
    assert!(!drawn.contains("kept"));
}

#[test]
fn a_statement_is_on_one_line() {
    let statement = "\n  SELECT id,\r\n\t name\n    FROM\u{a0}orders\n";
    for key in ["db.query.text", "db.statement"] {
        let drawn = draw(
            &[span(1, 0, "query", 0, 9).with(key, statement)],
            200,
            Color::None,
        );
        let expected = format!("query {key}=\"SELECT id, name FROM\\u{{a0}}orders\" ");
        assert!(drawn.contains(&expected), "{drawn}");
    }
    let other = draw(
        &[span(1, 0, "query", 0, 9).with("note", "a\n  b")],
        200,
        Color::None,
    );
    assert!(other.contains(r#"note="a\n  b""#), "{other}");
}

#[test]
fn a_heading_has_the_time_of_day_if_there_is_room() {
    let mut spans = [span(2, 1, "child", 0, 9), span(1, 0, "root", 0, 9)];
    // A day, and 13:46:40.007, before the second that `at` adds.
    let start = Duration::from_millis(86_400_000 + 49_600_007);
    spans[1].start_time = at(0) + start;
    spans[0].start_time = at(0) + start + Duration::from_secs(1);
    let heading = |width| {
        let drawn = draw(&spans, width, Color::None);
        drawn.lines().next().unwrap_or_default().to_owned()
    };
    let id = "trace 00000000000000000000000000000001";
    assert_eq!(heading(80), format!("{id}  13:46:41.007 UTC  2 spans"));
    // 38 + 18 + 9 columns.
    assert_eq!(heading(65), heading(80));
    assert_eq!(heading(64), format!("{id}  2 spans"));
}

/// Spans of other threads start in between, and stay there, whatever is folded around them.
#[test]
fn siblings_stand_in_the_order_of_their_starts_also_in_a_long_run() {
    let mut spans = vec![span(1, 0, "all", 0, 100)];
    // The list of one thread comes behind that of the other.
    spans.extend((0..12).map(|n| span(10 + n, 1, "read", 1 + 5 * n, 4 + 5 * n)));
    spans.extend([0, 2, 55].map(|start| span(100 + start, 1, "rank", start, start + 1)));
    assert_eq!(
        labels(&spans)[1..],
        [
            "├ rank",
            "├ read",
            "├ rank",
            "├ read",
            "├ read",
            "├ rank",
            "└ … 9 more read, each 3.00 µs…",
        ]
    );
}

#[test]
fn the_kind_is_named_unless_it_is_internal() {
    let mut call = span(1, 0, "GET", 0, 9);
    call.span_kind = SpanKind::Client;
    assert_eq!(labels(&[call]), ["GET (client)"]);
}

#[test]
fn a_long_run_shows_the_first_the_slowest_and_the_failed_and_counts_the_rest() {
    let mut spans = vec![span(1, 0, "all", 0, 200_000)];
    for n in 0..100 {
        let (start, id) = (n * 1_000, 10 + n);
        let took = if n == 50 || n == 60 { 5_000 } else { 1_000 };
        let read =
            span(id, 1, "read", start, start + took).with("n", i64::try_from(n).unwrap_or(0));
        spans.push(if n == 70 { read.failed("E", "") } else { read });
    }
    // What is in a folded span is folded with it.
    spans.push(span(900, 15, "inner", 5_000, 5_500));
    spans.push(span(901, 1, "rank", 150_000, 200_000));
    assert_eq!(
        labels(&spans),
        [
            "all",
            "├ read n=0",
            "├ read n=1",
            "├ read n=2",
            "├ read n=50",
            "├ read n=60",
            "├ read !E n=70",
            "├ … 94 more read, each 1.00 m…",
            "└ rank",
        ]
    );
    let rows = rows(&spans);
    assert!(rows[7].ends_with("94.0 ms"), "{}", rows[7]);
    assert_eq!(
        bars(&spans)[7],
        "░░░░░░░░░░          ",
        "from the start of n=3 to the end of n=99, in columns of 10 ms"
    );
}

#[test]
fn trouble_inside_of_a_run_is_not_folded_away_unseen() {
    let mut spans = Vec::new();
    for n in 0..40 {
        spans.push(span(1 + n, 0, "job", n, n + 1));
        spans.push(span(100 + n, 1 + n, "step", n, n + 1).failed("E", ""));
    }
    // Three are both the first and the first in trouble; as all took the same time, two of them are
    // the slowest too.
    let drawn = draw(&spans, 100, Color::None);
    let folded = drawn.lines().find(|line| line.starts_with('…'));
    let text = "… 37 more job, 37 with trouble, each 1.00 µs–1.00 µs,… ";
    assert!(folded.is_some_and(|line| line.starts_with(text)), "{drawn}");
}

#[test]
fn ten_of_a_kind_are_all_shown() {
    let spans: Vec<_> = (0..10).map(|n| span(1 + n, 0, "read", n, n + 1)).collect();
    assert_eq!(labels(&spans), ["read"; 10]);
}

#[test]
fn hostile_text_cannot_reach_the_terminal() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\n\t\u{0}\u{7f}\u{202e}\u{2066}\u{2028}";
    let spans = [
        span(1, 0, hostile, 0, 9)
            .with("plain", hostile)
            .failed(hostile, hostile),
        span(2, 1, "child", 0, 9).with(hostile, 1),
    ];
    let many = (0..20).map(|n| span(10 + n, 1, hostile, 0, 9));
    let spans: Vec<_> = spans.into_iter().chain(many).collect();
    let drawn = draw(&spans, 2000, Color::None);
    let bad = drawn
        .chars()
        .find(|&c| c != '\n' && (c.is_control() || "\u{202e}\u{2066}\u{2028}".contains(c)));
    assert_eq!(bad, None);
    // A heading, the root and its error, the child, three of the others, and one for the rest.
    assert_eq!(drawn.lines().count(), 8);
    let escaped = r"\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\n\t\u{0}\u{7f}\u{202e}\u{2066}\u{2028}";
    assert!(drawn.contains(escaped), "{drawn}");
}

/// One of each kind that is not to be seen, or looks like a plain space. What is read as a text stays one,
/// with its accents and in every script.
#[rstest]
#[case("zero width", "a\u{200b}b", r"a\u{200b}b")]
#[case("joiners", "\u{200c}\u{200d}", r"\u{200c}\u{200d}")]
#[case("soft hyphen", "pass\u{ad}word", r"pass\u{ad}word")]
#[case("combining joiner", "a\u{34f}", r"a\u{34f}")]
#[case(
    "Hangul fillers",
    "\u{115f}\u{1160}\u{3164}\u{ffa0}",
    r"\u{115f}\u{1160}\u{3164}\u{ffa0}"
)]
#[case("Khmer vowels", "\u{17b4}\u{17b5}", r"\u{17b4}\u{17b5}")]
#[case("Mongolian", "\u{180b}\u{180e}\u{180f}", r"\u{180b}\u{180e}\u{180f}")]
#[case(
    "variations",
    "\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}",
    r"\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}"
)]
#[case("tags", "\u{e0001}\u{e0041}", r"\u{e0001}\u{e0041}")]
#[case("directions", "\u{202e}\u{2066}\u{61c}", r"\u{202e}\u{2066}\u{61c}")]
#[case("no break", "a\u{a0}b\u{202f}", r"a\u{a0}b\u{202f}")]
#[case("wide", "a\u{3000}b\u{2003}", r"a\u{3000}b\u{2003}")]
#[case("Braille blank", "\u{2800}", r"\u{2800}")]
#[case("music", "\u{1d159}\u{1d173}", r"\u{1d159}\u{1d173}")]
#[case("shorthand", "\u{1bca0}", r"\u{1bca0}")]
#[case("formats", "\u{600}\u{13430}\u{fff9}", r"\u{600}\u{13430}\u{fff9}")]
#[case("words", "déjà e\u{301} \u{2423}", "déjà e\u{301} \u{2423}")]
#[case(
    "scripts",
    "日本語 한국어 हिन्दी ไทย עברית",
    "日本語 한국어 हिन्दी ไทย עברית"
)]
#[case("pictures", "🎉 — … „“ ⠿", "🎉 — … „“ ⠿")]
fn what_is_not_to_be_seen_is_spelled_out(
    #[case] _what: &str,
    #[case] name: &str,
    #[case] expected: &str,
) {
    let drawn = draw(&[span(1, 0, name, 0, 9)], 240, Color::None);
    assert!(drawn.contains(&format!("\n{expected} ")), "{drawn}");
}

#[test]
fn an_endless_text_is_cut_before_it_is_looked_at() {
    let text = "x".repeat(5_000_000);
    let drawn = draw(
        &[span(1, 0, "all", 0, 9).failed("E", &text)],
        60,
        Color::None,
    );
    assert!(drawn.len() < 1_000, "{}", drawn.len());
}

#[test]
fn colours_say_failed_and_cancelled_and_change_nothing_else() {
    let spans = [
        span(1, 0, "all", 0, 20_000),
        span(2, 1, "bad", 0, 10_000).failed("E", "why"),
        span(3, 1, "late", 0, 10_000).with("enter_span.outcome", "cancelled"),
    ];
    let colourful = draw(&spans, 60, Color::Ansi);
    assert!(
        colourful.contains("\u{1b}[31mbad\u{1b}[0m"),
        "{colourful:?}"
    );
    assert!(
        colourful.contains("\u{1b}[31m! why\u{1b}[0m"),
        "{colourful:?}"
    );
    assert!(
        colourful.contains("\u{1b}[33mlate\u{1b}[0m"),
        "{colourful:?}"
    );
    assert_eq!(without_colours(&colourful), draw(&spans, 60, Color::None));
}

/// Fails for any sequence that is not a color.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((code, rest)) = part.split_once('m') else {
            panic!("no color: {part:?}");
        };
        assert!(code.chars().all(|c| c.is_ascii_digit()), "{code:?}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn no_line_is_wider_than_asked_for() {
    let mut spans = vec![
        span(1, 0, "日本語の名前はとても長いので切られる", 0, 20_000).with("鍵", "値".repeat(100)),
        span(2, 1, "e\u{301}le\u{300}ve", 0, 10_000)
            .failed("E", "なぜなら、とても長い説明だから、切られる"),
    ];
    spans.extend((3..40).map(|id| span(id, id - 1, "deeper", id, 20_000)));
    for width in [40, 60, 79, 80, 120] {
        for line in draw(&spans, width, Color::None).lines() {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            assert!(columns <= width, "{columns} > {width}: {line}");
        }
    }
}

#[test]
fn wide_characters_take_their_two_columns() {
    let rows = rows(&[span(1, 0, "日本語", 0, 20_000)]);
    let expected = format!("日本語{} ████████████████████  20.0 ms", " ".repeat(24));
    assert_eq!(rows, [expected]);
}

#[test]
fn a_terminal_that_is_too_narrow_gets_forty_columns() {
    let spans = [span(1, 0, "all", 0, 20_000)];
    assert_eq!(draw(&spans, 0, Color::None), draw(&spans, 40, Color::None));
}

#[test]
fn deep_nesting_keeps_the_innermost_lines() {
    let spans: Vec<_> = (1..=12).map(|id| span(id, id - 1, "in", id, 99)).collect();
    let labels = labels(&spans);
    assert_eq!(labels[1], "└ in");
    assert_eq!(labels[8], format!("{}└ in", "  ".repeat(7)));
    assert_eq!(labels[11], format!("… {}└ in", "  ".repeat(7)));
}

#[test]
fn depth_is_bounded_and_what_is_deeper_is_counted() {
    let spans: Vec<_> = (1..=30_000)
        .map(|id| span(id, id - 1, "in", id, 200_000))
        .collect();
    let labels = labels(&spans);
    assert_eq!(labels.len(), 33 + 1);
    let last = format!("… {}└ … 29967 spa…", "  ".repeat(7));
    assert_eq!(labels[33], last);
}

#[test]
fn rows_are_bounded_and_the_rest_is_counted() {
    let mut spans = vec![span(1, 0, "all", 0, 9_000)];
    for n in 0..2_000 {
        let name = format!("GET /{n}");
        let one = span(2 + n, 1, &name, n, n + 1);
        spans.push(if n > 1_989 { one.failed("E", "") } else { one });
    }
    let labels = labels(&spans);
    assert_eq!(labels.len(), 500 + 1);
    assert_eq!(labels[500], "… 1501 spans more, 10 with tr…");
}

#[test]
fn what_is_below_folded_siblings_is_counted() {
    let mut spans = Vec::new();
    for n in 0..20 {
        spans.push(span(1 + n, 0, "job", n, n + 1));
        spans.push(span(100 + n, 1 + n, "step", n, n + 1));
    }
    let drawn = draw(&spans, 120, Color::None);
    let folded = "\n… 17 more job, each 1.00 µs–1.00 µs, with 17 inside ";
    assert!(drawn.contains(folded), "{drawn}");
}

#[test]
fn events_stand_below_their_span_with_the_time_since_its_start() {
    let event =
        |name: &'static str, micros, attributes| Event::new(name, at(micros), attributes, 0);
    let mut call = span(1, 0, "call", 0, 20_000);
    call.events.events = vec![
        event("retry", 5_000, vec![KeyValue::new("attempt", 2)]),
        event(
            "exception",
            6_000,
            vec![KeyValue::new("exception.type", "E")],
        ),
    ];
    call.events.dropped_count = 7;
    let spans = [call, span(2, 1, "send", 0, 9)];
    assert_eq!(
        rows(&spans)[1..4],
        [
            "│ • retry +5.00 ms attempt=2",
            "│ • exception +6.00 ms exception.type=E",
            "│ • … 7 events more",
        ]
    );
    let colourful = draw(&spans, 60, Color::Ansi);
    assert!(
        colourful.contains("\u{1b}[31m• exception\u{1b}[0m"),
        "{colourful:?}"
    );
}

/// The line of the status says it already.
#[test]
fn an_exception_that_is_the_status_has_no_line_of_its_own() {
    let mut call = span(1, 0, "call", 0, 9).failed("E", "no route");
    let said = vec![KeyValue::new("exception.message", "no route")];
    call.events.events = vec![Event::new("exception", at(1), said, 0)];
    assert_eq!(rows(&[call])[1..], ["  ! no route"]);
}

#[test]
fn many_events_are_counted() {
    let mut call = span(1, 0, "call", 0, 9);
    call.events.events = vec![Event::new("tick", at(1), Vec::new(), 0); 10];
    let rows = rows(&[call]);
    assert_eq!(rows.len(), 1 + 4 + 1);
    assert_eq!(rows[5], "  • … 6 events more");
}

#[test]
fn links_are_counted() {
    let mut call = span(1, 0, "call", 0, 9);
    call.links.links = vec![Link::with_context(identity(2, 3))];
    assert_eq!(labels(&[call]), ["call (1 link)"]);
}

#[test]
fn durations_have_three_digits_and_a_unit() {
    let cases = [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (41_234, "41.2 µs"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (9_996_000, "10.0 ms"),
        (123_456_789, "123 ms"),
        (999_600_000, "1.00 s"),
        (59_940_000_000, "59.9 s"),
        (59_999_000_000, "1m 00s"),
        (61_000_000_000, "1m 01s"),
        (3_599_900_000_000, "1h 00m"),
        (7_320_000_000_000, "2h 02m"),
    ];
    for (nanos, text) in cases {
        let mut span = span(1, 0, "all", 0, 0);
        span.end_time += Duration::from_nanos(nanos);
        let row = rows(&[span]).remove(0);
        assert_eq!(row.chars().skip(52).collect::<String>().trim_start(), text);
    }
}
