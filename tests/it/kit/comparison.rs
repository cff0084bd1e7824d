//! Trees compared, whole and in part.

use std::thread;

use enter_span::testing::{Recorder, Trace};
use enter_span::{enter_span, in_span};

use super::message;

/// A request with two queries, the second of which fails.
fn request() -> Trace {
    #[enter_span("db.query", kind = client, attributes(table, rows))]
    fn query(table: &str, rows: u8) -> Result<u8, std::num::ParseIntError> {
        format!("{rows}{}", &table[..rows.into()]).parse()
    }
    Recorder::new().run(|| {
        in_span!("POST /orders", kind = server, |_| {
            let _ = query("users", 0);
            enter_span("render page", |_| query("orders", 1).is_err());
        });
    })
}

const REQUEST: &str = "
    POST /orders [server]
      db.query [client] table=users rows=0
      render page
        db.query [client] table=orders rows=1 !ParseIntError
";

/// What is the same is not marked, also behind a line that one of them has more.
#[test]
fn only_what_is_missing_or_extra_is_marked() {
    request().assert_tree(REQUEST);
    let text = message(|| {
        request().assert_tree(
            "
            POST /orders [server]
              authenticate
              db.query [client] table=users rows=0
              db.query [client] table=orders rows=1 !ParseIntError
            ",
        );
    });
    let difference = "
  POST /orders [server]
-   authenticate
    db.query [client] table=users rows=0
-   db.query [client] table=orders rows=1 !ParseIntError
+   render page
+     db.query [client] table=orders rows=1 !ParseIntError
";
    assert!(text.ends_with(difference), "{text}");
}

/// A line that both have is found also between lines that differ.
#[test]
fn a_line_between_changes_is_kept() {
    let trace = Recorder::new().run(|| ["a", "b", "z"].map(|name| enter_span(name, |_| ())));
    let text = message(|| trace.assert_tree("x\nb\ny"));
    assert!(text.ends_with("\n- x\n+ a\n  b\n- y\n+ z\n"), "{text}");
}

/// Nothing expected, and nothing recorded: each is a difference of its own kind.
#[test]
fn a_tree_can_be_all_missing_or_all_extra() {
    let text = message(|| request().assert_tree(""));
    assert_eq!(text.lines().filter(|line| line.starts_with('+')).count(), 4);
    let text = message(|| Recorder::new().trace().assert_tree(REQUEST));
    assert_eq!(text.lines().filter(|line| line.starts_with('-')).count(), 4);
}

/// Two texts without a line in common that are too long to be compared are still shown.
#[test]
fn long_trees_are_shown_without_comparing_each_pair_of_lines() {
    let trace = Recorder::new().run(|| (0..3_000).for_each(|_| enter_span("actual", |_| ())));
    let text = message(|| trace.assert_tree(&"expected\n".repeat(3_000)));
    let lines = |line: &str| text.lines().filter(|other| *other == line).count();
    assert_eq!((lines("- expected"), lines("+ actual")), (3_000, 3_000));
}

/// A part may begin anywhere, leaves out siblings, and says as little of a span as it wants.
#[test]
fn a_part_is_found() {
    let trace = request();
    for part in [
        REQUEST,
        "POST /orders",
        "db.query rows=1",
        "db.query rows=1 table=orders",
        "db.query !ParseIntError [client]",
        "POST /orders\n  render page\n    db.query",
        "POST /orders\n  db.query table=users\n  render page",
        "db.query\ndb.query",
        "db.query rows=0\nrender page\ndb.query rows=1",
        "",
    ] {
        trace.assert_tree_contains(part);
    }
}

/// What is not so is not found: not a beginning of a word, another order, a level left out, a span
/// twice, a fact that the span has not.
#[test]
fn a_part_that_is_not_there_is_not_found() {
    let trace = request();
    for part in [
        "POST",
        "db.query rows",
        "db.query rows=10",
        "db.query rows=0 rows=0",
        "db.query rows=0 !ParseIntError",
        "db.query ~cancelled",
        "render page\ndb.query rows=0",
        "POST /orders\n  render page\n  db.query table=users",
        "POST /orders\n  db.query table=orders",
        "db.query\ndb.query\ndb.query",
        "render page\n  db.query\n  db.query",
        "delete",
    ] {
        let text = message(|| trace.assert_tree_contains(part));
        assert!(text.ends_with(&trace.tree()), "{text}");
    }
}

