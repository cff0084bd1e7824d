//! A trace as indented text.

use opentelemetry::{KeyValue, Value};

use super::entry::Entry;
use super::forest::Forest;
use crate::span::handle::Status;

pub(super) const INDENT: &str = "  ";

pub(super) fn draw(forest: &Forest) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (place, depth) in forest.walk() {
        lines.push(INDENT.repeat(depth) + &line(forest, place));
    }
    lines.extend(strays(forest));
    lines.join("\n")
}

/// The same, with a mark before one span.
pub(super) fn point(forest: &Forest, marked: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (place, depth) in forest.walk() {
        let mark = if place == marked { "> " } else { INDENT };
        lines.push(mark.to_owned() + &INDENT.repeat(depth) + &line(forest, place));
    }
    lines.extend(strays(forest).map(|line| INDENT.to_owned() + &line));
    lines.join("\n")
}

pub(super) fn strays(forest: &Forest) -> impl Iterator<Item = String> {
    let record = forest.record();
    let hidden = record.hidden.iter();
    let hidden = hidden.map(|(leaf, name)| format!("under {leaf}: {}", one_line(name)));
    let orphans = record.orphans.iter();
    hidden.chain(orphans.map(|name| format!("orphan {}", one_line(name))))
}

pub(super) fn line(forest: &Forest, place: usize) -> String {
    let mut words = words(forest, place);
    words.insert(0, one_line(&forest.entry(place).name));
    words.join(" ")
}

/// What stands behind the name.
pub(super) fn words(forest: &Forest, place: usize) -> Vec<String> {
    let entry = forest.entry(place);
    let mut words = facts(entry);
    for link in &entry.links {
        let linked = forest.place(link).map(|place| forest.entry(place));
        let linked = linked.map_or("?".to_owned(), |linked| one_line(&linked.name));
        words.push(format!("^{linked}"));
    }
    if entry.end.is_none() {
        words.push("(open)".to_owned());
    }
    words
}

/// What a span says of itself alone.
pub(super) fn facts(entry: &Entry) -> Vec<String> {
    let mut words = Vec::new();
    if entry.kind != "internal" {
        words.push(format!("[{}]", entry.kind));
    }
    let attributes = entry.attributes.iter();
    words.extend(
        attributes
            .filter(|a| !is_drawn_otherwise(a.key.as_str()))
            .map(pair),
    );
    if let Status::Error(_) = entry.status {
        words.push(format!("!{}", error_type(entry)));
    }
    if let Some(outcome) = entry.text("enter_span.outcome") {
        words.push(format!("~{}", one_line(outcome)));
    }
    words
}

fn is_drawn_otherwise(key: &str) -> bool {
    key.starts_with("code.") || matches!(key, "error.type" | "enter_span.outcome")
}

pub(super) fn pair(attribute: &KeyValue) -> String {
    let key = one_line(attribute.key.as_str());
    format!("{key}={}", value(&attribute.value))
}

/// Text that could be taken for something else is quoted.
pub(super) fn value(value: &Value) -> String {
    let text = value.to_string();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
    match value {
        Value::String(_) if text.is_empty() || !text.chars().all(plain) => format!("{text:?}"),
        _ => one_line(&text),
    }
}

/// The last segment of the error's type, without its generics.
pub(super) fn error_type(entry: &Entry) -> String {
    let name = entry.text("error.type").unwrap_or_default();
    let path = name.split('<').next().unwrap_or(name);
    one_line(path.rsplit("::").next().unwrap_or(path))
}

/// A name with a line break would look like two spans.
pub(super) fn one_line(name: &str) -> String {
    let letter = |letter: char| {
        if letter.is_control() {
            letter.escape_default().collect::<String>()
        } else {
            letter.into()
        }
    };
    name.chars().map(letter).collect()
}
