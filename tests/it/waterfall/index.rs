//! The index of a folder: what it lists, what it survives, and how it grows.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use enter_span_pipeline::HtmlFiles;
use opentelemetry::trace::Link;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::files::{Folder, export, name};
use super::html::{HOSTILE, between};
use super::{With as _, identity, span, span_of};

const DATA: &str = r#"<script type="text/plain" id="traces">"#;

/// What an index has behind its script, to the end.
fn data(index: &str) -> &str {
    let (_, data) = index.split_once(DATA).expect("the data");
    data
}

/// Its lines, as the page reads them: one that is no JSON is left out.
fn listed(folder: &Folder) -> Vec<(String, Value)> {
    let index = folder.index();
    let lines = data(&index).lines();
    let lines = lines.filter_map(|line| serde_json::from_str(line).ok());
    lines.collect()
}

fn pages(folder: &Folder) -> BTreeSet<String> {
    listed(folder).into_iter().map(|(page, _)| page).collect()
}

fn root(trace: u128, start: u64) -> SpanData {
    span_of(trace, 1, 0, "root", start, start + 9)
}

#[test]
fn a_line_says_what_is_in_a_page() {
    let folder = Folder::new("index-line");
    let mut files = HtmlFiles::in_folder(&folder.0);
    files.set_resource(&Resource::builder_empty().with_service_name("shop").build());
    let mut query = span(2, 1, "query", 3, 20).with("enter_span.outcome", "cancelled");
    // One to its own trace, and two to another.
    query.links.links = [(1, 1), (7, 2), (7, 3), (8, 1)]
        .map(|(trace, id)| Link::new(identity(trace, id), Vec::new(), 0))
        .to_vec();
    let serve = span(1, 0, "serve", 0, 9).failed("E", "failed");
    export(&files, [query, serve]).expect("written");
    let trace = |id: u128| format!("{id:032x}");
    let expected = json!({
        "name": "serve",
        "service": "shop",
        "length": 20_000,
        "spans": 2,
        "failed": 1,
        "cancelled": 1,
        "notes": [],
        "links": [trace(7), trace(8)],
    });
    assert_eq!(listed(&folder), [(name(1, 0), expected)]);
    let page = fs::read_to_string(folder.0.join(name(1, 0))).expect("a page");
    assert!(
        page.contains(r#""index":"index.html""#),
        "it leads to the index"
    );
}

#[test]
fn hostile_text_stays_in_its_line() {
    let folder = Folder::new("index-hostile");
    let mut files = HtmlFiles::in_folder(&folder.0);
    files.set_resource(&Resource::builder_empty().with_service_name(HOSTILE).build());
    export(&files, [span(1, 0, HOSTILE, 0, 9)]).expect("written");
    let index = folder.index();
    let is_bad = |c: char| (c.is_control() && c != '\n') || "<>&\u{2028}\u{2029}".contains(c);
    assert_eq!(data(&index).find(is_bad), None);
    let [(_, summary)] = &*listed(&folder) else {
        panic!("one line: {index}");
    };
    assert_eq!([&summary["name"], &summary["service"]], [HOSTILE; 2]);
    // The page carries the same text in its first line, as a comment.
    let page = fs::read_to_string(folder.0.join(name(1, 0))).expect("a page");
    let first = page.lines().next().expect("a line");
    let comment = between(first, "<!doctype html><!--", "-->");
    assert_eq!(
        serde_json::from_str::<Value>(comment).expect("JSON"),
        *summary
    );
    assert!(first.ends_with("-->") && first.matches('>').count() == 2);
}

/// Only what the index brings itself runs, and it loads nothing.
#[test]
fn the_policy_names_the_hashes_of_the_script_and_of_the_style() {
    let folder = Folder::new("index-policy");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [root(1, 0)]).expect("written");
    let index = folder.index();
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let style = hash(between(&index, "<style>", "</style>"));
    let script = hash(between(&index, "<script>", "</script>"));
    let policy = between(&index, "Content-Security-Policy\" content=\"", "\"");
    let expected = format!(
        "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"
    );
    assert_eq!(policy, expected);
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval",
        "fetch",
    ] {
        assert!(!index.contains(way), "{way}");
    }
}

/// Two exporters as two processes have them: while one writes the index anew, the other one appends to it.
#[test]
fn no_line_is_lost_while_the_index_is_rewritten() {
    let folder = Folder::new("index-shared");
    let files = || HtmlFiles::in_folder(&folder.0);
    let write = |files: &HtmlFiles, start: u64| {
        export(files, [root(u128::from(start) + 1, start)]).expect("written");
    };
    let appends = files();
    (0..300).for_each(|start| write(&appends, start));
    for round in 1..=10 {
        let barrier = Barrier::new(2);
        let starts = round * 1_000..round * 1_000 + 30;
        thread::scope(|scope| {
            scope.spawn(|| {
                // Its first page is a reason to look through the folder.
                let rewrites = files();
                barrier.wait();
                write(&rewrites, round * 1_000 + 500);
            });
            barrier.wait();
            starts.for_each(|start| write(&appends, start));
        });
        assert_eq!(pages(&folder), folder.names().into_iter().collect());
    }
    assert_eq!(pages(&folder).len(), 300 + 10 * 31);
}

