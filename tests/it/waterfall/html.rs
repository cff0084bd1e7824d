//! The page: what is in it, and what foreign text cannot do. `scripts/waterfall-in-browser.sh` tries
//! it in a browser.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use enter_span_pipeline::waterfall::{Color, draw, page};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, TraceState};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{With as _, at, identity, span};

fn html(spans: &[SpanData]) -> String {
    page(spans, &Resource::builder_empty().build())
}

/// What stands between the first of these and what ends it.
#[track_caller]
pub(super) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect("the start");
    rest.split_once(end).expect("the end").0
}

const DATA: &str = r#"<script type="application/json" id="trace">"#;

fn data(spans: &[SpanData]) -> Value {
    let html = html(spans);
    serde_json::from_str(between(&html, DATA, "</script>")).expect("JSON")
}

/// Everything that a span holds, and what HTML, JSON and terminals give a meaning to.
pub(super) const HOSTILE: &str = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>-->\"'`&amp;\\\u{2028}\u{2029}\u{1b}[31m\u{202e}\n\u{0}<!--trace-->";

fn hostile() -> SpanData {
    let key = HOSTILE;
    let mut span = span(1, 0, HOSTILE, 0, 9)
        .with(key, HOSTILE)
        .failed("E", HOSTILE);
    let event = Event::new(HOSTILE, at(1), vec![KeyValue::new(key, HOSTILE)], 0);
    span.events.events = vec![event];
    span
}

#[test]
fn hostile_text_cannot_leave_its_element() {
    let html = html(&[hostile()]);
    let json = between(&html, DATA, "</script>");
    let bad = json
        .chars()
        .find(|&c| c.is_control() || "<>&\u{2028}\u{2029}".contains(c));
    assert_eq!(bad, None);
    // The data, and the script of the page.
    assert_eq!(html.matches("</script>").count(), 2);
    assert_eq!(html.matches("<script").count(), 2);
    assert!(!html.contains("<img"));
    let data: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(data["spans"][0]["name"], HOSTILE);
    assert_eq!(
        data["spans"][0]["attributes"][0],
        json!([HOSTILE, HOSTILE, "string"])
    );
    assert_eq!(data["spans"][0]["status"]["text"], HOSTILE);
    assert_eq!(data["spans"][0]["events"][0]["name"], HOSTILE);
}

/// Only what the page brings itself runs, and it loads nothing.
#[test]
fn the_policy_names_the_hashes_of_the_script_and_of_the_style() {
    let html = html(&[span(1, 0, "root", 0, 9)]);
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let style = hash(between(&html, "<style>", "</style>"));
    let script = hash(between(&html, "<script>", "</script>"));
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"");
    let expected = format!(
        "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"
    );
    assert_eq!(policy, expected);
    let markup = html.replace(between(&html, "<script>", "</script>"), "");
    for loads in ["src=\"", "href=", "url(", "@import", "style=\"", "onclick"] {
        assert!(!markup.contains(loads), "{loads}");
    }
    assert!(html.contains("<noscript>"));
}

/// The characters that the script spells out, by its own regular expression.
fn spelled_on_the_page() -> Vec<(u32, u32)> {
    let html = html(&[]);
    let class = between(&html, "const HIDDEN = /[", "]/gu;");
    let ranges =
        class
            .split("\\u")
            .skip(1)
            .fold(Vec::new(), |mut ranges: Vec<(u32, u32)>, part| {
                let digits: String = part.chars().filter(char::is_ascii_hexdigit).collect();
                let code = u32::from_str_radix(&digits, 16).expect("a code point");
                match ranges.last_mut() {
                    // The end of a range: it has no length yet, and the part before has ended with a dash.
                    Some((_, end)) if *end == u32::MAX => *end = code,
                    _ => ranges.push((code, code)),
                }
                if let (true, Some((_, end))) = (part.ends_with('-'), ranges.last_mut()) {
                    *end = u32::MAX;
                }
                ranges
            });
    assert!(ranges.iter().all(|(start, end)| start <= end), "{ranges:?}");
    ranges
}

/// What a terminal does not get is not shown by the page either.
#[test]
fn the_page_spells_out_what_the_console_does() {
    let spelled = spelled_on_the_page();
    let on_page = |c: char| {
        let code = u32::from(c);
        spelled
            .iter()
            .any(|&(start, end)| (start..=end).contains(&code))
    };
    let planes = (0..0x2_0000).chain(0xe_0000..0xe_2000);
    let all: Vec<char> = planes.filter_map(char::from_u32).collect();
    for some in all.chunks(8) {
        let name: String = some.iter().flat_map(|&c| ['=', c]).collect();
        let drawn = draw(&[span(1, 0, &name, 0, 9)], 240, Color::None);
        let expected = some.iter().map(|&c| {
            if on_page(c) {
                format!("={}", c.escape_default())
            } else {
                format!("={c}")
            }
        });
        let expected: String = expected.collect();
        assert!(
            drawn.contains(&expected),
            "{expected:?} is not in {drawn:?}"
        );
    }
}