/// The lines that are not there are marked, in the span that has the most of the part.
#[test]
fn what_a_part_misses_is_marked() {
    let text = message(|| {
        request().assert_tree_contains(
            "
            POST /orders
              render page
                db.query rows=2
                  retry
                db.query rows=1
              send
            ",
        );
    });
    let marked = "
  POST /orders
    render page
-     db.query rows=2
-       retry
      db.query rows=1
-   send
in
";
    assert!(text.contains(marked), "{text}");
}

/// A sibling that has less of a part does not keep one that has it all from being found.
#[test]
fn a_part_is_looked_for_in_all_spans_of_its_name() {
    let trace = Recorder::new().run(|| {
        enter_span("job", |_| enter_span("load", |_| ()));
        enter_span("job", |_| {
            enter_span("load", |_| ());
            enter_span("store", |_| ());
        });
    });
    trace.assert_tree_contains("job\n  load\n  store");
    let text = message(|| trace.assert_tree_contains("job\n  load\n  store\n  store"));
    assert!(
        text.contains("  job\n    load\n    store\n-   store\nin\n"),
        "{text}"
    );
}

/// A linked span's name may hold spaces, and begin with that of another one.
#[test]
fn a_part_may_name_links() {
    let trace = Recorder::new().run(|| {
        let of = |name| enter_span(name, |span| span.span_context());
        let (short, long) = (of("call"), of("call it"));
        in_span!(
            "later",
            root,
            links(&short, &long),
            attributes(items = 3),
            |_| ()
        );
    });
    // `^call it` is no part of this, though the text begins so.
    trace.assert_tree_contains("later ^call items=3");
    trace.assert_tree_contains("later ^call it ^call");
    trace.assert_tree_contains("later ^call it");
    message(|| trace.assert_tree_contains("later ^call it ^call it"));
}

/// Siblings that start in any order have one order, by all that is below them; so have orphans.
#[test]
fn work_side_by_side_is_sorted() {
    #[enter_span(attributes(n))]
    fn branch(n: u8, below: &'static str) {
        enter_span(below, |_| ());
        enter_span("all", |_| ());
    }
    let starts = |order: [(u8, &'static str); 4]| {
        let recorder = Recorder::new();
        recorder.run(|| {
            in_span!("parent", |_| order
                .into_iter()
                .for_each(|(n, below)| branch(n, below)));
        });
        branch(order[0].0, "lost");
        recorder.trace().sorted()
    };
    let sorted = starts([(2, "a"), (1, "b"), (1, "a"), (3, "z")]);
    sorted.assert_tree(
        "
        parent
          branch n=1
            a
            all
          branch n=1
            all
            b
          branch n=2
            a
            all
          branch n=3
            all
            z
        orphan all
        orphan branch
        orphan lost
        ",
    );
    let other = starts([(3, "z"), (1, "a"), (2, "a"), (1, "b")]);
    assert_eq!(other.tree(), sorted.tree());
}

/// Text that was recorded cannot pretend to be another line, nor reach the terminal as it is.
#[test]
fn no_text_breaks_its_line() {
    let recorder = Recorder::new();
    recorder.run(|| {
        enter_span("name\n\u{1b}[31m", |span| {
            span.set_attribute("key\nforged", "value\n");
            span.set_attribute("list", ["a\nb"]);
            span.set_attribute("error.type", "Type\nforged");
            span.set_status(enter_span::Status::error("text\nforged"));
            span.add_event("event\nforged", [("key\nforged", "value\n")]);
        });
    });
    thread::scope(|_| enter_span("lost\nforged", |_| ()));
    let trace = recorder.trace();
    assert_eq!(trace.tree().lines().count(), 2);
    assert_eq!(trace.redacted().lines().count(), 4);
    let texts = [
        trace.tree(),
        trace.redacted(),
        message(|| _ = trace.find("a\nb")),
        message(|| trace.assert_no_orphans()),
        message(|| _ = trace.spans()[0].assert_event("a\nb", ())),
    ];
    for text in texts {
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(!text.contains("\nforged"), "{text:?}");
    }
}