/// Parts of one trace, by several processes, which start in the same microsecond.
#[test]
fn no_page_replaces_another() {
    let folder = Folder::new("index-same");
    let (writers, each) = (8, 20);
    let barrier = Barrier::new(writers);
    let write = || {
        let files = HtmlFiles::in_folder(&folder.0);
        barrier.wait();
        for _ in 0..each {
            export(&files, [root(1, 0)]).expect("written");
        }
    };
    thread::scope(|scope| {
        (0..writers).for_each(|_| drop(scope.spawn(write)));
    });
    assert_eq!(folder.names().len(), writers * each);
    assert_eq!(pages(&folder).len(), writers * each);
}

#[test]
fn a_line_that_was_cut_off_costs_itself() {
    let folder = Folder::new("index-torn");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [root(1, 1)]).expect("written");
    let torn = format!("\n[\"{}\",{{\"name\":\"", name(1, 1));
    let index = OpenOptions::new()
        .append(true)
        .open(folder.0.join("index.html"));
    let mut index = index.expect("an index");
    index.write_all(torn.as_bytes()).expect("a crash");
    export(&files, [root(2, 2)]).expect("written");
    assert_eq!(pages(&folder), BTreeSet::from([name(1, 1), name(2, 2)]));
    files.shutdown().expect("shut down");
    assert_eq!(listed(&folder).len(), 2);
    assert!(!folder.index().contains(&format!("{torn}\n")));
}

#[test]
fn an_index_that_was_removed_is_written_from_the_pages() {
    let folder = Folder::new("index-removed");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [root(1, 1)]).expect("written");
    let before = listed(&folder);
    fs::remove_file(folder.0.join("index.html")).expect("removed");
    export(&files, [root(2, 2)]).expect("written");
    assert_eq!(listed(&folder)[..1], before);
    assert_eq!(listed(&folder).len(), 2);
}

#[test]
fn a_foreign_index_is_left_alone() {
    let folder = Folder::new("index-foreign");
    fs::create_dir_all(&folder.0).expect("the folder");
    fs::write(folder.0.join("index.html"), "<!doctype html>mine").expect("a file");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [root(1, 1)]).expect("written");
    files.shutdown().expect("shut down");
    assert_eq!(folder.names(), ["index.html".to_owned(), name(1, 1)]);
    assert_eq!(folder.index(), "<!doctype html>mine");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_index_is_not_followed() {
    let folder = Folder::new("index-link");
    fs::create_dir_all(&folder.0).expect("the folder");
    let outside = folder.0.with_file_name("outside");
    fs::write(
        &outside,
        "<!doctype html><!-- enter-span: index of traces -->\n",
    )
    .expect("a file");
    let before = fs::read(&outside).expect("a file");
    std::os::unix::fs::symlink(&outside, folder.0.join("index.html")).expect("a link");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [root(1, 1)]).expect("written");
    assert_eq!(fs::read(&outside).expect("a file"), before);
    let index = fs::symlink_metadata(folder.0.join("index.html"));
    assert!(index.expect("the link").is_symlink());
}

#[test]
fn the_newest_ten_thousand_pages_are_listed() {
    let folder = Folder::new("index-many");
    fs::create_dir_all(&folder.0).expect("the folder");
    for old in 0..10_005 {
        File::create(folder.0.join(name(9, old))).expect("a page of an earlier version");
    }
    let files = HtmlFiles::in_folder(&folder.0).with_limit(20_000);
    export(&files, [root(1, 20_000)]).expect("written");
    let listed = listed(&folder);
    assert_eq!(listed.len(), 10_000);
    assert_eq!(listed[0], (name(9, 6), Value::Null));
    assert_eq!(listed[9_999].0, name(1, 20_000));
}

/// A page is removed with its line. The folder is looked through once in a tenth of the limit.
#[test]
fn the_oldest_are_removed_a_tenth_at_a_time() {
    let folder = Folder::new("index-tenth");
    let files = HtmlFiles::in_folder(&folder.0).with_limit(20);
    let counts = (1..=26).map(|start| {
        export(&files, [root(u128::from(start), start)]).expect("written");
        assert_eq!(pages(&folder).len(), folder.names().len());
        folder.names().len()
    });
    let counts: Vec<usize> = counts.collect();
    assert_eq!(counts[..18], (1..=18).collect::<Vec<_>>());
    assert_eq!(counts[18..], [19, 20, 21, 20, 21, 22, 20, 21]);
    files.shutdown().expect("shut down");
    let expected: BTreeSet<_> = (7..=26).map(|start| name(start.into(), start)).collect();
    assert_eq!(pages(&folder), expected);
    assert_eq!(folder.names().len(), 20);
}

#[test]
fn drafts_of_processes_that_died_are_removed() {
    let folder = Folder::new("index-drafts");
    fs::create_dir_all(&folder.0).expect("the folder");
    let [old, new, foreign] = [".trace-1-0a.part", ".trace-1-0b.part", ".trace-x.part"];
    let aged = SystemTime::now() - Duration::from_secs(2 * 3_600);
    for (draft, modified) in [(old, aged), (new, SystemTime::now()), (foreign, aged)] {
        let file = File::create(folder.0.join(draft)).expect("a draft");
        file.set_modified(modified).expect("its age");
    }
    export(&HtmlFiles::in_folder(&folder.0), [root(1, 1)]).expect("written");
    assert_eq!(
        folder.names(),
        [new.to_owned(), foreign.to_owned(), name(1, 1)]
    );
}