/// The script never makes markup out of text.
#[test]
fn the_script_has_no_way_from_text_to_markup() {
    let html = html(&[]);
    let script = between(&html, "<script>", "</script>");
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval",
        "Function(",
        "DOMParser",
        "fetch",
        "XMLHttp",
    ] {
        assert!(!script.contains(way), "{way}");
    }
}

#[test]
fn the_data_holds_all_that_a_span_says() {
    let mut root = span(1, 77, "serve", 0, 20_000).remote();
    root.span_kind = opentelemetry::trace::SpanKind::Server;
    let state = TraceState::from_key_value([("vendor", "x")]).expect("a state");
    let context = &root.span_context;
    root.span_context = SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags(),
        false,
        state,
    );
    root.dropped_attributes_count = 2;
    let mut child = span(2, 1, "query", 1_000, 3_000)
        .with("rows", i64::MAX)
        .with("ratio", 0.5)
        .with("cached", false);
    child.links.links = vec![Link::new(
        identity(5, 6),
        vec![KeyValue::new("why", "batch")],
        0,
    )];
    child.links.dropped_count = 3;
    let late = span(4, 3, "late", 2_000, 2_500).with("enter_span.outcome", "cancelled");
    let data = data(&[late, child, root]);
    assert_eq!(data["trace"], "00000000000000000000000000000001");
    // A page on its own has no index beside it.
    assert_eq!(data["index"], "");
    assert_eq!(
        (&data["start"], &data["length"]),
        (&json!(1_000), &json!(20_000_000))
    );
    let [serve, query, late] = [0, 1, 2].map(|n| &data["spans"][n]);
    assert_eq!(
        (&serve["up"], &serve["place"]),
        (&json!(null), &json!("parent elsewhere"))
    );
    assert_eq!(
        (&serve["kind"], &serve["traceState"]),
        (&json!("server"), &json!("vendor=x"))
    );
    assert_eq!(
        (&serve["parent"], &serve["dropped"]),
        (&json!("000000000000004d"), &json!(2))
    );
    assert_eq!(
        (&query["up"], &query["parent"]),
        (&json!(0), &json!("0000000000000001"))
    );
    assert_eq!(
        (&query["start"], &query["length"]),
        (&json!(1_000_000), &json!(2_000_000))
    );
    // A number of a script could not hold it.
    assert_eq!(
        query["attributes"][0],
        json!(["rows", "9223372036854775807", "int"])
    );
    assert_eq!(query["attributes"][1], json!(["ratio", "0.5", "float"]));
    assert_eq!(query["attributes"][2], json!(["cached", "false", "bool"]));
    assert_eq!(query["links"][0]["span"], "0000000000000006");
    assert_eq!(
        query["links"][0]["attributes"][0],
        json!(["why", "batch", "string"])
    );
    assert_eq!(query["droppedLinks"], 3);
    assert_eq!(
        (&late["place"], &late["state"]),
        (&json!("parent missing"), &json!("cancelled"))
    );
}

#[test]
fn attributes_of_the_thread_and_of_the_place_in_source_stand_last() {
    let query = span(1, 0, "query", 0, 9)
        .with("thread.name", "main")
        .with("code.line.number", 41)
        .with("target", "sqlx")
        .with("level", "INFO")
        .with("db.query.text", "SELECT 1\n  + 2");
    let data = data(&[query]);
    let attributes = data["spans"][0]["attributes"].as_array();
    let keys = attributes.expect("a list").iter().map(|pair| &pair[0]);
    let expected = [
        "db.query.text",
        "thread.name",
        "code.line.number",
        "target",
        "level",
    ];
    assert_eq!(keys.collect::<Vec<_>>(), expected);
    // The details have the statement as it is.
    assert_eq!(data["spans"][0]["attributes"][0][1], "SELECT 1\n  + 2");
}

#[test]
fn the_resource_is_in_the_page() {
    let resource = Resource::builder_empty().with_service_name("shop").build();
    let html = page(&[span(1, 0, "root", 0, 9)], &resource);
    assert!(html.contains(r#""resource":[["service.name","shop","string"]]"#));
}

/// A script that walks upwards must come to an end.
#[test]
fn parents_in_a_circle_are_cut() {
    let data = data(&[span(1, 2, "a", 1, 9), span(2, 1, "b", 2, 9)]);
    assert_eq!(
        (&data["spans"][0]["up"], &data["spans"][1]["up"]),
        (&json!(null), &json!(0))
    );
}

#[test]
fn endless_text_is_cut_and_says_so() {
    let text = "é".repeat(20_000);
    let data = data(&[span(1, 0, "root", 0, 9).with("body", text)]);
    let value = data["spans"][0]["attributes"][0][1]
        .as_str()
        .expect("a text");
    assert_eq!(
        value,
        format!("{}… (3616 more characters)", "é".repeat(16_384))
    );
}

#[test]
fn no_spans_are_a_page_too() {
    assert_eq!(data(&[])["spans"], json!([]));
}
